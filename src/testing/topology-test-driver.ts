import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { openTelemetryTracer } from '../observe/open-telemetry.ts'
import type { ErrorSettings } from '../runtime/error-policy.ts'
import { LocalSchemaRegistry } from '../schema-registry/local-schema-registry.ts'
import { bindSerde, type SerdePlace } from '../serde/binding.ts'
import type { Serde } from '../serde/serde.ts'
import type {
  KeyValueStore,
  SessionStore,
  Store,
  TieredKeyValueStore,
  TieredPrefixStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
  WindowStore,
} from '../state/store.ts'
import { bindTopology } from '../topology/bind-serdes.ts'
import { sinkTables } from '../topology/cassandra-sinks.ts'
import type { StoreDefinition, StoreType, TopologyDefinition } from '../topology/definition.ts'
import { checkName, checkOptions, kindOf } from '../topology/options.ts'
import { isTopologyModule, type TopologyModule } from '../topology/topology-module.ts'
import { LocalRuntime } from './local-runtime.ts'
import { LocalSchemas } from './local-schemas.ts'
import type { TestRow } from './local-tables.ts'
import type { LocalRecord } from './local-topics.ts'
import { storeOfType, ValueStore } from './store-access.ts'
import { checkTime, TestInputTopic, type TestInputTopicOptions } from './test-input-topic.ts'
import { TestOutputTopic, type TestOutputTopicOptions } from './test-output-topic.ts'

export interface TestDriverOptions {
  /** Prefix of internal topics. Default: `test-driver`. */
  readonly applicationId?: string
  /** Where the driver's wall clock begins, ms since 1970. Default: now. */
  readonly initialWallClockTimeMs?: number
  /** What WEIR_TOPOLOGY_OPTIMIZATION would say. Default: none. */
  readonly optimization?: string
  /** A folder in which the driver makes one of its own, which `close` removes. Default: the system's temporary folder. */
  readonly stateDir?: string
  /** What stores keep decoded, and what caching stores keep back at the most within one record. Default: 10 MiB. */
  readonly statestoreCacheMaxBytes?: number
  /** What WEIR_DESERIALIZATION_EXCEPTION_HANDLER and the others would say. Default: fail. */
  readonly deserializationExceptionHandler?: 'fail' | 'continue'
  readonly processingExceptionHandler?: 'fail' | 'continue'
  readonly productionExceptionHandler?: 'fail' | 'continue'
  /** What WEIR_TASK_TIMEOUT_MS would say: a record that is tried again moves the wall clock to when that is due. Default: 300,000. */
  readonly taskTimeoutMs?: number
  /** What WEIR_ASYNC_TIMEOUT_MS would say; by the machine's clock, since nothing else moves while a promise is waited for. Default: 10,000. */
  readonly asyncTimeoutMs?: number
  /** What WEIR_TRACING would say. Default: none. */
  readonly tracing?: 'none' | 'records'
  /** What WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME would say; an output topic, too. Default: none. */
  readonly errorsDeadLetterQueueTopicName?: string
  /** What serdes with schemas ask; schemas that are written are registered by themselves. Default: an empty one. */
  readonly schemaRegistry?: LocalSchemaRegistry
}

const OPTIONS = [
  'applicationId',
  'asyncTimeoutMs',
  'deserializationExceptionHandler',
  'errorsDeadLetterQueueTopicName',
  'initialWallClockTimeMs',
  'optimization',
  'processingExceptionHandler',
  'productionExceptionHandler',
  'schemaRegistry',
  'stateDir',
  'statestoreCacheMaxBytes',
  'taskTimeoutMs',
  'tracing',
]
const CACHE_BYTES = 10 * 2 ** 20
const TASK_TIMEOUT_MS = 300_000
const ASYNC_TIMEOUT_MS = 10_000

