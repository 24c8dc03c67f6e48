import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { checkSupplier } from './check-supplier.ts'
import type {
  NodeDefinition,
  OffsetReset,
  Partitioner,
  ProcessorDefinition,
  RepartitionTopicDefinition,
  SinkDefinition,
  SourceDefinition,
  StoreDefinition,
  TimestampExtractor,
  TopicChooser,
  TopologyDefinition,
} from './definition.ts'
import { describeTopology } from './describe.ts'
import { type GlobalStoreOptions, separateGlobalStores } from './global-stores.ts'
import {
  checkBoolean,
  checkFunction,
  checkName,
  checkNames,
  checkOptions,
  checkSerde,
  kindOf,
} from './options.ts'
import { buildSubtopologies } from './subtopologies.ts'
import { checkPattern, wholeMatcher } from './topic-patterns.ts'
import { TopologyError } from './topology-error.ts'
import { type TopologyModule, topologyModuleMarker } from './topology-module.ts'

const OFFSET_RESETS: readonly unknown[] = ['earliest', 'latest', 'none']

export interface SourceOptions<K, V> {
  /** At least one; or a pattern: every topic whose whole name matches, also one that is created later. No other source reads them. */
  readonly topics: string | readonly string[] | RegExp
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Where a group without committed offsets begins. Default: WEIR_AUTO_OFFSET_RESET. */
  readonly offsetReset?: OffsetReset
  /** Default: the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor
}

export interface ProcessorOptions {
  /** Nodes added before, at least one. */
  readonly parents: string | readonly string[]
  /** Stores added before that the processor uses. Default: none. */
  readonly stores?: readonly string[]
  /** True when every record that it forwards has the key of the record it came for. Default: false. */
  readonly preservesKey?: boolean
  /** Of its stores, those that it reads by the record's own key: their rows are fetched ahead, a batch at a time. Default: none. */
  readonly readsByKey?: readonly string[]
}

export interface SinkOptions<K, V> {
  /** Nodes added before, at least one. */
  readonly parents: string | readonly string[]
  /** A topic; or a function that chooses one for each record, of those in `topics`. */
  readonly topic: string | TopicChooser<K, V>
  /** What a chooser may choose, at least one; all must exist. */
  readonly topics?: readonly string[]
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: murmur2 of the key's bytes, as Kafka's own. */
  readonly partitioner?: Partitioner<K, V>
}

