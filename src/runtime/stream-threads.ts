import type { Config } from '../config/config.ts'
import { namedError } from '../errors/named-error.ts'
import { WeirError } from '../errors/weir-error.ts'
import type { Logger } from './logger.ts'
import type { Membership } from './membership/membership.ts'
import type { TaskEpoch } from './membership/task-leases.ts'
import type { StreamThreadJob } from './protocol.ts'
import { pause } from './retry.ts'
import { Supervisor } from './supervisor.ts'
import type { TaskCoordinator } from './task-coordinator.ts'
import type { StreamThreadHandle, ThreadPool } from './thread-pool.ts'

export interface StreamThreadsOptions {
  readonly config: Pick<Config, 'numStreamThreads' | 'streamThreadsMax' | 'threadStuckTimeoutMs'>
  readonly pool: ThreadPool
  readonly membership: Pick<Membership, 'between'>
  /** Hands out the threads' tasks. Asked for later. */
  readonly coordinator: () => TaskCoordinator
  /** Int32 counters, one for each thread that there may be. */
  readonly heartbeats: SharedArrayBuffer
  readonly isPaused: boolean
  readonly logger: Logger
  /**
   * Something failed: one thread, or else what concerns all. @returns after how long another is to take the thread's place, ms; null when none is
   */
  readonly onFailed: (error: WeirError, threadIndex: number | null) => number | null
}

/**
 * The stream threads that there are, from the first to the last: how they are started, added, removed, replaced when they fail, watched, paused and
 * ended. Main thread.
 *
 *   start ──> runs ──> removed
 *    ^         │
 *    └─ delay ─┴─> failed ──> (the process stops)
 */
export class StreamThreads {
  readonly #options: StreamThreadsOptions
  readonly #supervisor: Supervisor
  /** Those that have not ended, by index. */
  readonly #live = new Map<number, StreamThreadHandle>()
  /** Indexes whose thread is being replaced. */
  readonly #replacing = new Set<number>()
  readonly #removing = new Set<StreamThreadHandle>()
  readonly #ending = new AbortController()
  #stuck: StreamThreadHandle | null = null
  #isPaused: boolean

  /** Starts the first threads. */
  constructor(options: StreamThreadsOptions) {
    const { config, heartbeats } = options
    this.#options = options
    this.#isPaused = options.isPaused
    this.#supervisor = new Supervisor(heartbeats, config.threadStuckTimeoutMs, performance.now())
    for (let index = 0; index < config.numStreamThreads; index++) this.#start(index)
  }

