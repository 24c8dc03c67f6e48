import { tableSource } from '../process/operators/table-source.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { OptimizationRule } from '../topology/optimization.ts'
import { checkName, checkSerde, kindOf } from '../topology/options.ts'
import type { SourceOptions, Topology } from '../topology/topology.ts'
import { TopologyError } from '../topology/topology-error.ts'
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
} from './options.ts'
import { Stream } from './stream.ts'
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

  /** A stream of one or several topics. */
  stream<K, V>(topics: string | readonly string[], options: ConsumedOptions<K, V>): Stream<K, V> {
    const names = typeof topics === 'string' ? [topics] : topics
    if (!Array.isArray(names) || names.length === 0) {
      throw new TopologyError(`stream: a topic or a list of topics is expected, not ${kindOf(topics)}`)
    }
    for (const topic of names) checkName('stream', 'a topic', topic)
    const where = `stream ${names.join(', ')}`
    const source = sourceOptions(where, names, options, CONSUMED)
    const graph = this.#graph
    const name = graph.nameOr(options.name, 'KSTREAM-SOURCE-')
    const node = graph.add(new SourceGraphNode(name, names, source as SourceOptions<unknown, unknown>))
    const { key, value } = options
    return new Stream({ graph, node, sources: new Set([name]), key, value, repartitionRequired: false })
  }

  /**
   * A topic as a table: the last value of each key; a null value deletes, a null key is dropped. It gets a store when `store` is given, or when
   * something below reads its rows. The store has a changelog of its own.
   */
  table<K, V>(topic: string, options: TableOptions<K, V>): Table<NonNullable<K>, NonNullable<V>> {
    checkName('table', 'the topic', topic)
    const where = `table ${topic}`
    const source = sourceOptions(where, [topic], options, [...CONSUMED, ...STORE])
    checkStoreOptions(where, options)
    const graph = this.#graph
    const storeName = options.store ?? graph.newStoreName(`${topic}-`)
    const generatedSource = graph.newName('KSTREAM-SOURCE-')
    const sourceName = options.name === undefined ? generatedSource : `${options.name}-source`
    const name = graph.nameOr(options.name, 'KTABLE-SOURCE-')
    const rows = new SourceRows<NonNullable<K>, NonNullable<V>>(storeName, options.store !== undefined)
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

function sourceOptions<K, V>(
  where: string,
  topics: readonly string[],
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
