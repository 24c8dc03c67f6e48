import { EventEmitter } from 'node:events'
import { namedError } from '../errors/named-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { nativeObjects } from '../native.ts'
import { ProcessMetrics } from '../observe/process-metrics.ts'
import { renderMetrics } from '../observe/render-metrics.ts'
import type { ApplicationParts } from './application-parts.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { type ApplicationState, canFollow } from './application-state.ts'
import { closeResources } from './close-resources.ts'
import type { Logger } from './logger.ts'
import type { Membership } from './membership/membership.ts'
import { PatternWatch } from './pattern-watch.ts'
import type { ThreadNotice } from './protocol.ts'
import { RepartitionPurge } from './repartition-purge.ts'
import { RestoreObserver } from './restore-listener.ts'
import { Supervisor } from './supervisor.ts'
import { TaskCoordinator } from './task-coordinator.ts'
import type { StreamThreadHandle, ThreadPool } from './thread-pool.ts'
import { type ThreadReport, ThreadReports } from './thread-reports.ts'
import { TopicWatch, topicWatchIntervalMs } from './topic-watch.ts'

export interface ApplicationEvents {
  state: [state: ApplicationState, previous: ApplicationState]
  /** A line that a topology module wants to show in a live view. */
  show: [line: string, threadIndex: number]
}

export interface ApplicationStatus {
  readonly state: ApplicationState
  /** Partitions that the group gave to this process. */
  readonly assignedPartitions: number
  readonly threads: readonly ThreadReport[]
}

/** An answer to a health or readiness probe. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/**
 * A running application: one member of its group, with its stream threads. Made by `startApplication`.
 *
 * An error of a thread or of the group stops the application: the other threads commit what they have processed, and `closed` rejects with the
 * cause. Kafka Streams' KafkaStreams.
 */
export class Application extends EventEmitter<ApplicationEvents> implements AsyncDisposable {
  /**
   * Resolves when the application has stopped as asked; rejects with the WeirError that stopped it. Without a handler such an error ends the
   * process, as any unhandled rejection does. After `thread-stuck` and `shutdown-timeout` something still runs: end the process.
   */
  readonly closed: Promise<void>
  readonly #parts: ApplicationParts
  readonly #logger: Logger
  readonly #coordinator: TaskCoordinator
  readonly #membership: Membership
  readonly #pool: ThreadPool
  readonly #supervisor: Supervisor
  readonly #watch: TopicWatch
  /** null: no source has a pattern. */
  readonly #patternWatch: PatternWatch | null = null
  readonly #purge: RepartitionPurge
  readonly #metrics: ProcessMetrics
  readonly #reports: ThreadReports
  readonly #restores: RestoreObserver
  #resources: AsyncDisposableStack | null = null
  readonly #settleClosed: { resolve: () => void; reject: (cause: WeirError) => void }
  #state: ApplicationState = 'created'
  /** The first error; null while there is none. */
  #cause: WeirError | null = null
  #stuckThread: StreamThreadHandle | null = null

