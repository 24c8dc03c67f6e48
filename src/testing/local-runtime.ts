import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { commitAtLeastOnce } from '../commit/commit.ts'
import { configFrom } from '../config/load.ts'
import { BatchPool } from '../consume/record-batch.ts'
import { LocalProducer, type Restorer, StateMemory, type StateMemoryOptions } from '../native.ts'
import { ThreadCounters } from '../observe/thread-counters.ts'
import type { ErrorHandlers } from '../process/error-handlers.ts'
import type { RecordTracer } from '../process/record-tracer.ts'
import { OutputBatch } from '../produce/output-batch.ts'
import { deadLetterTopics, type ErrorSettings } from '../runtime/error-policy.ts'
import type { FailedRows } from '../runtime/failed-rows.ts'
import type { TaskAssignment, TopicInfo } from '../runtime/protocol.ts'
import type { Task } from '../runtime/task.ts'
import { TaskFactory, type TaskFactoryOptions } from '../runtime/task-factory.ts'
import { externalTopics } from '../runtime/topic-plan.ts'
import { CacheBudget } from '../state/cache-budget.ts'
import { OverlayWriter } from '../state/overlay-writer.ts'
import { readOnlyStore } from '../state/read-only-store.ts'
import type { Store } from '../state/store.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { globalSubtopology } from '../topology/global-stores.ts'
import { changelogTopic, realTopic } from '../topology/topic-names.ts'
import { internalTopicMatcher, wholeMatcher, withMatchedTopics } from '../topology/topic-patterns.ts'
import { LocalTables } from './local-tables.ts'
import { type LocalRecord, LocalTopics } from './local-topics.ts'
import { producedRecords } from './produced-records.ts'
import { Progress } from './progress.ts'

const MiB = 2 ** 20

/** Of all drivers of the process together. */
const STATE_MEMORY: StateMemoryOptions = {
  blockCacheBytes: 32 * MiB,
  writeBufferBytes: 16 * MiB,
  backgroundThreads: 2,
  readThreads: 2,
  maxOpenFiles: 64,
}

/** Records and bytes of what one record puts out, after which a commit hands over in between. */
const OUTPUT_RECORDS_MAX = 8192
const OUTPUT_BYTES_MAX = 4 * MiB

/** There is nothing to restore from: the topics begin with the driver. */
const NO_RESTORER: Restorer = {
  restore: () => ({ done: Promise.resolve(), progress: () => [], stop: () => {} }),
  close: () => {},
}

export interface LocalRuntimeOptions {
  readonly applicationId: string
  /** Where the state folder is made. */
  readonly stateDir: string | null
  readonly statestoreCacheMaxBytes: number
  readonly systemTimeMs: () => number
  /** Moves the clock of `systemTimeMs`. */
  readonly advanceTo: (systemTimeMs: number) => void
  /** What records do that cannot be read, processed or written. */
  readonly errors: ErrorSettings
  readonly taskTimeoutMs: number
  /** By the machine's clock. */
  readonly asyncTimeoutMs: number
  readonly tracer: RecordTracer | null
}

/**
 * A topology at work in this process, without a broker: the runtime's own task, stores and commit over topics of its own. The whole topology is one task,
 * `0_0`, as it is in Kafka Streams' TopologyTestDriver: its sub-topologies share stream time. Commits after each record.
 */
export class LocalRuntime {
  readonly topics: LocalTopics
  /** In the place of Cassandra. */
  readonly tables: LocalTables
  readonly counters = new ThreadCounters()
  /** By their real names. */
  readonly sourceTopics: ReadonlySet<string>
  /** Every topic that matches one of them is read, too. */
  readonly patterns: readonly RegExp[]
  readonly task: Task
  /** Fills the global stores; null where there are none. */
  readonly global: Task | null
  readonly #advanceTo: (systemTimeMs: number) => void
  /** Reads a topic from now on that a pattern matches. */
  readonly #discover: (topic: string) => void
  readonly #globalTopics: LocalTopics
  readonly #topicNames: readonly string[]
  readonly #producer: LocalProducer
  readonly #output: OutputBatch
  readonly #failedRows: FailedRows
  readonly #resources: AsyncDisposableStack
  readonly #asyncTimeoutMs: number
  readonly #progress: Progress
  /** A fetch of keys that failed. */
  #fetchError: unknown = null

