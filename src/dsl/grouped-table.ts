import type { Aggregator, Initializer } from '../process/operators/aggregate.ts'
import { changeSerde } from '../process/operators/change-serde.ts'
import type { Reducer } from '../process/operators/reduce.ts'
import {
  aggregatingRows,
  countingRows,
  type RowAggregation,
  reducingRows,
  tableAggregate,
} from '../process/operators/table-aggregate.ts'
import { type RowSelector, tableRepartitionMap } from '../process/operators/table-repartition-map.ts'
import { storeView } from '../process/operators/table-view.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import { type DslGraph, GraphNode } from './graph.ts'
import {
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  type NameOption,
  type StoreOptions,
  tableStore,
} from './options.ts'
import { requireSerde } from './serde-state.ts'
import { Table } from './table.ts'
import type { TableParts } from './table-parts.ts'
import { AggregateRows } from './table-rows.ts'

/** How the rows of a group are written to the topic that brings them together. Kafka Streams' Grouped. */
export interface TableGroupOptions<K, V> {
  /** Of the groups' keys. */
  readonly key: Serde<K>
  /** Of the values that are aggregated. */
  readonly value: Serde<V>
  /** The topic's name is `<application>-<name>-repartition`, shared by all aggregates of the grouping. Default: after each aggregate's store. */
  readonly name?: string
}

export interface TableAggregateSpecification<K, V, A, R extends A | null> extends NameOption, StoreOptions {
  readonly initializer: Initializer<A>
  /** Takes a row in, (aggregate, value, key). Returning null deletes the aggregate. */
  readonly adder: Aggregator<K, V, A, R>
  /** Takes a row out, (aggregate, value, key). Returning null deletes the aggregate. */
  readonly subtractor: Aggregator<K, V, A, R>
  /** The store's key serde. Default: the grouping's. */
  readonly key?: Serde<K>
  readonly value: Serde<A>
}

interface GroupedTableParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Given by the user: then all aggregates of this grouping share one topic. */
  readonly repartitionName: string | null
}

/**
 * A table's rows grouped by another key. Kafka Streams' KGroupedTable. When a row changes, its group loses what it was and gets what it is: an
 * aggregate always has exactly the rows that the table has. A group with no more rows stays, with what was left of it, unless the subtractor returns null.
 *
 * The rows go through a topic. A result has the largest timestamp of the changes it saw.
 */
export class GroupedTable<K, V> {
  readonly #parts: GroupedTableParts<K, V>
  #repartition: GraphNode | null = null

  /** @internal */
  constructor(parts: GroupedTableParts<K, V>) {
    this.#parts = parts
  }

  /** How many rows each group has. `value` is the store's serde; default: serdes.int64. */
  count(options?: MaterializedOptions<K, number>): Table<K, number, 'known', never> {
    checkStep('count', options, MATERIALIZED)
    return this.#table('count', 'KTABLE-AGGREGATE-', options, options?.value ?? serdes.int64, countingRows)
  }

