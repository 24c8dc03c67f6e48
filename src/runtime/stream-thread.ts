import { commitAtLeastOnce } from '../commit/commit.ts'
import type { Config } from '../config/config.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopicPartitionOffset } from '../native.ts'
import { ThreadMetrics } from '../observe/thread-metrics.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { CommitPace } from './commit-pace.ts'
import { GlobalStores } from './global/global-stores.ts'
import { HEARTBEAT_INTERVAL_MS, Heartbeat } from './heartbeat.ts'
import type {
  LogNotice,
  StreamThreadJob,
  TaskAssignment,
  TaskId,
  ThreadStatus,
  TopicInfo,
} from './protocol.ts'
import type { RestoreEvent } from './restore-events.ts'
import type { Task } from './task.ts'
import { TaskFactory } from './task-factory.ts'
import { TaskManager } from './task-manager.ts'
import { ThreadEvents } from './thread-events.ts'
import { ThreadResources } from './thread-resources.ts'

/** What a stream thread asks of the main thread. */
export interface StreamThreadHost {
  /** Commits source offsets for tasks that are still this thread's. */
  commitOffsets(tasks: readonly Task[], offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** Asks the group whether tasks are still this process's; rejects with code `fenced` when not. */
  confirm(tasks: readonly Task[]): Promise<void>
  taskState(task: Task): void
  restoreEvent(event: RestoreEvent): void
  log(level: LogNotice['level'], message: string, fields: LogNotice['fields']): void
}

/**
 * One stream thread: the loop of turns over the tasks handed to it, and their commits. Each turn polls, processes and sends for every running task,
 * then commits when it is time. What the main thread asks for (assign, suspend, release, stop) is done between turns, so that it never meets
 * a record half processed or a commit half done. Kafka Streams' StreamThread.
 */
export class StreamThread {
  readonly #threadIndex: number
  readonly #config: Config
  readonly #host: StreamThreadHost
  readonly #resources: ThreadResources
  readonly #events = new ThreadEvents()
  readonly #heartbeat: Heartbeat
  /** null: the topology has none. */
  readonly #globalStores: GlobalStores | null
  readonly #tasks: TaskManager
  readonly #pace: CommitPace
  /** By real name. */
  readonly #topics: Record<string, TopicInfo>
  #lastCommitMs = Date.now()
  readonly metrics: ThreadMetrics