  /** Those that have not ended, by index. */
  get live(): readonly StreamThreadHandle[] {
    return [...this.#live.values()].sort((a, b) => a.index - b.index)
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** For how long each thread has not turned, ms. */
  standstills(): Iterable<readonly [thread: number, ms: number]> {
    return this.#supervisor.standstills(performance.now())
  }

  /** From now on the threads have to turn. */
  supervise(): void {
    this.#supervisor.start(({ index }, stuckMs) => this.#onStuck(index, stuckMs))
  }

  /** Topics that tasks may read and write from now on. */
  learnTopics(topics: StreamThreadJob['topics']): void {
    this.#options.pool.learnTopics(topics)
    // Before it is asked to open a task; a thread that ends tells why by itself.
    for (const thread of this.#live.values()) thread.request('topics', { topics }).catch(() => {})
  }

  /** Resolves when no thread processes any more, or when all do again. */
  async pause(isPaused: boolean): Promise<void> {
    this.#isPaused = isPaused
    await Promise.allSettled(this.live.map((thread) => thread.request('pause', { isPaused })))
  }

  /** @returns the index of the new thread, once it has its tasks. @throws WeirError config-invalid */
  async add(): Promise<number> {
    const { streamThreadsMax } = this.#options.config
    const indexes = Array.from({ length: streamThreadsMax }, (_, index) => index)
    const index = indexes.find((free) => !this.#live.has(free) && !this.#replacing.has(free))
    if (index === undefined) {
      const what = `addStreamThread: there are ${streamThreadsMax} already, for which memory was divided; WEIR_STREAM_THREADS_MAX allows more`
      throw new WeirError('config-invalid', what)
    }
    const thread = this.#start(index)
    this.#options.logger.info({ thread: index }, 'a stream thread was added')
    await this.#options.membership.between(() => this.#options.coordinator().addThread(thread))
    return index
  }

  /** Removes the last. @returns its index, once it has ended. @throws WeirError config-invalid, shutdown-timeout */
  async remove(timeoutMs: number): Promise<number> {
    const staying = this.live.filter((thread) => !this.#removing.has(thread))
    const thread = staying.pop()
    if (thread === undefined || staying.length === 0) {
      const what = 'removeStreamThread: one has to stay; pause() and close() are what stops all'
      throw new WeirError('config-invalid', what)
    }
    this.#removing.add(thread)
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const what = `removing stream thread ${thread.index} takes longer than ${timeoutMs} ms; it goes on`
      reject(new WeirError('shutdown-timeout', what))
    }, timeoutMs)
    try {
      await Promise.race([this.#remove(thread), late])
    } finally {
      clearTimeout(timer)
    }
    this.#options.logger.info({ thread: thread.index }, 'a stream thread was removed')
    return thread.index
  }

  /** None is watched, added or replaced any more. */
  stop(): void {
    this.#ending.abort()
    this.#supervisor.stop()
  }

  /** Commits and closes everything on all threads at once. REQUIRES that `stop` was called. @returns what ended one of them, null when nothing did */
  async end(): Promise<WeirError | null> {
    const threads = this.live.filter((thread) => thread !== this.#stuck)
    const ends = await Promise.allSettled(
      threads.map(async (thread) => {
        // A thread that has ended cannot answer, and says with its end how it went.
        thread.request('stop', {}).catch(() => {})
        await thread.ended
      }),
    )
    return ends.find((end) => end.status === 'rejected')?.reason ?? null
  }

  /** Ends the workers. REQUIRES that the threads have ended. */
  async endWorkers(): Promise<void> {
    // A worker in the middle of a native call must not be ended.
    if (this.#stuck === null) await this.#options.pool.endAll()
  }

  #start(index: number): StreamThreadHandle {
    const thread = this.#options.pool.start(index)
    this.#live.set(index, thread)
    // Before it is given a task.
    if (this.#isPaused) thread.request('pause', { isPaused: true }).catch(() => {})
    this.#supervisor.watch(thread, performance.now())
    void this.#watchOver(thread)
    return thread
  }

  async #watchOver(thread: StreamThreadHandle): Promise<void> {
    const { index } = thread
    let failure: WeirError | null = null
    try {
      await thread.ended
    } catch (error) {
      failure = error as WeirError
    }
    this.#live.delete(index)
    this.#supervisor.forget(thread)
    const isAskedFor = this.#ending.signal.aborted || this.#removing.has(thread)
    if (failure === null && isAskedFor) return
    failure ??= new WeirError('thread-ended', `stream thread ${index} ended by itself`)
    const delayMs = this.#options.onFailed(failure, index)
    if (delayMs !== null && !isAskedFor) await this.#replace(thread, delayMs)
  }

  /** The tasks stay where they were: they would come back anyway. */
  async #replace(ended: StreamThreadHandle, delayMs: number): Promise<void> {
    const { pool, membership, coordinator, onFailed } = this.#options
    const { index } = ended
    this.#replacing.add(index)
    try {
      await pool.end(ended)
      await pause(delayMs, this.#ending.signal)
      if (this.#ending.signal.aborted) return
      this.#replacing.delete(index)
      const thread = this.#start(index)
      let tasks: readonly TaskEpoch[] = []
      await membership.between(async () => {
        tasks = coordinator().replaceThread(ended, thread)
      })
      await coordinator().startOver(thread, tasks, 0)
    } catch (error) {
      onFailed(namedError(error, `replacing stream thread ${index}`), null)
    }
  }

  async #remove(thread: StreamThreadHandle): Promise<void> {
    const { membership, coordinator, pool } = this.#options
    await membership.between(() => coordinator().removeThread(thread))
    thread.request('stop', {}).catch(() => {})
    await thread.gone
    if (thread !== this.#stuck) await pool.end(thread)
    this.#removing.delete(thread)
  }

  #onStuck(index: number, stuckMs: number): void {
    const { config, coordinator, onFailed } = this.#options
    this.#stuck = this.#live.get(index)!
    this.#stuck.abandon()
    // It may hold the right to commit, which a stop would wait for.
    coordinator().threadEnded(this.#stuck)
    const limit = `WEIR_THREAD_STUCK_TIMEOUT_MS=${config.threadStuckTimeoutMs}`
    const what = `stream thread ${index} has stood still for ${Math.round(stuckMs)} ms (${limit})`
    onFailed(new WeirError('thread-stuck', what), index)
  }
}