/**
 * Runs a topology in this process, record by record, without a broker: the same processors, stores (on disk, where they are) and serdes as in
 * production, with topics and a wall clock of its own. Kafka Streams' TopologyTestDriver (KIP-247, KIP-470), whose order of processing it has.
 *
 * Everything has one partition, and the whole topology is one task. After each record it commits: caching stores forward what they hold, changelogs get
 * their records. What is written to a topic that the topology reads (a repartition topic, say) is processed before `pipeInput` resolves.
 *
 * When the topology throws, the driver has failed, as a stream thread would: it takes no more, and what is there can be read.
 *
 * @example
 * await using driver = await TopologyTestDriver.open(topology)
 * const words = driver.createInputTopic('words', { key: serdes.string, value: serdes.string })
 * const counts = driver.createOutputTopic('counts', { key: serdes.string, value: serdes.int64 })
 * await words.pipeInput(null, 'to be or not to be')
 * assert.deepEqual(counts.readKeyValue(), { key: 'to', value: 1 })
 */
export class TopologyTestDriver implements AsyncDisposable {
  readonly #runtime: LocalRuntime
  readonly #stores: ReadonlyMap<string, StoreDefinition>
  readonly #tables: ReadonlyMap<string, CassandraTable>
  readonly #clock: { nowMs: number }
  readonly #schemas: LocalSchemas
  /** Calls wait for those before them. */
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0
  /** What the topology threw first. */
  #failure: unknown = null
  #closing: Promise<void> | null = null

  private constructor(
    runtime: LocalRuntime,
    topology: TopologyDefinition,
    clock: { nowMs: number },
    schemas: LocalSchemas,
  ) {
    this.#runtime = runtime
    this.#schemas = schemas
    this.#clock = clock
    const definitions = [
      ...topology.subtopologies.flatMap(({ stores }) => stores),
      ...(topology.globalStores ?? []).map(({ store }) => store),
    ]
    this.#stores = new Map(definitions.map((definition) => [definition.name, definition]))
    this.#tables = new Map(sinkTables(topology).map((table) => [table.name, table]))
  }

  /**
   * Opens the topology's stores and starts its processors.
   *
   * @param topology what `defineTopology` returns, or a `Topology`
   * @throws TopologyError for a topology that contradicts itself or an unknown option; WeirError processing-failed when a processor's `init` throws
   */
  static async open(topology: TopologyModule, options: TestDriverOptions = {}): Promise<TopologyTestDriver> {
    const where = 'TopologyTestDriver'
    if (!isTopologyModule(topology)) {
      throw new TypeError(
        `${where}: a topology is expected (what defineTopology returns, or a Topology), not ${kindOf(topology)}`,
      )
    }
    checkOptions(where, options, OPTIONS)
    const {
      applicationId = 'test-driver',
      initialWallClockTimeMs = Date.now(),
      optimization,
      stateDir = null,
      statestoreCacheMaxBytes = CACHE_BYTES,
      taskTimeoutMs = TASK_TIMEOUT_MS,
      asyncTimeoutMs = ASYNC_TIMEOUT_MS,
      tracing = 'none',
      schemaRegistry = new LocalSchemaRegistry(),
    } = options
    checkName(where, 'applicationId', applicationId)
    checkTime(where, 'initialWallClockTimeMs', initialWallClockTimeMs)
    checkTime(where, 'taskTimeoutMs', taskTimeoutMs)
    checkTime(where, 'asyncTimeoutMs', asyncTimeoutMs)
    if (asyncTimeoutMs === 0) throw new RangeError(`${where}: asyncTimeoutMs is 0; allowed is 1 ms and more`)
    if (tracing !== 'none' && tracing !== 'records')
      throw new RangeError(`${where}: tracing is ${String(tracing)}; allowed: none, records`)
    if (!Number.isSafeInteger(statestoreCacheMaxBytes) || statestoreCacheMaxBytes < 0) {
      throw new RangeError(
        `${where}: statestoreCacheMaxBytes is ${String(statestoreCacheMaxBytes)}; allowed is a whole number from 0`,
      )
    }
    const schemas = new LocalSchemas(schemaRegistry)
    const definition = bindTopology(topology.build(optimization), applicationId, schemas)
    const clock = { nowMs: initialWallClockTimeMs }
    const runtime = await LocalRuntime.open(definition, {
      applicationId,
      stateDir,
      statestoreCacheMaxBytes,
      systemTimeMs: () => clock.nowMs,
      advanceTo: (systemTimeMs) => {
        clock.nowMs = Math.max(clock.nowMs, systemTimeMs)
      },
      errors: errorSettings(where, options),
      tracer: tracing === 'none' ? null : await openTelemetryTracer(applicationId),
      taskTimeoutMs,
      asyncTimeoutMs,
    })
    return new TopologyTestDriver(runtime, definition, clock, schemas)
  }

