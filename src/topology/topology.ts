import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import type { AsyncProcessorSupplier } from '../process/async-processor.ts'
import type { ErrorHandlers } from '../process/error-handlers.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import { CONCURRENCY, checkAsyncProcessors } from './async-processors.ts'
import { checkCassandraTable, checkCassandraTables } from './cassandra-sinks.ts'
import { checkFixedPartitions, checkStores } from './check-built.ts'
import { checkAsyncSupplier, checkSupplier } from './check-supplier.ts'
import type {
  AsyncProcessorDefinition,
  NodeDefinition,
  ProcessorDefinition,
  RepartitionTopicDefinition,
  StoreDefinition,
  TopologyDefinition,
} from './definition.ts'
import { describeTopology } from './describe.ts'
import { ERROR_HANDLER_OPTIONS, errorHandlers } from './error-handlers.ts'
import { type GlobalStoreOptions, separateGlobalStores } from './global-stores.ts'
import { sinkDefinition, sourceDefinition } from './node-definitions.ts'
import type {
  AsyncProcessorOptions,
  CassandraSinkOptions,
  ProcessorOptions,
  SinkOptions,
  SourceOptions,
} from './node-options.ts'
import {
  checkBoolean,
  checkConcurrency,
  checkName,
  checkNames,
  checkOptions,
  kindOf,
  listOf,
} from './options.ts'
import { SourceTopics } from './source-topics.ts'
import { buildSubtopologies } from './subtopologies.ts'
import { checkTieredSubtopologies, checkTierTables } from './tiered-stores.ts'
import { TopologyError } from './topology-error.ts'
import { type TopologyModule, topologyModuleMarker } from './topology-module.ts'

/** A processor whose stores may still grow. */
type ProcessorNode = (ProcessorDefinition | AsyncProcessorDefinition) & { readonly stores: string[] }

/**
 * A topology of sources, processors, sinks and state stores, node by node. Kafka Streams' Topology. Every method throws a TopologyError
 * with one line for what cannot be. A module may export one by default.
 *
 * @example
 * new Topology()
 *   .addSource('words', { topics: 'words', key: serdes.string, value: serdes.string })
 *   .addProcessor('counter', () => new WordCounter(), { parents: 'words' })
 *   .addStateStore(stores.keyValue({ name: 'counts', key: serdes.string, value: serdes.int64 }), 'counter')
 *   .addSink('counted', { parents: 'counter', topic: 'counts', key: serdes.string, value: serdes.int64 })
 */
export class Topology implements TopologyModule {
  readonly [topologyModuleMarker] = true
  readonly #nodes = new Map<string, Exclude<NodeDefinition, { kind: 'processor' }> | ProcessorNode>()
  readonly #stores = new Map<string, StoreDefinition>()
  readonly #globalStores = new Map<string, StoreDefinition>()
  /** The nodes that fill them. */
  readonly #globalNodes = new Set<string>()
  readonly #repartitionTopics = new Map<string, RepartitionTopicDefinition>()
  readonly #sourceTopics = new SourceTopics()
  /** Names of sources whose topics need the same number of partitions. */
  readonly #copartitioned: (readonly string[])[] = []
  readonly #errorHandlers: ErrorHandlers | undefined
  #built: TopologyDefinition | null = null

  /** @param handlers what becomes of records that cannot be read, processed or written. Default: what the settings say */
  constructor(handlers: ErrorHandlers = {}) {
    checkOptions('new Topology', handlers, ERROR_HANDLER_OPTIONS)
    this.#errorHandlers = errorHandlers('new Topology', handlers)
  }

  addSource<K, V>(name: string, options: SourceOptions<K, V>): this {
    const where = this.#checkNewNode('source', name)
    checkOptions(where, options ?? null, ['topics', 'key', 'value', 'offsetReset', 'timestampExtractor'])
    const reads = this.#sourceTopics.check(where, options.topics)
    const source = sourceDefinition(where, name, reads, options)
    this.#sourceTopics.add(name, reads)
    this.#nodes.set(name, source)
    return this.#changed()
  }

