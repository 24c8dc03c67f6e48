import { rm } from 'node:fs/promises'

import { commitAtLeastOnce } from '../commit/commit.ts'
import { producerConfig, restoreConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { BatchPool } from '../consume/record-batch.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { Consumer, Producer, Restorer, StateMemory, type TopicPartitionOffset } from '../native.ts'
import { type MeteredTask, ThreadMetrics, type ThreadMetricsSource } from '../observe/thread-metrics.ts'
import { OutputBatch } from '../produce/output-batch.ts'
import { CacheBudget } from '../state/cache-budget.ts'
import { OverlayWriter } from '../state/overlay-writer.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import type { StreamThreadJob, TaskAssignment, TaskId, ThreadStatus } from './protocol.ts'
import { stateMemoryOptions } from './state-memory-options.ts'
import type { Task } from './task.ts'
import { TaskFactory, taskFolder } from './task-factory.ts'

/** The longest sleep of an idle thread: its heartbeat goes on. */
const IDLE_MS_MAX = 500
/** Between two signs of life. After a longer pause (of the machine, the container, the process) another member may have the tasks. */
const PAUSE_MS = 2_000
/** Batches a thread may hold for reading ahead, over all its partitions. */
const READ_AHEAD_BATCHES = 32
/** Records and bytes of output after which a task hands over to the producer. */
const OUTPUT_RECORDS_MAX = 8192
const OUTPUT_BYTES_MAX = 4 << 20

/** What a stream thread asks of the main thread. */
export interface StreamThreadHost {
  /** Commits source offsets for tasks that are still this thread's. */
  commitOffsets(tasks: readonly Task[], offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** Asks the group whether tasks are still this process's; rejects with code `fenced` when not. */
  confirm(tasks: readonly Task[]): Promise<void>
  taskState(task: Task): void
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void
}

/**
 * One stream thread: an event loop, a producer, and the tasks handed to it. Each turn polls, processes and sends for every running task, then
 * commits when it is time. What the main thread asks for (assign, suspend, release, stop) is done between turns, so that it never meets
 * a record half processed or a commit half done. Kafka Streams' StreamThread.
 */
export class StreamThread {
  readonly #job: StreamThreadJob
  readonly #config: Config
  readonly #host: StreamThreadHost
  readonly #heartbeats: Int32Array
  readonly #consumer: Consumer
  readonly #producer: Producer
  readonly #memory: StateMemory
  readonly #restorer: Restorer
  readonly #output: OutputBatch
  readonly #budget: CacheBudget
  readonly #factory: TaskFactory
  readonly #tasks = new Map<TaskId, Task>()
  /** Done between turns, in order. */
  readonly #actions: { readonly run: () => Promise<void>; readonly refuse: (error: WeirError) => void }[] = []
  /** Tasks whose databases are being opened: they are in `#tasks` afterwards. */
  readonly #opening = new Map<TaskId, Promise<Task>>()
  /** Tasks on their way from assignment to start. */
  readonly #starting = new Set<Promise<void>>()
  #wake: (() => void) | null = null
  /** Something happened since the turn began: the thread does not sleep after it. */
  #woken = false
  #stopping = false
  /** The first error met outside the loop (a restore, a fetch of keys): thrown by the loop. */
  #failure: unknown = null
  #lastCommitMs = Date.now()
  #lastBeatMs = Date.now()
  /** The process stood still: nothing leaves it until the group has confirmed its tasks. */
  #paused = false
  readonly metrics: ThreadMetrics

  constructor(job: StreamThreadJob, topology: TopologyDefinition, host: StreamThreadHost) {
    const { config } = job
    this.#job = job
    this.#config = config
    this.#host = host
    this.#heartbeats = new Int32Array(job.heartbeats)
    this.#memory = StateMemory.acquire(stateMemoryOptions(config))
    this.#restorer = Restorer.acquire(restoreConfig(config), config.restoreThreads)
    this.#producer = new Producer(producerConfig(config, job.threadIndex))
    this.#consumer = Consumer.attach(job.consumerId)
    this.#consumer.onReady(() => this.#wakeUp())
    this.#output = new OutputBatch(this.#producer, OUTPUT_RECORDS_MAX, OUTPUT_BYTES_MAX)
    this.#budget = new CacheBudget(config.memory.stateCacheBytes / config.numStreamThreads)
    this.metrics = new ThreadMetrics(job.threadIndex, {
      tasks: () => [...this.#tasks.values()].map(meteredTask),
      cache: () => cacheFigures(this.#budget),
      overlayBytes: () => this.#sum((task) => task.state?.overlayBytes ?? 0),
      producerQueue: () => {
        const { queuedRecords, queuedBytes } = this.#producer.stats()
        return { records: queuedRecords, bytes: queuedBytes }
      },
    })
    this.#factory = new TaskFactory({
      config,
      topology,
      topics: job.topics,
      consumer: this.#consumer,
      producer: this.#producer,
      output: this.#output,
      pool: new BatchPool({
        capacity: config.batchRecordsMax,
        arenaBytes: config.batchBytesMax,
        readAheadMax: READ_AHEAD_BATCHES,
      }),
      memory: this.#memory,
      restorer: this.#restorer,
      budget: this.#budget,
      overlayWriter: new OverlayWriter(),
      counters: this.metrics.counters,
      onPrefetched: (error) => (error === null ? this.#wakeUp() : this.#fail(error)),
      warn: (message, fields) => host.log('warn', message, fields),
    })
  }

  /** Ends when `stop` was asked for, or with the error that ended it: then everything before the failed record was committed where that was possible. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping) {
        await this.#confirmAfterPause()
        const busy = await this.#turn()
        await (busy ? nextTurn() : this.#sleep())
      }
    } catch (error) {
      await this.#commitWhatIsWhole(error)
      throw error
    } finally {
      await this.#close()
    }
  }

  assign(assignments: readonly TaskAssignment[]): Promise<void> {
    return this.#between(async () => {
      for (const assignment of assignments) {
        const present = this.#tasks.get(assignment.id)
        if (present !== undefined) {
          present.reassign(assignment)
          present.resume()
          this.#host.taskState(present)
        } else {
          const starting = this.#start(assignment).catch((error: unknown) => this.#fail(error))
          this.#starting.add(starting)
          void starting.finally(() => this.#starting.delete(starting))
        }
      }
    })
  }

  suspend(ids: readonly TaskId[], lost: boolean): Promise<void> {
    return this.#between(async () => {
      if (!lost) await this.#commit()
      for (const task of await this.#named(ids)) {
        const hasStarted = task.taskState === 'running' || task.taskState === 'suspended'
        if (lost || !hasStarted) await this.#drop(task)
        else await task.suspend()
        this.#host.taskState(task)
      }
    })
  }

  release(ids: readonly TaskId[]): Promise<void> {
    return this.#between(async () => {
      const tasks = await this.#named(ids)
      await Promise.all(tasks.map((task) => this.#closeTask(task)))
    })
  }

  stop(): Promise<void> {
    return this.#between(async () => {
      await this.#commit()
      this.#stopping = true
    })
  }

  status(): ThreadStatus {
    return {
      threadIndex: this.#job.threadIndex,
      recordsProcessed: this.metrics.counters.recordsProcessed,
      recordsProduced: this.#output.records,
      tasks: [...this.#tasks.values()].map((task) => ({
        id: task.id,
        state: task.taskState,
        recordsProcessed: task.recordsProcessed,
        restoreRemaining: task.state?.restoreRemaining ?? 0,
        lag: task.taskState === 'running' ? task.lag : 0,
        stateBytes: task.taskState === 'running' ? (task.state?.bytes ?? 0) : 0,
      })),
    }
  }

  /** @returns true when there is more to do at once */
  async #turn(): Promise<boolean> {
    if (this.#failure !== null) throw this.#failure
    this.#woken = false
    for (let action = this.#actions.shift(); action !== undefined; action = this.#actions.shift())
      await action.run()
    if (this.#stopping) return false
    let busy = false
    let commitEarly = false
    let uncommittedBytes = 0
    const now = Date.now()
    for (const task of this.#tasks.values()) {
      if (task.taskState !== 'running') continue
      if (task.readAhead()) busy = true
      if (this.#process(task)) busy = true
      task.punctuateWallClock(now)
      if (await this.#confirmAfterPause()) break
      if (!this.#output.send()) await this.#whileAlive(this.#output.sendAll())
      const taskBytes = task.state?.uncommittedBytes ?? 0
      uncommittedBytes += taskBytes
      commitEarly ||= task.commitRequested || taskBytes > this.#config.taskUncommittedBytesMax
    }
    // The tasks together have the thread's part of the overlays' budget.
    commitEarly ||= uncommittedBytes > this.#config.memory.overlayBytes / this.#config.numStreamThreads
    if (commitEarly || Date.now() - this.#lastCommitMs >= this.#config.commitIntervalMs) await this.#commit()
    return busy
  }

  #process(task: Task): boolean {
    const started = performance.now()
    const processed = task.process(this.#config.batchRecordsMax)
    if (processed > 0) this.metrics.processed(processed, performance.now() - started)
    return processed > 0
  }

  async #open(assignment: TaskAssignment): Promise<Task> {
    const task = await this.#factory.open(assignment)
    this.#tasks.set(assignment.id, task)
    this.metrics.counters.tasksCreated++
    return task
  }

  async #start(assignment: TaskAssignment): Promise<void> {
    const { id } = assignment
    const opening = this.#open(assignment).finally(() => this.#opening.delete(id))
    this.#opening.set(id, opening)
    const task = await opening
    if (this.#stopping) return
    if (task.state !== null) {
      task.taskState = 'restoring'
      this.#host.taskState(task)
      try {
        await task.state.restore()
      } catch (error) {
        // Stopped because the task goes: whoever stopped it closes it.
        if (this.#tasks.get(task.id) !== task) return
        throw error
      }
    }
    await this.#between(async () => {
      if (this.#tasks.get(task.id) !== task) return
      task.start()
      this.#host.taskState(task)
    })
  }

  async #commit(): Promise<void> {
    await this.#confirmAfterPause()
    const running = [...this.#tasks.values()].filter((task) => task.taskState === 'running')
    const tasks = running.filter((task) => task.needsCommit)
    if (tasks.length > 0) {
      const started = performance.now()
      await Promise.all(running.map((task) => task.prefetchSettled()))
      const committing = commitAtLeastOnce(tasks, {
        producer: this.#producer,
        output: this.#output,
        flushTimeoutMs: this.#config.maxPollIntervalMs,
        commitOffsets: (committed, offsets) => this.#host.commitOffsets(committed, offsets),
      })
      try {
        const changelogRecords = await this.#whileAlive(committing)
        this.metrics.committed(changelogRecords, performance.now() - started)
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'fenced') throw error
        this.#host.log('warn', 'tasks are given up: their partitions belong to another member', {
          tasks: tasks.map(({ id }) => id),
          reason: messageOf(error),
        })
        await Promise.all(tasks.map((task) => this.#giveUp(task)))
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
    this.#beat()
    if (!this.#paused) return false
    this.#paused = false
    const running = [...this.#tasks.values()].filter((task) => task.taskState === 'running')
    if (running.length === 0) return false
    try {
      await this.#whileAlive(this.#host.confirm(running))
      return false
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'fenced') throw error
      this.#host.log('warn', 'tasks were lost while the process stood still', {
        tasks: running.map(({ id }) => id),
      })
      this.#output.discard()
      await Promise.all(running.map((task) => this.#drop(task)))
      return true
    }
  }

  /**
   * Closes a task whose offsets were refused after its state was written. Its successor may have written to the changelog before that: what
   * is on disk is not what the changelog says up to its offset, and goes.
   */
  async #giveUp(task: Task): Promise<void> {
    await this.#closeTask(task, async () => {
      if (task.state !== null) await rm(taskFolder(this.#config, task.id), { recursive: true, force: true })
    })
  }

  /** Closes a task and forgets what it had not committed. */
  async #drop(task: Task): Promise<void> {
    task.state?.stopRestore()
    await task.prefetchSettled()
    task.state?.discard()
    await this.#closeTask(task)
  }

  /** @param thereafter runs before the main thread hears of it, and could hand the task to another thread */
  async #closeTask(task: Task, thereafter?: () => Promise<void>): Promise<void> {
    this.#tasks.delete(task.id)
    await task.close()
    await thereafter?.()
    this.metrics.counters.tasksClosed++
    this.#host.taskState(task)
  }

  async #close(): Promise<void> {
    this.#stopping = true
    for (const task of this.#tasks.values()) task.state?.stopRestore()
    for (const { refuse } of this.#actions.splice(0)) refuse(threadEnds())
    await Promise.allSettled(this.#starting)
    const closed = await Promise.allSettled([...this.#tasks.values()].map((task) => this.#drop(task)))
    for (const result of closed) {
      if (result.status === 'rejected')
        this.#host.log('error', 'a task did not close cleanly', { reason: messageOf(result.reason) })
    }
    this.#consumer.detach()
    await this.#producer.close()
    this.#restorer.close()
    this.#memory.close()
  }

  /** Waiting for brokers is not standing still: it has limits of its own, and may outlast the one of a stuck thread. */
  async #whileAlive<T>(waiting: Promise<T>): Promise<T> {
    const beat = setInterval(() => this.#beat(), IDLE_MS_MAX)
    try {
      return await waiting
    } finally {
      clearInterval(beat)
    }
  }

  #beat(): void {
    const now = Date.now()
    if (now - this.#lastBeatMs > PAUSE_MS) this.#paused = true
    this.#lastBeatMs = now
    Atomics.add(this.#heartbeats, this.#job.threadIndex, 1)
  }

  /** These tasks, also those whose databases are just being opened. */
  async #named(ids: readonly TaskId[]): Promise<Task[]> {
    await Promise.allSettled(ids.map((id) => this.#opening.get(id)))
    return ids.flatMap((id) => this.#tasks.get(id) ?? [])
  }

  #sum(of: (task: Task) => number): number {
    let sum = 0
    for (const task of this.#tasks.values()) sum += of(task)
    return sum
  }

  /** Runs `action` between two turns. */
  #between(action: () => Promise<void>): Promise<void> {
    if (this.#stopping) return Promise.reject(threadEnds())
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        try {
          resolve(await action())
        } catch (error) {
          reject(error)
          throw error
        }
      }
      this.#actions.push({ run, refuse: reject })
      this.#wakeUp()
    })
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#woken = true
    this.#wake?.()
  }

  #sleep(): Promise<void> {
    if (this.#woken) return Promise.resolve()
    let wakeAt = Date.now() + IDLE_MS_MAX
    for (const task of this.#tasks.values()) wakeAt = Math.min(wakeAt, task.nextWallClockMs)
    wakeAt = Math.min(wakeAt, this.#lastCommitMs + this.#config.commitIntervalMs)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wakeUp(), Math.max(1, wakeAt - Date.now()))
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
    })
  }
}

function meteredTask(task: Task): MeteredTask {
  return {
    state: task.taskState,
    restoreRemaining: task.state?.restoreRemaining ?? 0,
    lags: task.taskState === 'running' ? task.lags() : [],
  }
}

function cacheFigures(budget: CacheBudget): ReturnType<ThreadMetricsSource['cache']> {
  let [entries, hits, misses] = [0, 0, 0]
  for (const cache of budget.caches) {
    entries += cache.entries
    hits += cache.hits
    misses += cache.misses
  }
  return { bytes: budget.usedBytes, limitBytes: budget.limitBytes, entries, hits, misses }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function threadEnds(): WeirError {
  return new WeirError('closed', 'the stream thread ends')
}
