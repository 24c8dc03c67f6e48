import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { Logger } from './logger.ts'
import type { TaskAssignment, TaskId } from './protocol.ts'
import type { StreamThreadHandle } from './thread-pool.ts'

export interface TaskRequestsOptions {
  /** How long a thread may take to give tasks back, ms. */
  readonly maxPollIntervalMs: number
  readonly logger: Logger
  readonly onFailed: (error: WeirError) => void
}

/**
 * Asks threads to take tasks up, to give them back and to close them. A thread that ends meanwhile is no failure of the request: what it had open is
 * closed when the request resolves. Main thread.
 */
export class TaskRequests {
  readonly #options: TaskRequestsOptions
  /** Tasks being closed. */
  readonly #releasing = new Map<TaskId, Promise<void>>()

  constructor(options: TaskRequestsOptions) {
    this.#options = options
  }

  async assign(thread: StreamThreadHandle, tasks: readonly TaskAssignment[]): Promise<void> {
    await this.#unlessGone(thread, thread.request('assign', { tasks }), 'taking tasks up')
  }

  async suspend(thread: StreamThreadHandle, tasks: readonly TaskId[], lost: boolean): Promise<void> {
    const answer = this.#inTime(thread, thread.request('suspend', { tasks, lost }))
    await this.#unlessGone(thread, answer, 'giving tasks back')
  }

  /** Closes a suspended task. */
  release(thread: StreamThreadHandle, id: TaskId): Promise<void> {
    const running = this.#releasing.get(id)
    if (running !== undefined) return running
    const answer = thread.request('release', { tasks: [id] })
    const released = this.#unlessGone(thread, answer, 'closing a task').then(() => {
      this.#releasing.delete(id)
    })
    this.#releasing.set(id, released)
    return released
  }

  /** Tasks that are being closed. */
  get releasing(): Iterable<TaskId> {
    return this.#releasing.keys()
  }

  /** Resolves when these tasks are not being closed: nobody may open one before. */
  async released(ids: readonly TaskId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#releasing.get(id)))
  }

  /** A thread that lets a rebalance wait for too long is stuck, and the group goes on without this process. */
  async #inTime(thread: StreamThreadHandle, answer: Promise<void>): Promise<void> {
    const { maxPollIntervalMs } = this.#options
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const what = `stream thread ${thread.index} did not give its tasks back within ${maxPollIntervalMs} ms (WEIR_MAX_POLL_INTERVAL_MS)`
      reject(new WeirError('thread-stuck', what))
    }, maxPollIntervalMs)
    try {
      await Promise.race([answer, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A thread that ends tells why by itself. Until it has ended, what it was asked to close may still be open. */
  async #unlessGone(thread: StreamThreadHandle, answer: Promise<void>, what: string): Promise<void> {
    const { logger, onFailed } = this.#options
    try {
      await answer
    } catch (error) {
      if (error instanceof WeirError && error.code === 'thread-stuck') {
        onFailed(error)
        return
      }
      logger.debug({ reason: messageOf(error) }, `${what}: the thread is gone`)
      await thread.gone
    }
  }
}