  constructor(job: StreamThreadJob, topology: TopologyDefinition, host: StreamThreadHost) {
    const { config, threadIndex } = job
    this.#threadIndex = threadIndex
    this.#config = config
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
    })
    const { counters } = this.metrics
    // The tasks together have the thread's part of the overlays' budget.
    this.#pace = new CommitPace(config.memory.overlayBytes / config.numStreamThreads)
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
      warn: (message, fields) => host.log('warn', message, fields),
      restoreEvent: (event) => host.restoreEvent(event),
    })
    this.#tasks = new TaskManager({
      config,
      factory,
      events,
      counters,
      onTaskState: (task) => host.taskState(task),
    })
  }

  /** Ends when `stop` was asked for, or with the error that ended it: then everything before the failed record was committed where that was possible. */
  async run(): Promise<void> {
    try {
      while (!this.#events.isClosed) {
        await this.#confirmAfterPause()
        const busy = await this.#turn()
        await (busy ? nextTurn() : this.#sleep())
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
      if (!lost) await this.#commit()
      await this.#tasks.suspend(ids, lost)
    })
  }

  release(ids: readonly TaskId[]): Promise<void> {
    return this.#events.between(() => this.#tasks.release(ids))
  }

  stop(): Promise<void> {
    return this.#events.between(async () => {
      await this.#commit()
      this.#events.close()
    })
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
    const { output } = this.#resources
    let busy = false
    let commitEarly = false
    let uncommittedBytes = 0
    const now = Date.now()
    for (const task of this.#tasks.all()) {
      if (task.taskState !== 'running') continue
      if (task.readAhead()) busy = true
      if (this.#process(task)) busy = true
      task.punctuateWallClock(now)
      if (await this.#confirmAfterPause()) break
      if (!output.send()) await this.#heartbeat.whileAlive(output.sendAll())
      const taskBytes = task.state?.uncommittedBytes ?? 0
      uncommittedBytes += taskBytes
      commitEarly ||= task.commitRequested || taskBytes > this.#config.taskUncommittedBytesMax
    }
    this.#globalStores?.endTurn()
    commitEarly ||= uncommittedBytes > this.#pace.bytes
    if (commitEarly || Date.now() - this.#lastCommitMs >= this.#config.commitIntervalMs) await this.#commit()
    return busy
  }

  #process(task: Task): boolean {
    const started = performance.now()
    const processed = task.process(this.#config.batchRecordsMax)
    if (processed > 0) this.metrics.processed(processed, performance.now() - started)
    return processed > 0
  }

  async #commit(): Promise<void> {
    await this.#confirmAfterPause()
    const running = this.#tasks.running()
    const tasks = running.filter((task) => task.needsCommit)
    if (tasks.length > 0) {
      const started = performance.now()
      const bytes = tasks.reduce((sum, { state }) => sum + (state?.uncommittedBytes ?? 0), 0)
      await Promise.all(running.map((task) => task.prefetchSettled()))
      const committing = commitAtLeastOnce(tasks, {
        producer: this.#resources.producer,
        output: this.#resources.output,
        flushTimeoutMs: this.#config.maxPollIntervalMs,
        commitOffsets: (committed, offsets) => this.#host.commitOffsets(committed, offsets),
      })
      try {
        const changelogRecords = await this.#heartbeat.whileAlive(committing)
        const durationMs = performance.now() - started
        this.metrics.committed(changelogRecords, durationMs)
        this.#pace.committed(bytes, durationMs)
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'fenced') throw error
        this.#host.log('warn', 'tasks are given up: their partitions belong to another member', {
          tasks: tasks.map(({ id }) => id),
          reason: messageOf(error),
        })
        await Promise.all(tasks.map((task) => this.#tasks.giveUp(task)))
      }
    }
    this.#lastCommitMs = Date.now()
  }

  /** After a record that cannot be processed, what came before it is committed; after anything else nothing is. */
  async #commitWhatIsWhole(error: unknown): Promise<void> {
    if (!(error instanceof WeirError)) return
    if (error.code !== 'deserialization-failed' && error.code !== 'processing-failed') return
    try {
      await this.#commit()
    } catch (second) {
      this.#host.log('error', 'the commit before the failed record did not succeed', {
        reason: messageOf(second),
      })
    }
  }

  /**
   * After a pause: asks whether the tasks are still ours before anything is processed, sent or committed. A member that was taken for dead
   * would write over what its successor has written. @returns true when the tasks were given up
   */
  async #confirmAfterPause(): Promise<boolean> {
    this.#heartbeat.beat()
    if (!this.#heartbeat.takePause()) return false
    const running = this.#tasks.running()
    if (running.length === 0) return false
    try {
      await this.#heartbeat.whileAlive(this.#host.confirm(running))
      return false
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'fenced') throw error
      this.#host.log('warn', 'tasks were lost while the process stood still', {
        tasks: running.map(({ id }) => id),
      })
      this.#resources.output.discard()
      await Promise.all(running.map((task) => this.#tasks.drop(task)))
      return true
    }
  }

  /** @param damaged tasks whose databases are not to be opened again */
  async #close(damaged: readonly Task[]): Promise<void> {
    this.#events.close()
    this.#events.refuseRest()
    for (const error of await this.#tasks.close())
      this.#host.log('error', 'a task did not close cleanly', { reason: messageOf(error) })
    await this.#tasks.setAside(damaged)
    for (const { id } of damaged)
      this.#host.log('error', 'a damaged database is set aside: the next start restores it', { task: id })
    await this.#globalStores?.close()
    await this.#resources.close()
  }

  #sleep(): Promise<void> {
    let wakeAtMs = Math.min(
      Date.now() + HEARTBEAT_INTERVAL_MS,
      this.#lastCommitMs + this.#config.commitIntervalMs,
    )
    for (const task of this.#tasks.all()) wakeAtMs = Math.min(wakeAtMs, task.nextWallClockMs)
    return this.#events.sleepUntil(wakeAtMs)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
