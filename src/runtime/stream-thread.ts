import { setTimeout as sleep } from 'node:timers/promises'

import type { Config } from '../config/config.ts'
import { messageOf } from '../errors/weir-error.ts'
import { EventLoopDelay } from '../observe/event-loop-delay.ts'
import { ThreadMetrics } from '../observe/thread-metrics.ts'
import type { RecordTracer } from '../process/record-tracer.ts'
import type { WireAnswer } from '../query/wire-query.ts'
import { cassandraTables } from '../topology/cassandra-sinks.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { CommitSchedule } from './commit-schedule.ts'
import { GlobalStores } from './global/global-stores.ts'
import { AtLeastOnce } from './guarantee/at-least-once.ts'
import { ExactlyOnce } from './guarantee/exactly-once.ts'
import type { Guarantee } from './guarantee/guarantee.ts'
import { HEARTBEAT_INTERVAL_MS, Heartbeat } from './heartbeat.ts'
import { waitForInFlight } from './in-flight-wait.ts'
import { ProcessSlice } from './process-slice.ts'
import type {
  StreamThreadJob,
  TaskAssignment,
  TaskId,
  ThreadQuery,
  ThreadStatus,
  TopicInfo,
} from './protocol.ts'
import { ThreadQueries } from './queries/thread-queries.ts'
import { SlowRecords } from './slow-records.ts'
import type { StreamThreadHost } from './stream-thread-host.ts'
import type { Task } from './task.ts'
import { TaskFactory } from './task-factory.ts'
import { RecordFailure } from './task-failure.ts'
import { TaskManager } from './task-manager.ts'
import { ThreadEvents } from './thread-events.ts'
import { ThreadResources } from './thread-resources.ts'
import { rowsTimeoutMs, ThreadRows } from './thread-rows.ts'
import { slowTicks } from './ticker.ts'

/** How long tasks that are about to go wait for Cassandra, ms: what it does not have by then whoever gets them writes again. */
const TIERS_SETTLE_MS = 2_000

/**
 * One stream thread: the loop of turns over the tasks handed to it, and their commits. Each turn polls, processes and sends for every running task,
 * then commits when it is time. What the main thread asks for (assign, suspend, release, stop) is done between turns, so that it never meets
 * a record half processed or a commit half done. Kafka Streams' StreamThread.
 */
export class StreamThread {
  readonly #threadIndex: number
  readonly #host: StreamThreadHost
  readonly #resources: ThreadResources
  readonly #events = new ThreadEvents()
  readonly #heartbeat: Heartbeat
  /** null: the topology has none. */
  readonly #globalStores: GlobalStores | null
  /** null: the topology does not write to Cassandra. */
  readonly #rows: ThreadRows | null
  readonly #tasks: TaskManager
  readonly #queries: ThreadQueries
  readonly #guarantee: Guarantee
  readonly #schedule: CommitSchedule
  readonly #slice: ProcessSlice
  /** How long tasks that are about to go wait for what is in flight. */
  readonly #inFlightWaitMs: number
  readonly #stopping = new AbortController()
  /** By real name. */
  readonly #topics: Record<string, TopicInfo>
  /** The application is paused; not to be confused with a pause of the process, which Heartbeat finds. */
  #processes = true
  readonly metrics: ThreadMetrics
  readonly #eventLoop: EventLoopDelay