  /** @param supplier makes a new processor at each call; called twice here, to see that it does */
  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    options: ProcessorOptions,
  ): this {
    const where = this.#checkNewNode('processor', name)
    checkOptions(where, options ?? null, ['parents', 'stores', 'preservesKey', 'readsByKey'])
    const node = this.#processor(where, name, options)
    checkSupplier(where, supplier)
    this.#nodes.set(name, { ...node, supplier: supplier as ProcessorSupplier })
    return this.#changed()
  }

  /**
   * Adds a processor whose records wait for promises, several at once. Nothing above it in its sub-topology may have stores, or be async: put a repartition
   * topic between them.
   *
   * @param supplier makes a new processor at each call; called twice here, to see that it does
   */
  addAsyncProcessor<KIn, VIn, KOut, VOut, Result>(
    name: string,
    supplier: AsyncProcessorSupplier<KIn, VIn, KOut, VOut, Result>,
    options: AsyncProcessorOptions,
  ): this {
    const where = this.#checkNewNode('processor', name)
    checkOptions(where, options ?? null, ['parents', 'stores', 'preservesKey', 'readsByKey', 'concurrency'])
    const { concurrency = CONCURRENCY } = options
    const node = this.#processor(where, name, options)
    checkConcurrency(where, concurrency)
    checkAsyncSupplier(where, supplier)
    this.#nodes.set(name, { ...node, asyncSupplier: supplier as AsyncProcessorSupplier, concurrency })
    return this.#changed()
  }

  /** What every processor has. */
  #processor(
    where: string,
    name: string,
    { parents, stores = [], preservesKey = false, readsByKey = [] }: ProcessorOptions,
  ): Omit<ProcessorDefinition, 'supplier'> & { readonly stores: string[] } {
    const checked = this.#checkParents(where, parents)
    checkNames(where, 'stores', stores)
    checkNames(where, 'readsByKey', readsByKey)
    checkBoolean(where, 'preservesKey', preservesKey)
    for (const store of stores) this.#checkStore(where, store)
    return {
      kind: 'processor',
      name,
      parents: checked,
      stores: [...new Set(stores)],
      preservesKey,
      readsByKey,
    }
  }

  addSink<K, V>(name: string, options: SinkOptions<K, V>): this {
    const where = this.#checkNewNode('sink', name)
    checkOptions(where, options ?? null, ['parents', 'topic', 'topics', 'key', 'value', 'partitioner'])
    const parents = this.#checkParents(where, options.parents)
    this.#nodes.set(name, sinkDefinition(where, name, parents, options))
    return this.#changed()
  }

  /** Adds a sink whose records become rows of a table in Cassandra. See docs/cassandra.md. */
  addCassandraSink<K, V>(name: string, options: CassandraSinkOptions<K, V>): this {
    const where = this.#checkNewNode('sink', name)
    checkOptions(where, options ?? null, ['parents', 'table'])
    const parents = this.#checkParents(where, options.parents)
    checkCassandraTable(where, options.table)
    const table = options.table as unknown as CassandraTable
    this.#nodes.set(name, { kind: 'cassandra-sink', name, parents, table })
    return this.#changed()
  }

  /**
   * Adds a store and connects it to processors added before. The same definition may be added again, to connect more.
   *
   * @param store made by `stores`
   */
  addStateStore(store: StoreDefinition, ...processors: string[]): this {
    checkName(
      'addStateStore',
      'the store (made by stores.keyValue and the like)',
      (store as Partial<StoreDefinition> | null)?.name,
    )
    this.#checkNotGlobal('addStateStore', store.name)
    const present = this.#stores.get(store.name)
    if (present !== undefined && present !== store)
      throw new TopologyError(`store ${store.name} is added twice`)
    this.#stores.set(store.name, store)
    for (const processor of processors) this.connectProcessorAndStateStores(processor, store.name)
    return this.#changed()
  }

  /** Lets a processor use stores; both were added before. */
  connectProcessorAndStateStores(processor: string, ...stores: string[]): this {
    const node = this.#nodes.get(processor)
    if (node === undefined)
      throw new TopologyError(`stores ${stores.join(', ')}: there is no processor ${String(processor)}`)
    if (node.kind !== 'processor')
      throw new TopologyError(`${node.kind} ${processor} can have no stores; only processors can`)
    if (stores.length === 0)
      throw new TopologyError(`processor ${processor}: at least one store must be named`)
    for (const store of stores) {
      this.#checkStore(`processor ${processor}`, store)
      if (!node.stores.includes(store)) node.stores.push(store)
    }
    return this.#changed()
  }

  /**
   * Adds a store that every task has in full: filled from all partitions of a topic by a processor of its own, and read by every processor, which does
   * not name it. The topic is what the store is restored from: it has no changelog. Kafka Streams' Topology.addGlobalStore.
   *
   * @param store made by `stores`; `logging` is ignored
   * @param supplier makes what puts the records into the store; it must not forward
   */
  addGlobalStore<K, V>(
    store: StoreDefinition,
    supplier: ProcessorSupplier<K, V, never, never>,
    options: GlobalStoreOptions<K, V>,
  ): this {
    const what = 'the store (made by stores.keyValue and the like)'
    checkName('addGlobalStore', what, (store as Partial<StoreDefinition> | null)?.name)
    const where = `global store ${store.name}`
    if (store.tier !== undefined)
      throw new TopologyError(`${where}: a tiered store has a part of its rows; a global store has all`)
    if (this.#stores.has(store.name) || this.#globalStores.has(store.name))
      throw new TopologyError(`${where}: there is a store of that name already`)
    checkOptions(where, options ?? null, [
      'topic',
      'key',
      'value',
      'timestampExtractor',
      'source',
      'processor',
    ])
    const { source, processor, topic, ...read } = options
    checkName(where, 'topic', topic)
    checkSupplier(where, supplier)
    this.addSource(source, { ...read, topics: topic })
    this.addProcessor(processor, supplier, { parents: source })
    this.#globalStores.set(store.name, { ...store, logging: false })
    this.#globalNodes.add(source).add(processor)
    const node = this.#nodes.get(processor) as ProcessorNode
    node.stores.push(store.name)
    return this.#changed()
  }

  /**
   * Marks a topic as one that the application creates and that carries its name as a prefix.
   *
   * @internal
   * @param partitions null: as many as the sub-topology that writes it has tasks
   */
  addRepartitionTopic(name: string, partitions: number | null): this {
    checkName('repartition topic', 'name', name)
    if (this.#repartitionTopics.has(name))
      throw new TopologyError(`repartition topic ${name} is made twice: give one of them another name`)
    this.#repartitionTopics.set(name, { name, partitions })
    return this.#changed()
  }

  /**
   * The topics of these sources must have the same number of partitions.
   *
   * @internal
   */
  copartitionSources(sources: readonly string[]): this {
    this.#copartitioned.push(sources)
    return this.#changed()
  }

  build(): TopologyDefinition {
    if (this.#built !== null) return this.#built
    if (this.#sourceTopics.isEmpty) throw new TopologyError('the topology has no source')
    const nodes = [...this.#nodes.values()].map((node) =>
      node.kind === 'processor' ? { ...node, stores: [...node.stores] } : node,
    )
    checkStores(nodes, this.#stores)
    checkCassandraTables(nodes)
    checkTierTables(nodes, this.#stores)
    const repartitionTopics = [...this.#repartitionTopics.values()]
    const groups = buildSubtopologies(nodes, this.#stores, this.#copartitioned)
    const { subtopologies, globalStores } = separateGlobalStores(groups, this.#globalStores)
    checkAsyncProcessors(subtopologies)
    checkTieredSubtopologies(subtopologies)
    for (const { copartitionGroups } of subtopologies)
      checkFixedPartitions(copartitionGroups, this.#repartitionTopics)
    this.#built = {
      subtopologies,
      repartitionTopics,
      ...(this.#sourceTopics.hasPatterns && { copartitionedSources: [...this.#copartitioned] }),
      ...(globalStores.length > 0 && { globalStores }),
      ...(this.#errorHandlers !== undefined && { errorHandlers: this.#errorHandlers }),
    }
    return this.#built
  }

  /** The text of Kafka Streams' `Topology.describe()`. */
  describe(): string {
    return describeTopology(this.build())
  }

  #changed(): this {
    this.#built = null
    return this
  }

  #checkNewNode(kind: string, name: unknown): string {
    if (typeof name !== 'string' || name === '')
      throw new TopologyError(`a ${kind}'s name must be text, not ${kindOf(name)}`)
    const present = this.#nodes.get(name)
    if (present !== undefined)
      throw new TopologyError(`${kind} ${name}: there is a ${present.kind} of that name already`)
    return `${kind} ${name}`
  }

  #checkParents(where: string, parents: unknown): readonly string[] {
    const names = listOf(parents)
    checkNames(where, 'parents', names)
    if (names.length === 0)
      throw new TopologyError(`${where}: parents is empty; allowed is at least one node`)
    for (const name of names) {
      const parent = this.#nodes.get(name)
      if (parent === undefined) {
        throw new TopologyError(
          `${where}: there is no node ${name} to be its parent; parents are added before, and no node is above itself`,
        )
      }
      if (this.#globalNodes.has(name))
        throw new TopologyError(`${where}: ${name} fills a global store; nothing can be below it`)
      if (parent.kind === 'sink' || parent.kind === 'cassandra-sink')
        throw new TopologyError(`${where}: sink ${name} cannot be a parent`)
    }
    return [...new Set(names)]
  }

  #checkNotGlobal(where: string, store: unknown): void {
    if (this.#globalStores.has(store as string))
      throw new TopologyError(
        `${where}: ${String(store)} is a global store, which every processor can read without naming it`,
      )
  }

  #checkStore(where: string, store: unknown): void {
    this.#checkNotGlobal(where, store)
    if (!this.#stores.has(store as string))
      throw new TopologyError(`${where}: there is no store ${String(store)}`)
  }
}
