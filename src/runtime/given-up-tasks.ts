import type { Config } from '../config/config.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { TopicPartition } from '../native.ts'
import type { TaskId } from './protocol.ts'
import { partitionKey, type TaskInputs } from './task-inputs.ts'

/**
 * Tasks that threads gave up because the group refused their commit. They are handed out again only when the group has spoken about their partitions,
 * which it has to do soon. Main thread.
 */
export class GivenUpTasks {
  readonly #config: Pick<Config, 'maxPollIntervalMs' | 'sessionTimeoutMs'>
  readonly #onFailed: (error: WeirError) => void
  readonly #tasks = new Map<TaskId, { readonly task: TaskInputs; readonly timer: NodeJS.Timeout }>()

  constructor(
    config: Pick<Config, 'maxPollIntervalMs' | 'sessionTimeoutMs'>,
    onFailed: (error: WeirError) => void,
  ) {
    this.#config = config
    this.#onFailed = onFailed
  }

  has(id: TaskId): boolean {
    return this.#tasks.has(id)
  }

  /** @param isAssigned whether a partition is still this process's */
  add(task: TaskInputs, isAssigned: (input: TopicPartition) => boolean): void {
    const { sessionTimeoutMs, maxPollIntervalMs } = this.#config
    const timer = setTimeout(
      () => {
        if (!task.inputs.every(isAssigned)) return
        const what = `task ${task.id} was refused its commit, and its partitions are still assigned to this process`
        this.#onFailed(new WeirError('fenced', what))
      },
      Math.max(sessionTimeoutMs, maxPollIntervalMs),
    )
    timer.unref()
    this.#tasks.set(task.id, { task, timer })
  }

  /** The group has assigned or revoked these partitions. */
  told(partitions: readonly TopicPartition[]): void {
    if (this.#tasks.size === 0) return
    const keys = new Set(partitions.map(partitionKey))
    for (const [id, { task, timer }] of this.#tasks) {
      if (!task.inputs.some((input) => keys.has(partitionKey(input)))) continue
      clearTimeout(timer)
      this.#tasks.delete(id)
    }
  }

  stop(): void {
    for (const { timer } of this.#tasks.values()) clearTimeout(timer)
  }
}