  /** @param tracer of this thread's records; null: none */
  constructor(
    job: StreamThreadJob,
    topology: TopologyDefinition,
    host: StreamThreadHost,
    tracer: RecordTracer | null,
  ) {
    const { config, threadIndex } = job
    this.#threadIndex = threadIndex
    this.#host = host
    this.#topics = { ...job.topics }
    this.#heartbeat = new Heartbeat(job.heartbeats, threadIndex)
    const events = this.#events
    const resources = new ThreadResources(job)
    this.#resources = resources
    resources.consumer.onReady(() => events.wakeUp())
    this.metrics = new ThreadMetrics(threadIndex, {
      tasks: () => this.#tasks.metered(),
      cache: () => resources.cacheFigures(),
      overlayBytes: () => this.#tasks.overlayBytes,
      producerQueue: () => resources.producerQueue(),
      cassandra: () => this.#rows?.figures() ?? null,
    })
    this.#eventLoop = new EventLoopDelay(this.metrics.eventLoopSeconds())
    const rows =
      cassandraTables(topology).length === 0
        ? null
        : new ThreadRows({
            config,
            metrics: this.metrics,
            onChanged: () => events.wakeUp(),
            onFailed: (error) => events.fail(error),
            onAway: (reason) => host.cassandraAway(reason),
          })
    this.#rows = rows
    const { counters } = this.metrics
    this.#slice = new ProcessSlice(config.batchRecordsMax, config.commitIntervalMs)
    const { consumer, producer, output, pool, memory, restorer, budget, overlayWriter } = resources
    this.#globalStores =
      job.globalStores === null ? null : new GlobalStores(topology, job.globalStores, budget, overlayWriter)
    const factory = new TaskFactory({
      ...(this.#globalStores !== null && { globalStores: this.#globalStores.stores }),
      config,
      topology,
      topics: this.#topics,
      consumer,
      producer,
      output,
      pool,
      memory,
      restorer,
      budget,
      overlayWriter,
      counters,
      onPrefetched: (error) => (error === null ? events.wakeUp() : events.fail(error)),
      onProgress: () => events.wakeUp(),
      warn: (message, fields) => host.log('warn', message, fields),
      restoreEvent: (event) => host.restoreEvent(event),
      tracer,
      slowRecords: new SlowRecords({
        ...slowTicks(job.ticks, config.slowRecordMs),
        counters,
        warn: (message, fields) => host.log('warn', message, fields),
      }),
      ...(rows !== null && { openRows: () => rows.open(), openTiers: () => rows.openTiers() }),
    })
    this.#tasks = new TaskManager({
      config,
      factory,
      events,
      counters,
      onTaskState: (task) => host.taskState(task),
      ...(rows !== null && { beforeStart: (task) => this.#claim(task) }),
    })
    this.#queries = new ThreadQueries({
      topology,
      task: (id) => this.#tasks.get(id),
      globalStores: this.#globalStores?.stores ?? new Map(),
      wakeUp: () => events.wakeUp(),
    })
    const { processingGuarantee } = config
    const guarantee = {
      config,
      host,
      resources,
      tasks: this.#tasks,
      heartbeat: this.#heartbeat,
      failedOutputs: factory.failedOutputs(),
      rows: rows === null ? null : { failed: factory.failedRows(), timeoutMs: rowsTimeoutMs(config) },
    }
    const isExactlyOnce = processingGuarantee === 'exactly_once_v2'
    this.#schedule = new CommitSchedule({
      intervalMs: config.commitIntervalMs,
      latenessMs: commitLatenessMs(config, isExactlyOnce),
      taskBytesMax: config.taskUncommittedBytesMax,
      // The thread's part of the overlays' budget.
      bytesMax: config.memory.overlayBytes / config.streamThreadsMax,
      together: isExactlyOnce,
      nowMs: Date.now(),
    })
    this.#guarantee = isExactlyOnce ? new ExactlyOnce(guarantee) : new AtLeastOnce(guarantee)
    const { asyncTimeoutMs, shutdownTimeoutMs, maxPollIntervalMs } = config
    this.#inFlightWaitMs = Math.min(asyncTimeoutMs, shutdownTimeoutMs / 2, maxPollIntervalMs / 2)
  }

  /** Ends when `stop` was asked for, or with the error that ended it: then everything before the failed record was committed where that was possible. */
  async run(): Promise<void> {
    try {
      await this.#guarantee.start(this.#stopping.signal)
      while (!this.#events.isClosed) {
        await this.#afterPause()
        const busy = await this.#turn()
        await (busy ? nextTurn() : this.#waitsBy('input', this.#sleep()))
      }
    } catch (error) {
      await this.#commitWhatIsWhole(error)
      await this.#close(this.#tasks.damagedBy(error))
      throw error
    }
    await this.#close([])
  }

  assign(assignments: readonly TaskAssignment[]): Promise<void> {
    return this.#events.between(async () => this.#tasks.assign(assignments))
  }

  /** Tasks that are opened from now on may read and write these topics. */
  learnTopics(topics: Readonly<Record<string, TopicInfo>>): void {
    Object.assign(this.#topics, topics)
  }

  suspend(ids: readonly TaskId[], lost: boolean): Promise<void> {
    return this.#events.between(async () => {
      if (lost) {
        await this.#guarantee.beforeLoss()
      } else {
        await this.#waitForInFlight(this.#tasks.running().filter(({ id }) => ids.includes(id)))
        await this.#commitLast()
      }
      await this.#tasks.suspend(ids, lost)
    })
  }

  release(ids: readonly TaskId[]): Promise<void> {
    return this.#events.between(() => this.#tasks.release(ids))
  }

  /** @param isPaused records and punctuators wait from now on, or no longer */
  pause(isPaused: boolean): Promise<void> {
    return this.#events.between(async () => {
      this.#processes = !isPaused
    })
  }

  stop(): Promise<void> {
    this.#stopping.abort()
    return this.#events.between(async () => {
      await this.#waitForInFlight(this.#tasks.running())
      await this.#commitLast()
      this.#events.close()
    })
  }

  /** Asks a store, before the next turn processes anything. @throws QueryError */
  query(query: ThreadQuery): Promise<WireAnswer> {
    return this.#queries.ask(query)
  }

  status(): ThreadStatus {
    return {
      threadIndex: this.#threadIndex,
      recordsProcessed: this.metrics.counters.recordsProcessed,
      recordsProduced: this.#resources.output.records,
      tasks: this.#tasks.status(),
    }
  }

  /** @returns true when there is more to do at once */
  async #turn(): Promise<boolean> {
    await this.#events.deliver()
    if (this.#events.isClosed) return false
    this.#queries.answer()
    let busy = this.#queries.isWaiting
    const now = Date.now()
    for (const task of this.#processes ? this.#tasks.all() : []) {
      if (task.taskState !== 'running') continue
      if (this.#readAhead(task)) busy = true
      if (this.#process(task)) busy = true
      // What punctuators put out has to go somewhere, too.
      if (task.rows?.isFull !== true) task.punctuateWallClock(now)
      if ((await this.#afterPause()) || !(await this.#send())) break
      // Not only at the end of the turn: with many slow tasks that could be long after a transaction's time-out.
      if (this.#guarantee.commitsEachTask) await this.#commit(this.#committable())
      else if (this.#schedule.isLate(Date.now())) await this.#commitDue()
    }
    this.#globalStores?.endTurn()
    await this.#commitDue()
    return busy || this.#schedule.isBehind
  }

  #readAhead(task: Task): boolean {
    const started = performance.now()
    if (!task.readAhead()) return false
    this.metrics.polled(performance.now() - started)
    return true
  }

  #process(task: Task): boolean {
    const started = performance.now()
    const processed = task.process(this.#slice.records)
    if (processed === 0) return false
    const durationMs = performance.now() - started
    this.metrics.processed(task.id, processed, durationMs)
    this.#slice.processed(processed, durationMs)
    return true
  }

  /** Before tasks go. A paused thread completes nothing. */
  async #waitForInFlight(tasks: readonly Task[]): Promise<void> {
    if (!this.#processes) return
    await waitForInFlight(tasks, {
      events: this.#events,
      limitMs: this.#inFlightWaitMs,
      complete: (task) => this.#complete(task),
      isAlive: async () => !(await this.#afterPause()),
      handOver: async () => {
        if (await this.#send()) await this.#commitDue()
      },
    })
  }

  #complete(task: Task): number {
    const started = performance.now()
    const completed = task.completeRecords(this.#slice.records)
    if (completed > 0) this.metrics.processed(task.id, completed, performance.now() - started)
    return completed
  }

  /** Hands the outputs to the producer. @returns false when that has failed, and tasks may be gone */
  async #send(): Promise<boolean> {
    const { output } = this.#resources
    try {
      if (!output.send()) await this.#waitsBy('producer', this.#heartbeat.whileAlive(output.sendAll()))
      return true
    } catch (error) {
      await this.#guarantee.sendFailed(error)
      return false
    }
  }

  async #waitsBy(by: 'input' | 'producer', waiting: Promise<void>): Promise<void> {
    const started = performance.now()
    await waiting
    this.metrics.blocked(by, performance.now() - started)
  }

  /** Tasks that a commit does not have to do without. */
  #committable(): readonly Task[] {
    return this.#tasks.running().filter((task) => task.rows?.isHeldUp !== true)
  }

  /** For a while at least: what Cassandra has of tiered stores is said by a commit of its own, or else whoever gets the tasks has to write it again. */
  async #commitLast(): Promise<void> {
    await this.#commit(this.#committable())
    const tiered = this.#tasks.running().filter(({ hasTiers }) => hasTiers)
    if (tiered.length === 0) return
    const settled = Promise.all(tiered.map(({ state }) => state?.tiersSettled()))
    await this.#heartbeat.whileAlive(
      Promise.race([settled, sleep(TIERS_SETTLE_MS, undefined, { ref: false })]),
    )
    await this.#commit(this.#committable())
  }

  async #commitDue(): Promise<void> {
    const due = this.#schedule.due(this.#committable(), Date.now())
    if (due.length > 0) await this.#commit(due)
  }

  async #commit(chosen: readonly Task[]): Promise<void> {
    await this.#afterPause()
    const tasks = chosen.filter(({ taskState, needsCommit }) => taskState === 'running' && needsCommit)
    if (tasks.length === 0) return
    const started = performance.now()
    const bytes = tasks.reduce((sum, { uncommittedBytes }) => sum + uncommittedBytes, 0)
    await Promise.all(tasks.map((task) => task.prefetchSettled()))
    try {
      const changelogRecords = await this.#heartbeat.whileAlive(this.#guarantee.commit(tasks))
      const durationMs = performance.now() - started
      this.metrics.committed(changelogRecords, durationMs)
      this.#schedule.committed(bytes, durationMs, Date.now())
      this.#queries.committed()
    } catch (error) {
      await this.#guarantee.commitFailed(error, tasks)
    }
  }

  async #claim(task: Task): Promise<void> {
    if (task.writesToCassandra) await this.#heartbeat.whileAlive(this.#guarantee.claim(task))
  }

  /** After a record that cannot be processed, what came before it is committed; after anything else nothing is. */
  async #commitWhatIsWhole(error: unknown): Promise<void> {
    if (!(error instanceof RecordFailure) || !this.#guarantee.commitsBeforeFailure) return
    try {
      await this.#commit(this.#committable())
    } catch (second) {
      this.#host.log('error', 'the commit before the failed record did not succeed', {
        reason: messageOf(second),
      })
    }
  }

  /** After a pause of the process others may have its tasks. @returns true when they were given up */
  async #afterPause(): Promise<boolean> {
    this.#heartbeat.beat()
    return this.#heartbeat.takePause() && (await this.#guarantee.afterPause())
  }

  /** @param damaged tasks whose databases are not to be opened again */
  async #close(damaged: readonly Task[]): Promise<void> {
    this.#events.close()
    this.#eventLoop.close()
    this.#events.refuseRest()
    this.#queries.close()
    for (const error of await this.#tasks.close())
      this.#host.log('error', 'a task did not close cleanly', { reason: messageOf(error) })
    await this.#tasks.setAside(damaged)
    for (const { id } of damaged)
      this.#host.log('error', 'a damaged database is set aside: the next start restores it', { task: id })
    await this.#rows?.close()
    await this.#globalStores?.close()
    try {
      await this.#guarantee.close()
    } catch (error) {
      this.#host.log('warn', 'a transaction is left to its time-out', { reason: messageOf(error) })
    }
    await this.#resources.close()
  }

  #sleep(): Promise<void> {
    let wakeAtMs = Math.min(Date.now() + HEARTBEAT_INTERVAL_MS, this.#schedule.nextMs)
    // Of a paused thread nothing falls due.
    if (this.#processes)
      for (const task of this.#tasks.all())
        if (task.rows?.isFull !== true) wakeAtMs = Math.min(wakeAtMs, task.nextWallClockMs)
    return this.#events.sleepUntil(wakeAtMs)
  }
}

/** As much again as the interval, or until half of what a transaction may take is over where that is sooner. */
function commitLatenessMs(
  { commitIntervalMs, transactionTimeoutMs }: Config,
  isExactlyOnce: boolean,
): number {
  if (!isExactlyOnce) return commitIntervalMs
  return Math.max(0, Math.min(commitIntervalMs, transactionTimeoutMs / 2 - commitIntervalMs))
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