  /**
   * A topic that the topology reads, by its name or by a pattern. A repartition topic is one too, by its full name.
   *
   * @throws RangeError for another topic
   */
  createInputTopic<K, V>(topic: string, options: TestInputTopicOptions<K, V>): TestInputTopic<K, V> {
    this.#checkOpen()
    const { sourceTopics, patterns, topics } = this.#runtime
    if (!sourceTopics.has(topic) && !topics.reads(topic))
      throw unknown('input topic', topic, 'the topology reads', [...sourceTopics, ...patterns.map(String)])
    return new TestInputTopic(topic, options, {
      bind: (serde, part) => this.#bound(serde, topic, part, 'sink'),
      wallClockTimeMs: this.#clock.nowMs,
      pipe: (to, record) => this.#pipe(to, record),
    })
  }

  /**
   * A topic that the topology writes: one of its own, a repartition topic or a changelog (of which the keys and values are those of the stores' rows).
   *
   * @throws RangeError for another topic
   */
  createOutputTopic<K, V>(topic: string, options: TestOutputTopicOptions<K, V>): TestOutputTopic<K, V> {
    this.#checkNotClosed()
    const { topicNames, topics } = this.#runtime
    if (!topicNames.includes(topic))
      throw unknown('output topic', topic, 'the topology has the topics', topicNames)
    const driver = this
    return new TestOutputTopic(topic, options, {
      bind: (serde, part) => this.#bound(serde, topic, part, 'source'),
      get isBusy() {
        return driver.#waiting > 0
      },
      written: (from) => {
        this.#checkNotClosed()
        return topics.written(from)
      },
    })
  }

