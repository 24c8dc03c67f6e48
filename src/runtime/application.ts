import { EventEmitter } from 'node:events'
import path from 'node:path'

import { namedError } from '../errors/named-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { nativeObjects, type TopicPartitionOffset } from '../native.ts'
import type { BuildInfo } from '../observe/build-info.ts'
import type { MetricSnapshot } from '../observe/metric-set.ts'
import { ProcessMetrics } from '../observe/process-metrics.ts'
import { QueryMetrics } from '../observe/query-metrics.ts'
import { renderMetrics } from '../observe/render-metrics.ts'
import type { QueryableStore, QueryOptions, StateQuery, StateQueryResult } from '../query/state-query.ts'
import type { ApplicationParts } from './application-parts.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { type ApplicationState, canFollow } from './application-state.ts'
import { CassandraHealth } from './cassandra-health.ts'
import { type CloseOptions, checkCloseOptions, checkTimeout } from './close-options.ts'
import { closeResources } from './close-resources.ts'
import { FollowedTopics } from './followed-topics.ts'
import type { Logger } from './logger.ts'
import type { Membership } from './membership/membership.ts'
import type { ThreadNotice } from './protocol.ts'
import { decodeForwardedQuery, encodeForwarded } from './queries/forwarding.ts'
import { Peers } from './queries/peers.ts'
import { StateQueries } from './queries/state-queries.ts'
import { RestoreObserver } from './restore-listener.ts'
import type { RestoreProgress } from './restore-progress.ts'
import { StateCleaner } from './state-cleaner.ts'
import { StopRequests } from './stop-request.ts'
import { StreamThreads } from './stream-threads.ts'
import { TaskCoordinator } from './task-coordinator.ts'
import type { StreamThreadHandle } from './thread-pool.ts'
import { type ThreadReport, ThreadReports } from './thread-reports.ts'
import { tierWatermarks } from './tier-watermarks.ts'
import { TopicPurge } from './topic-purge.ts'
import { UncaughtErrors } from './uncaught-errors.ts'

/** How long the group is asked who has what. */
const GROUP_TIMEOUT_MS = 5_000

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
  /** Of each store that had something to restore, how the last restore goes or has ended; those that go on come first. */
  readonly restores: readonly RestoreProgress[]
}

