import { commitAtLeastOnce } from '../../commit/commit.ts'
import { globalConsumerConfig } from '../../config/clients.ts'
import { BatchPool } from '../../consume/record-batch.ts'
import { decisionFor } from '../../errors/decision.ts'
import { namedError } from '../../errors/named-error.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import {
  Consumer,
  type ConsumerEvent,
  LocalProducer,
  type Restorer,
  StateMemory,
  type TopicPartition,
} from '../../native.ts'
import { EventLoopDelay } from '../../observe/event-loop-delay.ts'
import { type MeteredTask, ThreadMetrics } from '../../observe/thread-metrics.ts'
import { OutputBatch } from '../../produce/output-batch.ts'
import { CacheBudget } from '../../state/cache-budget.ts'
import { OverlayWriter } from '../../state/overlay-writer.ts'
import type { KeyValueStore } from '../../state/store.ts'
import type { SubtopologyDefinition, TopologyDefinition } from '../../topology/definition.ts'
import { closeResources } from '../close-resources.ts'
import { LogLimiter } from '../logger.ts'
import type { LogNotice } from '../protocol.ts'
import { retryWhileUnreachable, whenTopicKnown } from '../retry.ts'
import { stateMemoryOptions } from '../state-memory-options.ts'
import type { Task } from '../task.ts'
import type { TaskFactoryOptions } from '../task-factory.ts'
import { partitionKey } from '../task-inputs.ts'
import { ThreadEvents } from '../thread-events.ts'
import { GLOBAL_TASK, globalDefinition, OFFSETS } from './definition.ts'
import { type GlobalInput, offsetKey, openGlobalTask, type ReadOffset } from './open-task.ts'
import type { GlobalThreadJob } from './protocol.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** How soon the end of a topic is noticed, which nothing tells of. */
const FILLING_POLL_MS = 20
/** How often it is written down that rows without changes are as the topic has them. */
const OFFSET_REFRESH_MS = 10 * 60 * 1000
const CACHE_BYTES_MAX = 16 << 20

/** The stores have no changelogs: their topics are. */
const NO_RESTORER: Restorer = {
  restore: () => ({ done: Promise.resolve(), progress: () => [], stop: () => {} }),
  close: () => {},
}

/** What the global thread tells the main thread. */
export interface GlobalThreadHost {
  /** The stores have what their topics had when the thread began. */
  ready(databaseId: number, records: number): void
  log(level: LogNotice['level'], message: string, fields: LogNotice['fields']): void
}

/**
 * Fills the process's global stores: one task that reads all partitions of their topics, outside the group, and runs each record through the store's
 * processor. It is the only one that writes; stream threads read what it has committed (GlobalStores). Until it is ready it commits from time to time, afterwards
 * after each turn that had records, so that readers are a turn behind. Kafka Streams' GlobalStreamThread.
 *
 * Rows and offsets are in one database, written together. There is no write-ahead log: what RocksDB has not flushed is read again.
 */
export class GlobalStreamThread {
  readonly metrics: ThreadMetrics
  readonly #job: GlobalThreadJob
  readonly #host: GlobalThreadHost
  readonly #definition: SubtopologyDefinition
  readonly #errorHandlers: TopologyDefinition['errorHandlers']
  readonly #version: Int32Array
  readonly #events = new ThreadEvents()
  readonly #stopping = new AbortController()
  readonly #limiter = new LogLimiter()
  readonly #resources = new AsyncDisposableStack()
  readonly #producer = new LocalProducer()
  readonly #output: OutputBatch
  readonly #budget: CacheBudget
  #task: Task | null = null
  #isReady = false
  #lastCommitMs = Date.now()
  #refreshedMs = Date.now()
  /** Positions as they were written last. */
  readonly #written = new Map<string, number>()

