import { commitAtLeastOnce } from '../../commit/commit.ts'
import { messageOf } from '../../errors/weir-error.ts'
import type { Task } from '../task.ts'
import { type Guarantee, type GuaranteeOptions, rowStages } from './guarantee.ts'

/**
 * Every record's effect is kept, and may be there twice after a crash or a lost assignment. Tasks that another member has are given up;
 * any other failure ends the thread.
 */
export class AtLeastOnce implements Guarantee {
  readonly commitsBeforeFailure = true
  readonly commitsEachTask = false
  readonly #options: GuaranteeOptions
  /** Times in a row that tasks began again. */
  #restarts = 0

  constructor(options: GuaranteeOptions) {
    this.#options = options
  }

  async start(): Promise<void> {}

  /** See WriteClock: what it writes again takes the place of what was written before. */
  async claim(task: Task): Promise<void> {
    const { host, tasks } = this.#options
    try {
      await host.commitOffsets([task], task.offsets())
    } catch (error) {
      if (!isFenced(error)) throw error
      await tasks.drop(task)
    }
  }

  async commit(tasks: readonly Task[]): Promise<number> {
    const { resources, config, host, failedOutputs, rows } = this.#options
    const changelogRecords = await commitAtLeastOnce(tasks, {
      producer: resources.producer,
      output: resources.output,
      flushTimeoutMs: config.maxPollIntervalMs,
      settleFailed: failedOutputs === null ? undefined : () => failedOutputs.settle(),
      ...rowStages(rows),
      commitOffsets: (committed, offsets) => host.commitOffsets(committed, offsets),
    })
    this.#restarts = 0
    return changelogRecords
  }

  async commitFailed(error: unknown, tasks: readonly Task[]): Promise<void> {
    if (codeOf(error) === 'changelog-shared') return await this.#startOver(tasks, error)
    if (!isFenced(error)) throw error
    this.#options.host.log('warn', 'tasks are given up: their partitions belong to another member', {
      tasks: tasks.map(({ id }) => id),
      reason: messageOf(error),
    })
    await Promise.all(tasks.map((task) => this.#options.tasks.giveUp(task)))
  }

  /** What this process knows of a row may be newer than what the changelog says of it: it goes back to what was committed last. */
  async #startOver(tasks: readonly Task[], error: unknown): Promise<void> {
    const { host, heartbeat, resources } = this.#options
    host.log(
      'warn',
      'another member wrote to changelogs of these tasks: they begin again at their committed offsets',
      {
        tasks: tasks.map(({ id }) => id),
        reason: messageOf(error),
      },
    )
    await heartbeat.whileAlive(Promise.all(tasks.map((task) => this.#options.tasks.drop(task, true))))
    resources.output.discard()
    host.startOver(tasks, ++this.#restarts)
  }

  async sendFailed(error: unknown): Promise<void> {
    throw error
  }

  /** Asks whether the tasks are still ours: a member that was taken for dead would write over what its successor has written. */
  async afterPause(): Promise<boolean> {
    const { tasks, heartbeat, host, resources } = this.#options
    const running = tasks.running()
    if (running.length === 0) return false
    try {
      await heartbeat.whileAlive(host.confirm(running))
      return false
    } catch (error) {
      if (!isFenced(error)) throw error
      host.log('warn', 'tasks were lost while the process stood still', {
        tasks: running.map(({ id }) => id),
      })
      resources.output.discard()
      await Promise.all(running.map((task) => tasks.drop(task)))
      return true
    }
  }

  async beforeLoss(): Promise<void> {}

  async close(): Promise<void> {}
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}

function isFenced(error: unknown): boolean {
  return codeOf(error) === 'fenced'
}