/** A processor whose stores may still grow. */
interface ProcessorNode extends ProcessorDefinition {
  readonly stores: string[]
}

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
  readonly #nodes = new Map<string, Exclude<NodeDefinition, ProcessorDefinition> | ProcessorNode>()
  readonly #stores = new Map<string, StoreDefinition>()
  readonly #globalStores = new Map<string, StoreDefinition>()
  /** The nodes that fill them. */
  readonly #globalNodes = new Set<string>()
  readonly #repartitionTopics = new Map<string, RepartitionTopicDefinition>()
  /** By topic. */
  readonly #sources = new Map<string, string>()
  /** Of sources that have one. */
  readonly #patterns = new Map<string, RegExp>()
  /** Names of sources whose topics need the same number of partitions. */
  readonly #copartitioned: (readonly string[])[] = []
  #built: TopologyDefinition | null = null

  addSource<K, V>(name: string, options: SourceOptions<K, V>): this {
    const where = this.#checkNewNode('source', name)
    checkOptions(where, options ?? null, ['topics', 'key', 'value', 'offsetReset', 'timestampExtractor'])
    const { key, value, offsetReset, timestampExtractor } = options
    const pattern = options.topics instanceof RegExp ? options.topics : undefined
    const topics = pattern === undefined ? this.#checkTopics(where, options.topics) : []
    if (pattern !== undefined) this.#checkPattern(where, pattern)
    checkSerde(where, 'key', key)
    checkSerde(where, 'value', value)
    if (offsetReset !== undefined && !OFFSET_RESETS.includes(offsetReset)) {
      throw new TopologyError(
        `${where}: offsetReset is ${String(offsetReset)}; allowed: ${OFFSET_RESETS.join(', ')}`,
      )
    }
    if (timestampExtractor !== undefined) checkFunction(where, 'timestampExtractor', timestampExtractor)
    for (const topic of topics) this.#sources.set(topic, name)
    if (pattern !== undefined) this.#patterns.set(name, pattern)
    const source: SourceDefinition = {
      kind: 'source',
      name,
      topics,
      ...(pattern !== undefined && { pattern }),
      key,
      value,
      ...(offsetReset !== undefined && { offsetReset }),
      ...(timestampExtractor !== undefined && { timestampExtractor }),
    }
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
    const { stores = [], preservesKey = false, readsByKey = [] } = options
    const parents = this.#checkParents(where, options.parents)
    checkNames(where, 'stores', stores)
    checkNames(where, 'readsByKey', readsByKey)
    checkBoolean(where, 'preservesKey', preservesKey)
    for (const store of stores) this.#checkStore(where, store)
    checkSupplier(where, supplier)
    this.#nodes.set(name, {
      kind: 'processor',
      name,
      parents,
      supplier: supplier as ProcessorSupplier,
      stores: [...new Set(stores)],
      preservesKey,
      readsByKey,
    })
    return this.#changed()
  }

  addSink<K, V>(name: string, options: SinkOptions<K, V>): this {
    const where = this.#checkNewNode('sink', name)
    checkOptions(where, options ?? null, ['parents', 'topic', 'topics', 'key', 'value', 'partitioner'])
    const { key, value, partitioner } = options
    const parents = this.#checkParents(where, options.parents)
    const target = checkTarget(where, options.topic as string | TopicChooser, options.topics)
    checkSerde(where, 'key', key)
    checkSerde(where, 'value', value)
    if (partitioner !== undefined) checkFunction(where, 'partitioner', partitioner)
    const sink: SinkDefinition = {
      kind: 'sink',
      name,
      parents,
      ...target,
      key,
      value,
      ...(partitioner !== undefined && { partitioner: partitioner as Partitioner }),
    }
    this.#nodes.set(name, sink)
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
    if (this.#sources.size === 0 && this.#patterns.size === 0)
      throw new TopologyError('the topology has no source')
    const connected = new Set<string>()
    const nodes: NodeDefinition[] = []
    for (const node of this.#nodes.values()) {
      nodes.push(node.kind === 'processor' ? { ...node, stores: [...node.stores] } : node)
      if (node.kind !== 'processor') continue
      for (const store of node.stores) connected.add(store)
      const foreign = node.readsByKey.find((store) => !node.stores.includes(store))
      if (foreign !== undefined) {
        throw new TopologyError(
          `processor ${node.name}: readsByKey has ${foreign}, which is none of its stores`,
        )
      }
    }
    for (const store of this.#stores.keys()) {
      if (!connected.has(store)) throw new TopologyError(`store ${store} is connected to no processor`)
    }
    const repartitionTopics = [...this.#repartitionTopics.values()]
    const groups = buildSubtopologies(nodes, this.#stores, this.#copartitioned)
    const { subtopologies, globalStores } = separateGlobalStores(groups, this.#globalStores)
    for (const { copartitionGroups } of subtopologies)
      checkFixedPartitions(copartitionGroups, this.#repartitionTopics)
    this.#built = {
      subtopologies,
      repartitionTopics,
      ...(this.#patterns.size > 0 && { copartitionedSources: [...this.#copartitioned] }),
      ...(globalStores.length > 0 && { globalStores }),
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

  #checkTopics(where: string, given: unknown): readonly string[] {
    const topics = listOf(given)
    checkNames(where, 'topics', topics)
    if (topics.length === 0) throw new TopologyError(`${where}: topics is empty; allowed is at least one`)
    for (const [index, topic] of topics.entries()) {
      checkName(where, 'a topic', topic)
      const reader = this.#sources.get(topic)
      if (reader !== undefined)
        throw new TopologyError(`${where}: topic ${topic} is read by source ${reader} already`)
      if (topics.indexOf(topic) < index) throw new TopologyError(`${where}: topic ${topic} is named twice`)
      for (const [source, pattern] of this.#patterns) {
        if (wholeMatcher(pattern)(topic)) {
          throw new TopologyError(
            `${where}: topic ${topic} matches the pattern ${pattern.source} of source ${source}; a topic is read by one source`,
          )
        }
      }
    }
    return topics
  }

  #checkPattern(where: string, pattern: RegExp): void {
    checkPattern(where, pattern)
    const matches = wholeMatcher(pattern)
    for (const [topic, source] of this.#sources) {
      if (matches(topic)) {
        throw new TopologyError(
          `${where}: the pattern ${pattern.source} matches topic ${topic}, which source ${source} reads already`,
        )
      }
    }
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
      if (parent.kind === 'sink') throw new TopologyError(`${where}: sink ${name} cannot be a parent`)
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

function listOf(oneOrMany: unknown): unknown {
  return typeof oneOrMany === 'string' ? [oneOrMany] : oneOrMany
}

function checkTarget(
  where: string,
  topic: string | TopicChooser,
  topics: readonly string[] | undefined,
): Pick<SinkDefinition, 'topic' | 'topics' | 'chooser'> {
  if (typeof topic !== 'function') {
    checkName(where, 'topic', topic)
    if (topics !== undefined)
      throw new TopologyError(`${where}: topics are given, but topic is none that chooses: it is ${topic}`)
    return { topic }
  }
  if (topics === undefined)
    throw new TopologyError(`${where}: a function chooses the topic: give { topics } that it may choose`)
  checkNames(where, 'topics', topics)
  for (const name of topics) checkName(where, 'a topic', name)
  if (topics.length === 0) throw new TopologyError(`${where}: topics is empty; allowed is at least one topic`)
  return { topic: topics[0]!, topics: [...new Set(topics)], chooser: topic }
}

function checkFixedPartitions(
  groups: readonly (readonly string[])[],
  topics: ReadonlyMap<string, RepartitionTopicDefinition>,
): void {
  for (const group of groups) {
    const fixed = group
      .map((name) => topics.get(name))
      .filter((topic) => topic !== undefined && topic.partitions !== null)
    if (new Set(fixed.map((topic) => topic!.partitions)).size > 1) {
      const list = fixed.map((topic) => `${topic!.name} has ${topic!.partitions}`).join(', ')
      throw new TopologyError(`topics that are joined need the same number of partitions: ${list}`)
    }
  }
}