  /** The topics that the topology has written to so far, internal ones included, in order of their first record. */
  producedTopicNames(): Set<string> {
    this.#checkNotClosed()
    return new Set(this.#runtime.topics.writtenTopics)
  }

  /**
   * Moves the wall clock, runs the wall-clock punctuators that are due (each once, however often it would have been due), and processes what comes of
   * it. Stream time moves with the records alone.
   */
  async advanceWallClockTime(ms: number): Promise<void> {
    checkTime('TopologyTestDriver', 'advanceWallClockTime', ms)
    await this.#next(() => {
      this.#clock.nowMs += ms
      return this.#runtime.punctuate(this.#clock.nowMs)
    })
  }

  /**
   * The rows of a table that the topology writes to in Cassandra, in order of their keys: each an object of all its columns, null where there is no value. Values are as they are
   * bound: integers of 64 bits are bigints, timestamps are Dates, sets and maps are Sets and Maps. With a TTL they are gone when the wall clock has moved on.
   *
   * @param table made by `cassandra.table`, or its name
   * @throws RangeError for another table
   */
  cassandraRows(table: string | CassandraTable<never, never>): TestRow[] {
    this.#checkNotClosed()
    const name = typeof table === 'string' ? table : table.name
    const known = this.#tables.get(name)
    if (known === undefined)
      throw unknown('table in Cassandra', name, 'the topology writes to', this.#tables.keys())
    return this.#runtime.tables.rows(known)
  }

  /** The driver's wall clock, ms since 1970. */
  get wallClockTimeMs(): number {
    return this.#clock.nowMs
  }

  /** Records that operators have dropped so far: a null key where one is needed, too late, a negative timestamp. */
  get recordsDropped(): number {
    return this.#runtime.counters.recordsDropped
  }

  /**
   * A store of any type. The others below ask for one of a certain type, and throw a TypeError when it is another; all throw a RangeError for an
   * unknown name. What a test puts into a store is committed with the next record.
   */
  stateStore<S extends Store = Store>(name: string): S {
    this.#checkNotClosed()
    const store = this.#runtime.store(name)
    if (store === undefined) throw unknown('store', name, 'the topology has', this.#stores.keys())
    return store as S
  }

  /** Every store, by its name. */
  allStateStores(): Map<string, Store> {
    this.#checkNotClosed()
    return this.#runtime.stores
  }

  /** A key-value store; of one with timestamps (a table's, an aggregate's) the values alone. */
  keyValueStore<K, V>(name: string): KeyValueStore<K, V> {
    const store = this.#typed<Store>(name, 'key-value', 'timestamped-key-value')
    return this.#stores.get(name)!.type === 'key-value'
      ? (store as KeyValueStore<K, V>)
      : new ValueStore(store as TimestampedKeyValueStore<K, V>)
  }

  timestampedKeyValueStore<K, V>(name: string): TimestampedKeyValueStore<K, V> {
    return this.#typed(name, 'timestamped-key-value')
  }

  tieredKeyValueStore<K, V>(name: string): TieredKeyValueStore<K, V> {
    return this.#typed(name, 'tiered-key-value')
  }

  tieredPrefixStore<P, R, V>(name: string): TieredPrefixStore<P, R, V> {
    return this.#typed(name, 'tiered-by-prefix')
  }

  windowStore<K, V>(name: string): WindowStore<K, V> {
    return this.#typed(name, 'window')
  }

  timestampedWindowStore<K, V>(name: string): TimestampedWindowStore<K, V> {
    return this.#typed(name, 'timestamped-window')
  }

  sessionStore<K, V>(name: string): SessionStore<K, V> {
    return this.#typed(name, 'session')
  }

  versionedStore<K, V>(name: string): VersionedKeyValueStore<K, V> {
    return this.#typed(name, 'versioned')
  }

  /** Waits for what was piped, closes the processors and the stores, and removes the state folder. */
  close(): Promise<void> {
    this.#closing ??= this.#turn.then(
      () => this.#runtime.close(),
      () => this.#runtime.close(),
    )
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #bound<T>(serde: Serde<T>, topic: string, part: SerdePlace['part'], use: SerdePlace['use']): Serde<T> {
    return bindSerde(serde, { topic, part, use, isInternal: false }, this.#schemas)
  }

  #pipe(topic: string, record: LocalRecord): Promise<void> {
    return this.#next(() => {
      this.#runtime.pipe(topic, record)
      return this.#runtime.run()
    })
  }

  #typed<S extends Store>(name: string, ...types: StoreType[]): S {
    const store = this.stateStore(name)
    return storeOfType<S>(this.#stores.get(name)!, store, types)
  }

  /** Runs `step` after every step that was asked for before. */
  async #next(step: () => Promise<void>): Promise<void> {
    this.#checkOpen()
    this.#waiting++
    const mine = this.#turn.then(async () => {
      if (this.#failure !== null) throw this.#failed(this.#failure)
      await step()
    })
    this.#turn = mine.catch((error: unknown) => {
      this.#failure ??= error
    })
    try {
      await mine
    } finally {
      this.#waiting--
    }
  }

  #checkOpen(): void {
    this.#checkNotClosed()
    if (this.#failure !== null) throw this.#failed(this.#failure)
  }

  #checkNotClosed(): void {
    if (this.#closing !== null)
      throw new WeirError('closed', 'the TopologyTestDriver is closed: open another')
  }

  #failed(failure: unknown): WeirError {
    return new WeirError(
      'closed',
      `the TopologyTestDriver has failed and takes no more: ${messageOf(failure)}`,
      { cause: failure },
    )
  }
}

function unknown(what: string, name: string, has: string, known: Iterable<string>): RangeError {
  return new RangeError(`there is no ${what} ${name}; ${has}: ${[...known].join(', ') || 'none'}`)
}

function errorSettings(where: string, options: TestDriverOptions): ErrorSettings {
  const handler = (
    name: Exclude<keyof ErrorSettings, 'errorsDeadLetterQueueTopicName'>,
  ): 'fail' | 'continue' => {
    const { [name]: given = 'fail' } = options
    if (given !== 'fail' && given !== 'continue')
      throw new RangeError(`${where}: ${name} is ${String(given)}; allowed: fail, continue`)
    return given
  }
  const { errorsDeadLetterQueueTopicName: topic = null } = options
  if (topic !== null) checkName(where, 'errorsDeadLetterQueueTopicName', topic)
  return {
    deserializationExceptionHandler: handler('deserializationExceptionHandler'),
    processingExceptionHandler: handler('processingExceptionHandler'),
    productionExceptionHandler: handler('productionExceptionHandler'),
    errorsDeadLetterQueueTopicName: topic,
  }
}