  private constructor(
    task: Task,
    global: Task | null,
    globalTopics: LocalTopics,
    parts: Pick<LocalRuntime, 'topics' | 'tables' | 'counters' | 'sourceTopics' | 'patterns'> & {
      discover(topic: string): void
      advanceTo(systemTimeMs: number): void
      readonly failedRows: FailedRows
      readonly asyncTimeoutMs: number
      readonly progress: Progress
    },
    topicNames: readonly string[],
    producer: LocalProducer,
    output: OutputBatch,
    resources: AsyncDisposableStack,
  ) {
    this.task = task
    this.global = global
    this.#globalTopics = globalTopics
    this.topics = parts.topics
    this.tables = parts.tables
    this.#failedRows = parts.failedRows
    this.counters = parts.counters
    this.sourceTopics = parts.sourceTopics
    this.patterns = parts.patterns
    this.#discover = parts.discover
    this.#advanceTo = parts.advanceTo
    this.#asyncTimeoutMs = parts.asyncTimeoutMs
    this.#progress = parts.progress
    this.#topicNames = topicNames
    this.#producer = producer
    this.#output = output
    this.#resources = resources
  }

  /** Opens the stores and starts the processors. @throws WeirError processing-failed when one of them throws */
  static async open(topology: TopologyDefinition, options: LocalRuntimeOptions): Promise<LocalRuntime> {
    const { applicationId, statestoreCacheMaxBytes, systemTimeMs, errors, taskTimeoutMs, tracer } = options
    const { asyncTimeoutMs } = options
    const progress = new Progress()
    await using opening = new AsyncDisposableStack()
    const parent = options.stateDir ?? tmpdir()
    if (options.stateDir !== null) await mkdir(parent, { recursive: true })
    const stateDir = await mkdtemp(path.join(parent, 'weir-test-driver-'))
    opening.defer(() => rm(stateDir, { recursive: true, force: true }))
    const memory = StateMemory.acquire(STATE_MEMORY)
    opening.defer(() => memory.close())
    const producer = new LocalProducer()
    opening.defer(() => producer.close())

    const whole = asOneTask(topology)
    const [{ stores, sourceTopics }] = whole.subtopologies
    const real = (name: string): string => realTopic(topology, applicationId, name)
    const sources = sourceTopics.map(real)
    const global = globalSubtopology(topology)
    const names = new Set([
      ...sources,
      ...global.sourceTopics,
      ...externalTopics(topology).sinks,
      ...deadLetterTopics(errors, topology.errorHandlers),
      ...topology.repartitionTopics.map(({ name }) => real(name)),
      ...stores.filter(({ logging }) => logging).map(({ name }) => changelogTopic(applicationId, name)),
    ])
    const topicInfo: TopicInfo = { partitions: 1, id: '' }
    const isInternal = internalTopicMatcher(topology, applicationId)
    const patterns = patternsOf(whole)
    const topics = new LocalTopics(
      sources,
      patterns.map(wholeMatcher).map((matches) => (topic) => matches(topic) && !isInternal(topic)),
    )
    const globalTopics = new LocalTopics(global.sourceTopics)
    const counters = new ThreadCounters()
    const output = new OutputBatch(producer, OUTPUT_RECORDS_MAX, OUTPUT_BYTES_MAX)
    const config = configFrom({
      applicationId,
      bootstrapServers: 'none:1',
      stateDir,
      stateProfile: 'small',
      maxTaskIdleMs: -1,
      ...errors,
      taskTimeoutMs,
      asyncTimeoutMs,
    })
    const tables = new LocalTables(systemTimeMs)
    let runtime: LocalRuntime | null = null
    const shared: Omit<TaskFactoryOptions, 'topology' | 'consumer'> = {
      config,
      topics: Object.fromEntries([...names].map((name) => [name, topicInfo])),
      producer,
      output,
      pool: new BatchPool({ capacity: 1, arenaBytes: 4096, readAheadMax: names.size }),
      memory,
      restorer: NO_RESTORER,
      budget: new CacheBudget(statestoreCacheMaxBytes),
      overlayWriter: new OverlayWriter(),
      counters,
      onPrefetched: (error) => {
        if (runtime !== null) runtime.#fetchError ??= error
      },
      onProgress: () => progress.made(),
      // As in Kafka Streams' driver: windows are told as soon as they have closed.
      emitIntervalMs: 0,
      warn: () => {},
      restoreEvent: () => {},
      systemTimeMs,
      tracer,
      openRows: () => tables,
    }
    let globalTask: Task | null = null
    if (global.stores.length > 0) {
      const { errorHandlers = {} } = topology
      const only = { subtopologies: [global], repartitionTopics: [], errorHandlers }
      const options = { ...shared, topology: only, consumer: globalTopics, isGlobal: true }
      const opened = await new TaskFactory(options).open(assigned('global', global.id, global.sourceTopics))
      opening.defer(() => opened.close())
      opened.start()
      globalTask = opened
    }
    const globalStores = new Map(
      [...(globalTask?.state?.stores ?? [])].map(
        ([name, store]) => [name, readOnlyStore(store, 'it is a global store')] as const,
      ),
    )
    const factory = new TaskFactory({ ...shared, topology: whole, consumer: topics, globalStores })
    const task = await factory.open(assigned('0_0', 0, sources))
    const discover = (topic: string): void => {
      if (!topics.isNew(topic)) return
      // Refuses one that several patterns match.
      withMatchedTopics(topology, applicationId, [topic])
      topics.discover(topic)
      task.addInput(factory.input({ topic, partition: 0, offset: 0 }))
    }
    opening.defer(() => task.close())
    const topicNames: string[] = []
    for (const name of names) topicNames[producer.topic(name, 1)] = name
    const read = new Set([...sources, ...global.sourceTopics])
    const { advanceTo } = options
    const failedRows = factory.failedRows()
    const parts = {
      topics,
      tables,
      failedRows,
      counters,
      discover,
      advanceTo,
      asyncTimeoutMs,
      progress,
      sourceTopics: read,
      patterns,
    }
    task.start()
    const resources = opening.move()
    runtime = new LocalRuntime(task, globalTask, globalTopics, parts, topicNames, producer, output, resources)
    return runtime
  }