/** An answer to a health or readiness probe. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/**
 * A running application: one member of its group, with its stream threads. Made by `startApplication`.
 *
 * An error that nothing has answered is told to `onUncaughtError`, which can have the thread replaced; otherwise the application stops: the other
 * threads commit what they have processed, and `closed` rejects with the cause. Kafka Streams' KafkaStreams.
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
  readonly #threads: StreamThreads
  readonly #topics: FollowedTopics
  readonly #stopRequests: StopRequests
  readonly #errors: UncaughtErrors
  readonly #purge: TopicPurge
  readonly #cleaner: StateCleaner
  readonly #metrics: ProcessMetrics
  readonly #reports: ThreadReports
  readonly #restores: RestoreObserver
  readonly #cassandra: CassandraHealth
  readonly #queries: StateQueries
  readonly #queryMetrics = new QueryMetrics()
  #resources: AsyncDisposableStack | null = null
  readonly #settleClosed: { resolve: () => void; reject: (cause: WeirError) => void }
  #state: ApplicationState = 'created'
  /** The first error; null while there is none. */
  #cause: WeirError | null = null
  /** Every process of the application is to stop. */
  #asksAll = false
  /** A static member leaves the group, too. */
  #leavesForGood = false

  constructor(parts: ApplicationParts) {
    super()
    const { config, logger, admin, memory, plan, patterns, resources } = parts
    this.#parts = parts
    this.#logger = logger
    this.#restores = new RestoreObserver(logger, parts.restoreListener)
    this.#cassandra = new CassandraHealth(logger)
    this.#errors = new UncaughtErrors(config, parts.onUncaughtError, logger)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.closed = promise
    this.#settleClosed = { resolve, reject }

    const onFailed = (error: WeirError): void => void this.#failed(error, null)
    const onPlanned = (next: ApplicationPlan): void => this.#follow(next)
    this.#topics = new FollowedTopics({ ...parts, onFailed, onPlanned })
    resources.defer(() => this.#topics.stop())
    const topicsInDoubt = (): void => this.#topics.checkSoon()
    this.#membership = parts.openMembership({
      assigned: (assignment) => this.#rebalanced(this.#coordinator.assigned(assignment)),
      revoked: (revoked, lost) => this.#rebalanced(this.#coordinator.revoked(revoked, lost)),
      failed: onFailed,
      topicsInDoubt,
    })
    resources.defer(() => this.#membership.leave({ isStaticToo: this.#leavesForGood }))
    const pool = parts.openThreads(this.#membership, {
      commit: (request) => this.#coordinator.commit(request),
      confirm: (request) => this.#coordinator.confirm(request),
      beginCommit: (thread, request) => this.#coordinator.beginCommit(thread, request),
      endCommit: (request) => this.#coordinator.endCommit(request),
      ended: (thread) => {
        this.#cassandra.forget(thread.index)
        this.#coordinator.threadEnded(thread)
      },
      schemas: parts.schemas.handlers,
      notice: (thread, notice) => this.#noticed(thread, notice),
    })
    resources.defer(() => this.#endThreads())
    this.#threads = new StreamThreads({
      config,
      pool,
      membership: this.#membership,
      coordinator: () => this.#coordinator,
      heartbeats: parts.heartbeats,
      isPaused: parts.isPaused,
      logger,
      onFailed: (error, threadIndex) => this.#failed(error, threadIndex),
    })
    this.#coordinator = new TaskCoordinator({
      config,
      tasks: plan.tasks,
      ...(patterns !== null && { patternsSettleMs: this.#topics.intervalMs }),
      threads: this.#threads.live,
      membership: this.#membership,
      logger,
      onFailed,
      topicsInDoubt,
      onChanged: () => this.#onSettledOrNot(),
    })
    this.#reports = new ThreadReports(() => this.#threads.live)
    const { applicationId } = config
    const { httpToken, applicationServer } = config
    this.#queries = new StateQueries({
      applicationId,
      httpToken,
      applicationServer,
      stores: parts.stores,
      coordinator: this.#coordinator,
      threads: () => this.#threads.live,
      peers:
        admin.describeGroup === undefined
          ? null
          : new Peers({ describe: () => admin.describeGroup!(applicationId, GROUP_TIMEOUT_MS) }),
      metrics: this.#queryMetrics,
    })
    this.#stopRequests = new StopRequests({
      applicationId,
      admin,
      membership: this.#membership,
      logger,
      onFailed,
    })
    this.#purge = new TopicPurge(
      new Set([...parts.repartitionTopics, ...parts.tierChangelogs.values()]),
      () => this.#notNeeded(),
      admin,
      logger,
    )
    this.#cleaner = new StateCleaner({
      folder: path.join(config.stateDir, config.applicationId),
      delayMs: config.stateCleanupDelayMs,
      openTasks: () => this.#coordinator.openTasks,
      isRebalancing: () => this.#coordinator.isRebalancing,
      logger,
    })
    resources.defer(() => this.#cleaner.stop())
    const { weir: weirVersion, ...nativeVersions } = parts.build.versions
    this.#metrics = new ProcessMetrics({
      weirVersion,
      versions: () => nativeVersions,
      applicationState: () => this.#state,
      memoryBytes: config.memoryBytes,
      memory: config.memory,
      standstills: () => this.#threads.standstills(),
      nativeObjects,
      stateMemoryUsage: () => (this.#isOpen ? memory.usage() : null),
      rocksDbCounts: () => (this.#isOpen ? memory.counts() : null),
    })
    resources.defer(() => this.#metrics.close())
    parts.globalThread?.ended.catch(onFailed)
  }

  get state(): ApplicationState {
    return this.#state
  }

  /** Joins the group. Called once, by `startApplication`; from then on the application closes what was opened. */
  join(): void {
    this.#membership.join(this.#parts.plan.inputTopics)
    this.#resources = this.#parts.resources.move()
    this.#threads.supervise()
    this.#topics.start()
    this.#stopRequests.start()
    this.#purge.start(this.#parts.config.repartitionPurgeIntervalMs)
    this.#cleaner.start()
    this.#change('rebalancing')
    this.#onSettledOrNot()
  }

  async #rebalanced(done: Promise<void>): Promise<void> {
    await done
    if (!this.#isOpen) return
    this.#topics.rebalanced()
    this.#stopRequests.lookSoon()
  }

  /** Goes on with other topics. */
  #follow({ topics, inputTopics, tasks }: ApplicationPlan): void {
    if (!this.#isOpen) return
    this.#threads.learnTopics(topics)
    this.#membership.changeTopics(inputTopics, (hasOthers) => this.#coordinator.replan(tasks, hasOthers))
  }

  /**
   * Starts one more stream thread, up to WEIR_STREAM_THREADS_MAX, and spreads the tasks over all; the group is not left for that (KIP-663).
   *
   * @returns the new thread's index, when it has its tasks
   * @throws WeirError config-invalid when there are as many as memory was divided for; closed
   */
  async addStreamThread(): Promise<number> {
    this.#requireOpen('addStreamThread')
    return await this.#threads.add()
  }

  /**
   * Removes the stream thread with the highest index: its tasks are committed and move to the others (KIP-663).
   *
   * @param options.timeoutMs how long to wait for it, WEIR_SHUTDOWN_TIMEOUT_MS by default; after that the thread still goes
   * @returns the thread's index, when it has ended
   * @throws WeirError config-invalid when it is the last one; shutdown-timeout; closed
   */
  async removeStreamThread(options: { readonly timeoutMs?: number } = {}): Promise<number> {
    this.#requireOpen('removeStreamThread')
    checkTimeout('removeStreamThread', options.timeoutMs)
    return await this.#threads.remove(options.timeoutMs ?? this.#parts.config.shutdownTimeoutMs)
  }

  /**
   * Processes and punctuates nothing until `resume`: records stay where they are. The process stays a member of its group, restores its state and
   * commits what was processed (KIP-834). It holds for this process alone, and ends with it.
   *
   * @returns when no thread processes any more
   */
  async pause(): Promise<void> {
    this.#requireOpen('pause')
    await this.#threads.pause(true)
    this.#logger.info({}, 'application paused')
  }

  /** Goes on after `pause`. @returns when every thread does */
  async resume(): Promise<void> {
    this.#requireOpen('resume')
    await this.#threads.pause(false)
    this.#logger.info({}, 'application resumed')
  }

  get isPaused(): boolean {
    return this.#threads.isPaused
  }

  /**
   * Stops: the threads commit and close their tasks at the same time, then the group is left. Can be called at any time, also repeatedly; the first
   * call's options hold.
   *
   * @returns `closed`; rejects with WeirError config-invalid for options that cannot be followed, and then nothing stops
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const { config } = this.#parts
    checkCloseOptions(options, config, this.#membership.canStaticLeave)
    if (this.#isOpen) this.#leavesForGood = options.leaveGroup === true && config.groupInstanceId !== null
    this.#stop(options.timeoutMs ?? config.shutdownTimeoutMs)
    await this.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What each thread does at this moment. A thread that does not answer soon is reported as it was last. */
  async status(): Promise<ApplicationStatus> {
    const threads = await this.#reports.status()
    const { assignedPartitions } = this.#coordinator
    return { state: this.#state, assignedPartitions, threads, restores: this.#restores.progresses }
  }

  /** Every metric of the process and of its threads, as Prometheus reads it. */
  async metrics(): Promise<string> {
    return await renderMetrics(await this.metricSnapshots())
  }

  /** What `metrics` tells, as data: one snapshot for each thread, and for the process. Their shape is prom-client's, and no part of Weir's. */
  async metricSnapshots(): Promise<readonly MetricSnapshot[]> {
    const ofThreads = await this.#reports.metrics()
    const ofGlobal = (await this.#parts.globalThread?.metrics()) ?? []
    const ofSchemas = await this.#parts.schemas.metrics()
    const ofQueries = await this.#queryMetrics.collect()
    return [await this.#metrics.collect(), ofQueries, ofSchemas, ...ofThreads, ofGlobal]
  }

  /**
   * Asks a store of the application, whichever process has the partitions: others are asked over HTTP (WEIR_APPLICATION_SERVER). See docs/queries.md. Kafka Streams'
   * KafkaStreams.query (KIP-796).
   *
   * @param store its name
   * @param query made by `queries`
   * @throws QueryError, never an answer that is not whole: its code says why, `isRetriable` whether the same may be answered in a moment
   */
  query<R>(store: string, query: StateQuery<R>, options: QueryOptions = {}): Promise<StateQueryResult<R>> {
    return this.#queries.query(store, query, options)
  }

  /** The stores that can be asked. */
  queryableStores(): readonly QueryableStore[] {
    return this.#queries.stores()
  }

  /** A query of another process of the application, as it came, and its answer. @throws QueryError */
  async answerForwardedQuery(text: string): Promise<string> {
    return encodeForwarded(await this.#queries.answerForwarded(decodeForwardedQuery(text)))
  }

  /** Whether the process is worth keeping, and what runs in it. */
  health(): ProbeResult & BuildInfo {
    const { build } = this.#parts
    if (this.#cause !== null)
      return { ok: false, reason: `${this.#cause.code}: ${this.#cause.message}`, ...build }
    return { ok: true, ...build }
  }

  /** What lies before these offsets nobody reads any more. */
  *#notNeeded(): Iterable<TopicPartitionOffset> {
    yield* this.#coordinator.positions()
    yield* tierWatermarks(this.#coordinator.positions(), this.#parts.tierChangelogs)
  }

  /** Whether every task of this process runs, and none waits for Cassandra. */
  ready(): ProbeResult {
    if (this.#state !== 'running') return { ok: false, reason: `the application is ${this.#state}` }
    const problem = this.#cassandra.problem()
    return problem === null ? { ok: true } : { ok: false, reason: problem }
  }

  get #isOpen(): boolean {
    return this.#state === 'created' || this.#state === 'rebalancing' || this.#state === 'running'
  }

  #requireOpen(what: string): void {
    if (!this.#isOpen) throw new WeirError('closed', `${what}: the application is ${this.#state}`)
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
    const { isSettled } = this.#coordinator
    this.#errors.running(isSettled, performance.now())
    const next = isSettled ? 'running' : 'rebalancing'
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
          .catch((error: unknown) => this.#failed(namedError(error, 'starting tasks over'), null))
        break
      case 'log':
        this.#logger[notice.level]({ thread: thread.index, ...notice.fields }, notice.message)
        break
      case 'cassandra':
        this.#cassandra.told(thread.index, notice.reason)
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

  /** @returns after how long another thread is to take the place of the one that failed, ms; null when none is */
  #failed(error: WeirError, threadIndex: number | null): number | null {
    const fields = { code: error.code, reason: error.message, thread: threadIndex ?? undefined }
    if (this.#cause !== null) {
      // What follows from the first error.
      this.#logger.debug(fields, 'a further error while stopping')
      return null
    }
    const answer = this.#isOpen
      ? this.#errors.answer(error, threadIndex, performance.now())
      : ({ response: 'stop-worker' } as const)
    if (answer.response === 'replace-thread') {
      const { delayMs } = answer
      this.#logger.error({ ...fields, delayMs }, 'a stream thread has failed and is replaced')
      return delayMs
    }
    this.#cause = error
    this.#asksAll = answer.response === 'stop-application'
    this.#logger.error(fields, 'the application stops because of an error')
    this.#stop(this.#parts.config.shutdownTimeoutMs)
    return null
  }

  #stop(timeoutMs: number): void {
    if (!this.#isOpen || this.#resources === null) return
    this.#change(this.#cause === null ? 'stopping' : 'failing')
    this.#threads.stop()
    this.#stopRequests.stop()
    void this.#topics.stop()
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
    const failure = await this.#threads.end()
    const { partitions, isCurrent } = this.#coordinator.holding()
    await this.#coordinator.fenceAll()
    await this.#threads.endWorkers()
    if (this.#asksAll) {
      const refused = (error: unknown): void =>
        this.#logger.error({ reason: messageOf(error) }, 'the other processes could not be asked to stop')
      await this.#stopRequests.ask(partitions, isCurrent).catch(refused)
    }
    if (failure !== null) throw failure
  }

  #finish(error: WeirError | null): void {
    if (this.#state !== 'stopping' && this.#state !== 'failing') {
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