  constructor(job: GlobalThreadJob, topology: TopologyDefinition, host: GlobalThreadHost) {
    this.#job = job
    this.#host = host
    this.#definition = globalDefinition(topology)
    this.#errorHandlers = topology.errorHandlers
    this.#version = new Int32Array(job.version)
    this.#resources.defer(() => this.#producer.close())
    this.#output = new OutputBatch(this.#producer, 1, 1)
    const { stateCacheBytes } = job.config.memory
    this.#budget = new CacheBudget(Math.min(CACHE_BYTES_MAX, stateCacheBytes / job.config.streamThreadsMax))
    this.metrics = new ThreadMetrics(GLOBAL_TASK, {
      tasks: () => this.#metered(),
      cache: () => ({
        bytes: this.#budget.usedBytes,
        limitBytes: this.#budget.limitBytes,
        entries: [...this.#budget.caches].reduce((sum, { entries }) => sum + entries, 0),
        hits: [...this.#budget.caches].reduce((sum, { hits }) => sum + hits, 0),
        misses: [...this.#budget.caches].reduce((sum, { misses }) => sum + misses, 0),
      }),
      overlayBytes: () => this.#task?.state?.overlayBytes ?? 0,
      producerQueue: () => ({ records: 0, bytes: 0 }),
    })
    const eventLoop = new EventLoopDelay(this.metrics.eventLoopSeconds())
    this.#resources.defer(async () => eventLoop.close())
  }

  /** Ends when `stop` was asked for, or with the error that ended it. */
  async run(): Promise<void> {
    let failure: unknown = null
    try {
      await this.#work()
    } catch (error) {
      if (!this.#stopping.signal.aborted) failure = error
      else if (decisionFor(error).next !== 'retry')
        this.#host.log('warn', 'what the global stores read last will be read again', {
          reason: messageOf(error),
        })
    }
    this.#events.close()
    this.#events.refuseRest()
    const closing = await closeResources(this.#resources)
    if (failure !== null) throw namedError(failure, 'filling the global stores')
    if (closing !== null) throw closing
  }

  /** Asks the thread to end. */
  stop(): void {
    this.#stopping.abort()
    this.#events.wakeUp()
  }

  async #work(): Promise<void> {
    const inputs = await this.#open()
    const ends = new Map(inputs.map((input) => [partitionKey(input), input.end]))
    const endOf = (input: TopicPartition): number => ends.get(partitionKey(input))!
    const task = this.#task!
    while (!this.#stopping.signal.aborted) {
      await this.#events.deliver()
      const arrived = task.readAhead()
      const processed = this.#process(task)
      const filled = !this.#isReady && task.hasReached(endOf)
      if (filled || this.#isDue(processed)) await this.#commit(task)
      if (filled) {
        this.#isReady = true
        this.#host.ready(task.state!.database.share(), task.recordsProcessed)
      }
      if (arrived || processed > 0) await nextTurn()
      else await this.#events.sleepUntil(this.#wakeAtMs())
    }
    await this.#commit(task)
  }

  #process(task: Task): number {
    const started = performance.now()
    const processed = task.process(this.#job.config.batchRecordsMax)
    if (processed > 0) this.metrics.processed(GLOBAL_TASK, processed, performance.now() - started)
    return processed
  }

  #isDue(processed: number): boolean {
    const now = Date.now()
    if (this.#isReady) return processed > 0 || now - this.#refreshedMs >= OFFSET_REFRESH_MS
    const { commitIntervalMs, taskUncommittedBytesMax } = this.#job.config
    return (
      processed > 0 &&
      (now - this.#lastCommitMs >= commitIntervalMs ||
        this.#task!.state!.uncommittedBytes > taskUncommittedBytesMax)
    )
  }

  #wakeAtMs(): number {
    const pollMs = this.#isReady ? this.#refreshedMs + OFFSET_REFRESH_MS : Date.now() + FILLING_POLL_MS
    return Math.min(pollMs, this.#task!.nextWallClockMs)
  }

  /** Writes rows and offsets together. Readers do not trust what they remember meanwhile. */
  async #commit(task: Task): Promise<void> {
    const started = performance.now()
    await task.prefetchSettled()
    this.#putOffsets(task)
    Atomics.add(this.#version, 0, 1)
    try {
      await commitAtLeastOnce([task], {
        producer: this.#producer,
        output: this.#output,
        flushTimeoutMs: 0,
        commitOffsets: () => Promise.resolve(),
      })
    } finally {
      Atomics.add(this.#version, 0, 1)
    }
    this.#lastCommitMs = Date.now()
    this.metrics.committed(0, performance.now() - started)
  }

  #putOffsets(task: Task): void {
    const writtenAtMs = Date.now()
    const isRefresh = writtenAtMs - this.#refreshedMs >= OFFSET_REFRESH_MS
    if (isRefresh) this.#refreshedMs = writtenAtMs
    const rows = task.state!.stores.get(OFFSETS.name) as unknown as KeyValueStore<string, ReadOffset>
    for (const input of task.offsets()) {
      const key = offsetKey(this.#definition, input)
      if (!isRefresh && this.#written.get(key) === input.offset) continue
      rows.put(key, { offset: input.offset, writtenAtMs, topicId: this.#job.topics[input.topic]!.id })
      this.#written.set(key, input.offset)
    }
  }

  async #open(): Promise<readonly GlobalInput[]> {
    const { config, topics } = this.#job
    const resources = this.#resources
    const memory = StateMemory.acquire(stateMemoryOptions(config))
    resources.defer(async () => memory.close())
    const partitions = this.#definition.sourceTopics.reduce(
      (sum, topic) => sum + topics[topic]!.partitions,
      0,
    )
    const consumer = new Consumer(globalConsumerConfig(config, partitions), (event) => this.#told(event))
    resources.defer(() => consumer.close())
    const reader = Consumer.attach(consumer.id)
    resources.defer(async () => reader.detach())
    reader.onReady(() => this.#events.wakeUp())
    const factory: TaskFactoryOptions = {
      // A table's order is that of each key: no input waits for another.
      config: { ...config, maxTaskIdleMs: -1 },
      topology: {
        subtopologies: [this.#definition],
        repartitionTopics: [],
        errorHandlers: this.#errorHandlers ?? {},
      },
      topics,
      consumer: reader,
      producer: this.#producer,
      output: this.#output,
      pool: new BatchPool({
        capacity: config.batchRecordsMax,
        arenaBytes: config.batchBytesMax,
        readAheadMax: partitions,
      }),
      memory,
      restorer: NO_RESTORER,
      budget: this.#budget,
      overlayWriter: new OverlayWriter(),
      counters: this.metrics.counters,
      onPrefetched: (error) => (error === null ? this.#events.wakeUp() : this.#events.fail(error)),
      warn: (message, fields) => this.#host.log('warn', message, fields),
      restoreEvent: () => {},
      isGlobal: true,
    }
    const { task, inputs } = await openGlobalTask({
      definition: this.#definition,
      factory,
      watermarks: ({ topic, partition }) =>
        retryWhileUnreachable(
          () =>
            whenTopicKnown(
              () => consumer.queryWatermarks(topic, partition, REQUEST_TIMEOUT_MS),
              this.#stopping.signal,
            ),
          {
            signal: this.#stopping.signal,
            onRetry: (error) =>
              this.#warn('watermarks', error, 'the ends of global topics cannot be had yet'),
          },
        ),
    })
    resources.defer(() => task.close())
    this.#task = task
    consumer.assign(inputs.map(({ topic, partition, offset }) => ({ topic, partition, offset })))
    task.start()
    return inputs
  }

  #told(event: ConsumerEvent): void {
    if (event.type === 'stray') {
      const what = `record ${event.offset} of ${event.topic} partition ${event.partition}`
      this.#events.fail(new WeirError('stray-record', `${what} arrived outside its partition's queue`))
    } else if (event.type === 'error') {
      const { error } = event
      if (error.fatal) this.#events.fail(error)
      else this.#warn(decisionFor(error).code, error, 'the consumer of global topics reports an error')
    }
  }

  #warn(key: string, error: unknown, message: string): void {
    this.#limiter.once(key, (heldBack) =>
      this.#host.log('warn', message, { reason: messageOf(error), heldBack }),
    )
  }

  *#metered(): Iterable<MeteredTask> {
    const task = this.#task
    if (task === null || task.taskState !== 'running') return
    const restoreRemaining = this.#isReady ? 0 : task.lag
    yield {
      id: GLOBAL_TASK,
      state: GLOBAL_TASK,
      restoreRemaining,
      recordsInFlight: 0,
      recordsBuffered: task.recordsBuffered,
      lags: task.lags(),
      database: task.state!.metered(),
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