  constructor(parts: ApplicationParts) {
    super()
    const { config, logger, admin, memory, plan, patterns, heartbeats, resources } = parts
    this.#parts = parts
    this.#logger = logger
    this.#restores = new RestoreObserver(logger, parts.restoreListener)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.closed = promise
    this.#settleClosed = { resolve, reject }

    const onFailed = (error: WeirError): void => this.#fail(error)
    const intervalMs = topicWatchIntervalMs(config)
    this.#watch = new TopicWatch({
      topics: plan.watched,
      ...(patterns !== null && { mayGo: patterns.matches }),
      admin,
      intervalMs,
      logger,
      onFailed,
    })
    if (patterns !== null) {
      this.#patternWatch = new PatternWatch({
        topology: patterns.topology,
        applicationId: config.applicationId,
        matched: plan.matched,
        admin,
        intervalMs,
        logger,
        onChanged: async (signal) => this.#follow(await patterns.replan(signal)),
        onFailed,
      })
      resources.defer(() => this.#patternWatch!.stop())
    }
    this.#membership = parts.openMembership({
      assigned: (assignment) => this.#rebalanced(this.#coordinator.assigned(assignment)),
      revoked: (revoked, lost) => this.#rebalanced(this.#coordinator.revoked(revoked, lost)),
      failed: onFailed,
      topicsInDoubt: () => {
        this.#watch.checkSoon()
        this.#patternWatch?.checkSoon()
      },
    })
    resources.defer(() => this.#membership.leave())
    this.#pool = parts.startThreads(this.#membership, {
      commit: (request) => this.#coordinator.commit(request),
      confirm: (request) => this.#coordinator.confirm(request),
      beginCommit: (thread, request) => this.#coordinator.beginCommit(thread, request),
      endCommit: (request) => this.#coordinator.endCommit(request),
      ended: (thread) => this.#coordinator.threadEnded(thread),
      notice: (thread, notice) => this.#noticed(thread, notice),
    })
    resources.defer(() => this.#endThreads())
    const { threads } = this.#pool
    this.#coordinator = new TaskCoordinator({
      config,
      tasks: plan.tasks,
      ...(patterns !== null && { patternsSettleMs: intervalMs }),
      threads,
      membership: this.#membership,
      logger,
      onFailed,
      onChanged: () => this.#onSettledOrNot(),
    })
    this.#reports = new ThreadReports(threads)
    const supervised = threads.map((thread) => ({
      index: thread.index,
      isWaiting: () => thread.openCommits > 0,
    }))
    this.#supervisor = new Supervisor(heartbeats, supervised, config.threadStuckTimeoutMs, performance.now())
    this.#purge = new RepartitionPurge(
      parts.repartitionTopics,
      () => this.#coordinator.positions(),
      admin,
      logger,
    )
    this.#metrics = new ProcessMetrics({
      weirVersion: parts.versions.weir,
      versions: () => parts.versions.native,
      applicationState: () => this.#state,
      memory: config.memory,
      nativeObjects,
      stateMemoryUsage: () => (this.#isOpen ? memory.usage() : null),
      rocksDbCounts: () => (this.#isOpen ? memory.counts() : null),
    })
    for (const thread of threads) void this.#watchOver(thread)
    parts.globalThread?.ended.catch((error: WeirError) => this.#fail(error))
  }

  get state(): ApplicationState {
    return this.#state
  }

  /** Joins the group. Called once, by `startApplication`; from then on the application closes what was opened. */
  join(): void {
    this.#membership.join(this.#parts.plan.inputTopics)
    this.#resources = this.#parts.resources.move()
    this.#supervisor.start((index, stuckMs) => this.#onStuck(index, stuckMs))
    this.#watch.start()
    this.#patternWatch?.start()
    this.#purge.start()
    this.#change('rebalancing')
    this.#onSettledOrNot()
  }

  /** Topics that came or went may be what the group has rebalanced for. */
  async #rebalanced(done: Promise<void>): Promise<void> {
    await done
    if (this.#isOpen) this.#patternWatch?.checkSoon()
  }

  /** Goes on with other topics. @returns those that match patterns */
  #follow(plan: ApplicationPlan): readonly string[] {
    this.#watch.watch(plan.watched)
    if (!this.#isOpen) return plan.matched
    for (const thread of this.#pool.threads) {
      // Before it is asked to open a task; a thread that ends tells why by itself.
      thread.request('topics', { topics: plan.topics }).catch(() => {})
    }
    this.#membership.changeTopics(plan.inputTopics, () => this.#coordinator.replan(plan.tasks))
    return plan.matched
  }

  /**
   * Stops: the threads commit and close their tasks at the same time, then the group is left. Can be called at any time, also repeatedly.
   *
   * @param options.timeoutMs how long it may take, WEIR_SHUTDOWN_TIMEOUT_MS by default; then `closed` rejects with `shutdown-timeout`
   * @returns `closed`
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#stop(options.timeoutMs ?? this.#parts.config.shutdownTimeoutMs)
    return this.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What each thread does at this moment. A thread that does not answer soon is reported as it was last. */
  async status(): Promise<ApplicationStatus> {
    const threads = await this.#reports.status()
    return { state: this.#state, assignedPartitions: this.#coordinator.assignedPartitions, threads }
  }

  /** Every metric of the process and of its threads, as Prometheus reads it. */
  async metrics(): Promise<string> {
    const ofThreads = await this.#reports.metrics()
    const ofGlobal = (await this.#parts.globalThread?.metrics()) ?? []
    return await renderMetrics([await this.#metrics.collect(), ...ofThreads, ofGlobal])
  }

  /** Whether the process is worth keeping. */
  health(): ProbeResult {
    if (this.#cause !== null) return { ok: false, reason: `${this.#cause.code}: ${this.#cause.message}` }
    return { ok: true }
  }

  /** Whether every task of this process runs. */
  ready(): ProbeResult {
    return this.#state === 'running'
      ? { ok: true }
      : { ok: false, reason: `the application is ${this.#state}` }
  }

  get #isOpen(): boolean {
    return this.#state === 'created' || this.#state === 'rebalancing' || this.#state === 'running'
  }

  #change(next: ApplicationState): void {
    const previous = this.#state
    if (!canFollow(previous, next))
      throw new Error(`an application that is ${previous} cannot become ${next}`)
    this.#state = next
    this.#logger.info({ state: next }, `application ${next}`)
    this.emit('state', next, previous)
  }

  #onSettledOrNot(): void {
    const next = this.#coordinator.isSettled ? 'running' : 'rebalancing'
    if (this.#state !== next && canFollow(this.#state, next)) this.#change(next)
  }

  #noticed(thread: StreamThreadHandle, notice: ThreadNotice): void {
    switch (notice.type) {
      case 'task-state':
        this.#coordinator.taskState(thread, notice.task, notice.state)
        break
      case 'start-over':
        this.#coordinator
          .startOver(thread, notice.tasks, notice.failures)
          .catch((error: unknown) => this.#fail(namedError(error, 'starting tasks over')))
        break
      case 'log':
        this.#logger[notice.level]({ thread: thread.index, ...notice.fields }, notice.message)
        break
      case 'restore':
        this.#restores.observe(notice.event)
        break
      case 'show':
        this.emit('show', notice.line, thread.index)
        break
      case 'failed':
        // Comes again, with the thread's end.
        break
    }
  }

  async #watchOver(thread: StreamThreadHandle): Promise<void> {
    try {
      await thread.ended
      if (this.#isOpen)
        this.#fail(new WeirError('thread-ended', `stream thread ${thread.index} ended by itself`))
    } catch (error) {
      this.#fail(error as WeirError)
    }
  }

  #onStuck(threadIndex: number, stuckMs: number): void {
    this.#stuckThread = this.#pool.threads[threadIndex]!
    this.#stuckThread.abandon()
    const limit = `WEIR_THREAD_STUCK_TIMEOUT_MS=${this.#parts.config.threadStuckTimeoutMs}`
    this.#fail(
      new WeirError(
        'thread-stuck',
        `stream thread ${threadIndex} has stood still for ${Math.round(stuckMs)} ms (${limit})`,
      ),
    )
  }

  #fail(cause: WeirError): void {
    if (this.#cause !== null) {
      // What follows from the first error.
      this.#logger.debug({ code: cause.code, reason: cause.message }, 'a further error while stopping')
      return
    }
    this.#cause = cause
    this.#logger.error(
      { code: cause.code, reason: cause.message },
      'the application stops because of an error',
    )
    this.#stop(this.#parts.config.shutdownTimeoutMs)
  }

  #stop(timeoutMs: number): void {
    if (!this.#isOpen || this.#resources === null) return
    this.#change('stopping')
    this.#supervisor.stop()
    this.#watch.stop()
    void this.#patternWatch?.stop()
    const timer = setTimeout(() => {
      const what = `stopping took longer than ${timeoutMs} ms (WEIR_SHUTDOWN_TIMEOUT_MS)`
      this.#finish(new WeirError('shutdown-timeout', what))
    }, timeoutMs)
    void closeResources(this.#resources).then((error) => {
      clearTimeout(timer)
      this.#finish(error)
    })
  }

  /** Commits and closes everything on all threads at once, and ends their workers. */
  async #endThreads(): Promise<void> {
    await this.#purge.stop()
    const threads = this.#pool.threads.filter((thread) => thread !== this.#stuckThread)
    const ends = await Promise.allSettled(
      threads.map(async (thread) => {
        // A thread that has ended cannot answer, and says with its end how it went.
        thread.request('stop', {}).catch(() => {})
        await thread.ended
      }),
    )
    await this.#coordinator.fenceAll()
    // A worker in the middle of a native call must not be ended.
    if (this.#stuckThread === null) await this.#pool.close()
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  #finish(error: WeirError | null): void {
    if (this.#state !== 'stopping') {
      if (error !== null) this.#logger.debug({ reason: messageOf(error) }, 'stopping ended after its time')
      return
    }
    const cause = this.#cause ?? error
    this.#cause = cause
    if (cause === null) {
      this.#change('stopped')
      this.#settleClosed.resolve()
    } else {
      this.#change('failed')
      this.#settleClosed.reject(cause)
    }
  }
}