  /**
   * Combines the values of each group's rows, from the first one's.
   *
   * @param adder (aggregate, value, key) to the new aggregate; null deletes it
   * @param subtractor takes a value out again
   */
  reduce<R extends V | null>(
    adder: Reducer<K, V, R>,
    subtractor: Reducer<K, V, R>,
    options?: MaterializedOptions<K, V>,
  ): Table<K, V, 'known', Extract<R, null>> {
    checkFunction('reduce', 'the adder', adder)
    checkFunction('reduce', 'the subtractor', subtractor)
    checkStep('reduce', options, MATERIALIZED)
    const value = requireSerde('reduce', 'value', options?.value, this.#parts.value)
    return this.#table('reduce', 'KTABLE-REDUCE-', options, value, reducingRows(adder, subtractor))
  }

  /** Combines the rows of each group, from what `initializer` returns. */
  aggregate<A, R extends A | null = A>(
    specification: TableAggregateSpecification<K, V, A, R>,
  ): Table<K, A, 'known', Extract<R, null>> {
    const functions = ['initializer', 'adder', 'subtractor'] as const
    checkOptions('aggregate', specification ?? null, [...functions, ...MATERIALIZED])
    for (const name of functions) checkFunction('aggregate', name, specification[name])
    const { initializer, adder, subtractor, ...options } = specification
    checkStep('aggregate', options, MATERIALIZED)
    const value = requireSerde('aggregate', 'value', options.value, null)
    const aggregation = aggregatingRows<K, V, A>(initializer, adder, subtractor)
    return this.#table('aggregate', 'KTABLE-AGGREGATE-', options, value, aggregation)
  }

  /** Kafka Streams' KGroupedTableImpl.doAggregate, names included. */
  #table<A, Absent extends null>(
    method: string,
    prefix: string,
    options: MaterializedOptions<K, A> | undefined,
    value: Serde<A>,
    aggregation: RowAggregation<K, V, A>,
  ): Table<K, A, 'known', Absent> {
    checkStoreOptions(method, options)
    const { graph, node, key: knownKey, repartitionName } = this.#parts
    const key = requireSerde(method, 'key', options?.key, knownKey)
    // A store's generated name does not tell reduce from the others.
    const storeName = options?.store ?? graph.newStoreName('KTABLE-AGGREGATE-')
    const given = options?.name
    const sink = graph.nameOr(given === undefined ? undefined : `${given}-sink`, 'KSTREAM-SINK-')
    const source = graph.nameOr(given === undefined ? undefined : `${given}-source`, 'KSTREAM-SOURCE-')
    const name = graph.nameOr(given, prefix)
    if (this.#repartition === null || repartitionName === null)
      this.#repartition = this.#repartitionNode(sink, source, `${repartitionName ?? storeName}-repartition`)
    const repartition = graph.add(this.#repartition, node)
    const store = tableStore(storeName, key, value, options)
    const rows = new AggregateRows<K, A>(storeView(storeName, options?.historyRetentionMs), storeName)
    const supplier = tableAggregate(aggregation, value, {
      store: storeName,
      sendsOldValues: () => rows.sendsOldValues,
    })
    const added = new GraphNode(name, (topology, parents) => {
      topology.addStateStore(store)
      topology.addProcessor(name, supplier, {
        parents,
        stores: [storeName],
        preservesKey: true,
        readsByKey: [storeName],
      })
    })
    graph.add(added, repartition)
    return new Table({ graph, node: added, sources: new Set([repartition.name]), key, value, rows })
  }

  #repartitionNode(sink: string, source: string, topic: string): GraphNode {
    const { key } = this.#parts
    const value = changeSerde(this.#parts.value)
    return new GraphNode(source, (topology, parents) => {
      topology
        .addRepartitionTopic(topic, null)
        .addSink(sink, { parents, topic, key, value })
        .addSource(source, { topics: topic, key, value })
    })
  }
}

/** Kafka Streams' KTableImpl.groupBy, names included. */
export function groupTable<K, V, K2, V2>(
  { graph, node, rows }: TableParts<K, V>,
  selector: RowSelector<K, V, K2, V2>,
  options: TableGroupOptions<K2, V2>,
): GroupedTable<K2, V2> {
  const method = 'groupBy'
  checkFunction(method, 'the selector', selector)
  checkStep(method, options ?? null, ['key', 'value', 'name'])
  const key = requireSerde(method, 'key', options.key, null)
  const value = requireSerde(method, 'value', options.value, null)
  const name = graph.nameOr(options.name, 'KTABLE-SELECT-')
  const map = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, tableRepartitionMap(selector, key, rows.isVersioned === true), { parents }),
  )
  graph.add(map, node)
  // A group that a row has left must be told what it was.
  rows.enableOldValues(true)
  return new GroupedTable({ graph, node: map, key, value, repartitionName: options.name ?? null })
}