  /** Every topic that the topology reads or writes, its stores' changelogs included. */
  get topicNames(): readonly string[] {
    return this.#topicNames
  }

  /** A record for the topology. REQUIRES that it reads the topic. */
  pipe(topic: string, record: LocalRecord): void {
    this.#discover(topic)
    const topics = this.topics.reads(topic) ? this.topics : this.#globalTopics
    topics.pipe(topic, record)
  }

  /** A store of a task's, or a global one; undefined when there is none. */
  store(name: string): Store | undefined {
    return this.task.state?.stores.get(name) ?? this.global?.state?.stores.get(name)
  }

  get stores(): Map<string, Store> {
    return new Map([...(this.task.state?.stores ?? []), ...(this.global?.state?.stores ?? [])])
  }

  /**
   * Processes what is in the topics until nothing is left. Kafka Streams' TopologyTestDriver.completeAllProcessableWork.
   *
   * @throws WeirError processing-failed or deserialization-failed
   */
  async run(): Promise<void> {
    await this.#output.sendAll()
    this.#deliver()
    for (let task = this.#next(); task !== null; task = this.#next()) {
      task.readAhead()
      await task.prefetchSettled()
      if (this.#fetchError !== null) throw this.#fetchError
      await this.#processOne(task)
      await this.#commit()
    }
  }

  /** One record to its end, with the attempts and the promises that it takes. */
  async #processOne(task: Task): Promise<void> {
    task.process(1)
    for (;;) {
      // Nobody waits here: a record that is tried again is so at once, when its time has come by the driver's clock.
      if (task.retryMs !== Number.POSITIVE_INFINITY) this.#advanceTo(task.retryMs)
      else if (task.recordsInFlight === 0) return
      // A promise has its time by the machine's clock, and then by the driver's.
      else if (!(await this.#progress.within(this.#asyncTimeoutMs))) this.#advanceTo(task.promiseDeadlineMs)
      task.process(1)
    }
  }

  /** The wall clock has moved on: runs what is due, and what comes of it. */
  async punctuate(nowMs: number): Promise<void> {
    this.task.punctuateWallClock(nowMs)
    await this.#commit()
    await this.run()
  }

  /** Lets the next record be polled, those of global stores first. @returns whose it is; null when there is none */
  #next(): Task | null {
    if (this.global !== null && this.#globalTopics.release()) return this.global
    return this.topics.release() ? this.task : null
  }

  /** Closes the processors and the stores, and removes the state folder. */
  async close(): Promise<void> {
    await this.#resources.disposeAsync()
  }

  async #commit(): Promise<void> {
    const tasks = [this.task, this.global].filter((task) => task?.needsCommit === true) as Task[]
    if (tasks.length > 0) {
      this.counters.changelogRecords += await commitAtLeastOnce(tasks, {
        producer: this.#producer,
        output: this.#output,
        flushTimeoutMs: 0,
        commitOffsets: () => Promise.resolve(),
        settleRows: (refused) => this.#failedRows.settle(refused),
      })
      this.counters.commits++
    }
    this.#deliver()
  }

  /** What was produced goes to its topics, and from there to whoever reads them. */
  #deliver(): void {
    for (const { topic, record } of producedRecords(this.#producer.take())) {
      const name = this.#topicNames[topic]!
      this.#discover(name)
      this.topics.write(name, record)
      if (this.#globalTopics.reads(name)) this.#globalTopics.pipe(name, record)
    }
  }
}

/** Of sources that have one. */
function patternsOf({ subtopologies }: TopologyDefinition): RegExp[] {
  const nodes = subtopologies.flatMap((subtopology) => subtopology.nodes)
  return nodes.flatMap((node) => (node.kind === 'source' && node.pattern !== undefined ? [node.pattern] : []))
}

function assigned(id: string, subtopology: number, topics: readonly string[]): TaskAssignment {
  const inputs = topics.map((topic) => ({ topic, partition: 0, offset: 0 }))
  return { id, subtopology, partition: 0, epoch: 0, inputs }
}

/** A topology with one sub-topology, of everything that the given one has. */
function asOneTask({ subtopologies, repartitionTopics, errorHandlers }: TopologyDefinition): {
  readonly subtopologies: readonly [TopologyDefinition['subtopologies'][number]]
  readonly repartitionTopics: TopologyDefinition['repartitionTopics']
  readonly errorHandlers?: ErrorHandlers
} {
  const whole = {
    id: 0,
    nodes: subtopologies.flatMap(({ nodes }) => nodes),
    stores: subtopologies.flatMap(({ stores }) => stores),
    sourceTopics: subtopologies.flatMap(({ sourceTopics }) => sourceTopics),
    copartitionGroups: subtopologies.flatMap(({ copartitionGroups }) => copartitionGroups),
  }
  return { subtopologies: [whole], repartitionTopics, ...(errorHandlers !== undefined && { errorHandlers }) }
}
