import { tableSource } from '../process/operators/table-source.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { SourceOptions } from '../topology/node-options.ts'
import type { OptimizationRule } from '../topology/optimization.ts'
import { checkName, checkSerde, kindOf } from '../topology/options.ts'
import type { Topology } from '../topology/topology.ts'
import { TopologyError } from '../topology/topology-error.ts'
import {
  addGlobalStore,
  addGlobalTable,
  GLOBAL_CONSUMED,
  type GlobalStoreConsumed,
  type GlobalTable,
  type GlobalTableOptions,
} from './global-table.ts'
import { DslGraph, type NodeWriter, SourceGraphNode, TableSourceGraphNode } from './graph.ts'
import { optimize } from './optimize.ts'
import {
  CONSUMED,
  type ConsumedOptions,
  checkStep,
  checkStoreOptions,
  STORE,
  type TableOptions,
  tableStore,
  VERSIONS,
} from './options.ts'
import { Stream } from './stream.ts'
import { sourceParts } from './stream-parts.ts'
import { Table } from './table.ts'
import { SourceRows } from './table-rows.ts'

/** Where a topology begins. Kafka Streams' StreamsBuilder. Every method throws a TopologyError with one line for what cannot be. */
export class StreamsBuilder {
  readonly #graph = new DslGraph()
  readonly #optimization: readonly OptimizationRule[]

  /** @param optimization how the topology is rewritten in the end. Default: not at all */
  constructor(optimization: readonly OptimizationRule[] = []) {
    this.#optimization = optimization
  }

  /**
   * A stream of one or several topics; or of every topic whose whole name matches a pattern, also of those that are created while the application runs.
   */
  stream<K, V>(topics: string | readonly string[] | RegExp, options: ConsumedOptions<K, V>): Stream<K, V> {
    const names = checkTopics(topics)
    const where = `stream ${names instanceof RegExp ? names.source : names.join(', ')}`
    const source = sourceOptions(where, names, options, CONSUMED)
    const graph = this.#graph
    const name = graph.nameOr(options.name, 'KSTREAM-SOURCE-')
    const node = graph.add(new SourceGraphNode(name, names, source as SourceOptions<unknown, unknown>))
    return new Stream(sourceParts(graph, node, options.key, options.value))
  }

  /**
   * A topic as a table: the last value of each key; a null value deletes, a null key is dropped. It gets a store when `store` is given, or when
   * something below reads its rows. The store has a changelog of its own. With
   * `historyRetentionMs` the store is versioned: a record out of order takes its place in time, and joins of streams find the row of their own time.
   */
  table<K, V>(topic: string, options: TableOptions<K, V>): Table<NonNullable<K>, NonNullable<V>> {
    checkName('table', 'the topic', topic)
    const where = `table ${topic}`
    const source = sourceOptions(where, [topic], options, [...CONSUMED, ...STORE, ...VERSIONS])
    checkStoreOptions(where, options)
    const graph = this.#graph
    const storeName = options.store ?? graph.newStoreName(`${topic}-`)
    const generatedSource = graph.newName('KSTREAM-SOURCE-')
    const sourceName = options.name === undefined ? generatedSource : `${options.name}-source`
    const name = graph.nameOr(options.name, 'KTABLE-SOURCE-')
    const rows = new SourceRows<NonNullable<K>, NonNullable<V>>(
      storeName,
      options.store !== undefined,
      options.historyRetentionMs,
    )
    // Rows have neither a null key nor a null value.
    const key = options.key as Serde<NonNullable<K>>
    const value = options.value as Serde<NonNullable<V>>
    const store = tableStore(storeName, key, value, options)
    const supplier = tableSource<NonNullable<K>, NonNullable<V>>({
      store: () => (rows.isMaterialized ? storeName : null),
      sendsOldValues: () => rows.sendsOldValues,
    })
    const write: NodeWriter = (topology) => {
      const kept = node.reusesSourceTopic ? { ...store, logging: false, sourceTopic: topic } : store
      if (rows.isMaterialized) topology.addStateStore(kept)
      const stores = rows.isMaterialized ? [storeName] : []
      topology.addSource(sourceName, source).addProcessor(name, supplier, {
        parents: sourceName,
        stores,
        preservesKey: true,
        readsByKey: rows.sendsOldValues || store.caching === true ? stores : [],
      })
    }
    const node: TableSourceGraphNode = new TableSourceGraphNode(name, write)
    graph.add(node)
    return new Table({ graph, node, sources: new Set([sourceName]), key, value, rows })
  }

  /**
   * A topic as a table that every task has in full, from all its partitions: for joins of streams by a key of any kind. Always in a store, which every
   * processor can read; the topic is what it is restored from, always from the beginning. Kafka Streams' StreamsBuilder.globalTable.
   */
  globalTable<K, V>(
    topic: string,
    options: GlobalTableOptions<K, V>,
  ): GlobalTable<NonNullable<K>, NonNullable<V>> {
    checkName('globalTable', 'the topic', topic)
    return addGlobalTable(this.#graph, topic, options)
  }

  /**
   * Adds a store (made by `stores`) that every task has in full, filled from a topic by a processor of its own. Every processor can read it, without naming
   * it. Kafka Streams' StreamsBuilder.addGlobalStore.
   *
   * @param supplier makes what puts the records into the store; it must not forward
   */
  addGlobalStore<K, V>(
    store: StoreDefinition,
    topic: string,
    options: GlobalStoreConsumed<K, V>,
    supplier: ProcessorSupplier<K, V, never, never>,
  ): this {
    const where = `addGlobalStore ${String(topic)}`
    checkName('addGlobalStore', 'the topic', topic)
    checkStep(where, (options as typeof options | undefined) ?? (null as never), GLOBAL_CONSUMED)
    addGlobalStore(this.#graph, where, store, topic, options, supplier as ProcessorSupplier)
    return this
  }

  /** Adds a store (made by `stores`) for processors to use; those name it in their `stores`. */
  addStateStore(store: StoreDefinition): this {
    this.#graph.topology.addStateStore(store)
    return this
  }

  /**
   * The low-level topology, with everything the DSL was told: for nodes of the Processor API, whose parents may be the DSL's by name. The DSL comes
   * first: once this was asked for, streams and tables take no more.
   */
  get topology(): Topology {
    return this.#graph.write((nodes) => optimize(this.#graph, nodes, this.#optimization))
  }
}

function checkTopics(topics: unknown): readonly string[] | RegExp {
  if (topics instanceof RegExp) return topics
  const names: unknown = typeof topics === 'string' ? [topics] : topics
  if (!Array.isArray(names) || names.length === 0)
    throw new TopologyError(
      `stream: a topic, a list of topics or a pattern is expected, not ${kindOf(topics)}`,
    )
  for (const topic of names) checkName('stream', 'a topic', topic)
  return names as string[]
}

function sourceOptions<K, V>(
  where: string,
  topics: readonly string[] | RegExp,
  options: ConsumedOptions<K, V>,
  allowed: readonly string[],
): SourceOptions<K, V> {
  checkStep(where, (options as ConsumedOptions<K, V> | undefined) ?? (null as never), allowed)
  const { key, value, offsetReset, timestampExtractor } = options
  checkSerde(where, 'key', key)
  checkSerde(where, 'value', value)
  return {
    topics,
    key,
    value,
    ...(offsetReset !== undefined && { offsetReset }),
    ...(timestampExtractor !== undefined && { timestampExtractor }),
  }
}
