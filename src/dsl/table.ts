import type { ValueMapper } from '../process/operators/map-values.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import {
  type RowPredicate,
  rowFilter,
  rowFilterNot,
  rowMapper,
  type TableMapOptions,
  tableMap,
} from '../process/operators/table-map.ts'
import type { RowSelector } from '../process/operators/table-repartition-map.ts'
import type { ValueTransformerSupplier } from '../process/operators/table-transform.ts'
import { computedView, type RowFunction } from '../process/operators/table-view.ts'
import { toStream } from '../process/operators/to-stream.ts'
import type { Serde } from '../serde/serde.ts'
import { checkFunction, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { type DslGraph, GraphNode } from './graph.ts'
import { type GroupedTable, groupTable, type TableGroupOptions } from './grouped-table.ts'
import {
  asksForStore,
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  type NameOption,
  tableStore,
} from './options.ts'
import { type OptionsArgument, requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import { Stream } from './stream.ts'
import type { Suppressed } from './suppressed.ts'
import { addTableTableJoin, type TABLE_JOINS } from './table-join.ts'
import { ComputedRows, type TableRows } from './table-rows.ts'
import { addSuppress, type SuppressOptions } from './table-suppress.ts'
import { addTableTransform, type TransformerOptions } from './table-transform.ts'

/** What a table is made of. */
export interface TableParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  readonly sources: ReadonlySet<string>
  readonly key: Serde<K>
  /** null when unknown, after the values have changed. */
  readonly value: Serde<V> | null
  readonly rows: TableRows<K, V>
}

/** A store needs the value's serde; without a store, none is needed. */
type FilterOptions<K, V, VS extends SerdeState> = VS extends 'known'
  ? MaterializedOptions<K, V>
  : NameOption | (MaterializedOptions<K, V> & { readonly value: Serde<V> })

/** A joined table's store needs the value's serde. */
type JoinedStore<K, R> = MaterializedOptions<K, Exclude<R, null>> & {
  readonly value: Serde<Exclude<R, null>>
}

/** A joiner of any kind of join: which arguments are never null depends on the kind. */
type AnyJoiner<K, V, V2, R> = ValueJoiner<K, V | null, V2 | null, Exclude<R, null> | null>

/**
 * A table: the last value of each key. Kafka Streams' KTable: the same operators, the same names for what they add to the topology.
 *
 * `VS` says whether the values' serde is known, `Absent` is `never` when rows are never deleted and null otherwise.
 */
export class Table<K, V, VS extends SerdeState = 'known', Absent extends null = null> {
  declare protected readonly states: [VS, Absent]
  /** @internal */
  readonly parts: TableParts<K, V>

  /** @internal */
  constructor(parts: TableParts<K, V>) {
    this.parts = parts
  }

  /** The table's changes as a stream: the new values, null for a row that was deleted. */
  toStream(options?: NameOption): Stream<K, V | Absent, 'known', VS> {
    checkStep('toStream', options, ['name'])
    const { graph, node, sources, key, value } = this.parts
    const name = graph.nameOr(options?.name, 'KTABLE-TOSTREAM-')
    const step = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, toStream<K, V>(), { parents, preservesKey: true }),
    )
    return new Stream<K, V | Absent, 'known', VS>({
      graph,
      node: graph.add(step, node),
      sources,
      key,
      value: value as Serde<V | Absent> | null,
      repartitionRequired: false,
    })
  }

  /** The rows for which `predicate`, called with (value, key), is true. Kept in a store only when `store` is given. */
  filter(predicate: RowPredicate<K, V>, options?: FilterOptions<K, V, VS>): Table<K, V, VS> {
    checkFunction('filter', 'the predicate', predicate)
    return this.#filter('filter', rowFilter(predicate), options)
  }

  /** The rows for which `predicate`, called with (value, key), is false. Kept in a store only when `store` is given. */
  filterNot(predicate: RowPredicate<K, V>, options?: FilterOptions<K, V, VS>): Table<K, V, VS> {
    checkFunction('filterNot', 'the predicate', predicate)
    return this.#filter('filterNot', rowFilterNot(predicate), options)
  }

  /**
   * Rows with other values; null leaves a row out. Not called for rows that are deleted. Kept in a store only when `store` is given, and then
   * `value` must be given too.
   */
  mapValues<R>(
    mapper: ValueMapper<K, V, R>,
    options: MaterializedOptions<K, Exclude<R, null>> & { readonly value: Serde<Exclude<R, null>> },
  ): Table<K, Exclude<R, null>, 'known', Absent | Extract<R, null>>
  mapValues<R>(
    mapper: ValueMapper<K, V, R>,
    options?: NameOption,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Extract<R, null>>
  mapValues<R>(
    mapper: ValueMapper<K, V, R>,
    options?: MaterializedOptions<K, Exclude<R, null>>,
  ): Table<K, Exclude<R, null>, SerdeState, Absent | Extract<R, null>> {
    checkFunction('mapValues', 'the mapper', mapper)
    const compute = rowMapper(mapper as ValueMapper<K, V, Exclude<R, null> | null>)
    return this.#computed('mapValues', 'KTABLE-MAPVALUES-', compute, options, {
      value: options?.value ?? null,
      forwardsAbsence: true,
      asksForOldValues: false,
    })
  }

  /**
   * Rows with values that a transformer makes, which may use stores: `mapValues` with state. Called for deleted rows too, with null. Kept in a store
   * only when `store` is given, and then `value` must be given too. Kafka Streams' KTable.transformValues.
   *
   * @param supplier makes a new transformer at each call
   * @throws TopologyError when it does not, or an option is wrong
   */
  transformValues<R>(
    supplier: ValueTransformerSupplier<K, V, R>,
    options: JoinedStore<K, R> & TransformerOptions,
  ): Table<K, Exclude<R, null>>
  transformValues<R>(
    supplier: ValueTransformerSupplier<K, V, R>,
    options?: NameOption & TransformerOptions,
  ): Table<K, Exclude<R, null>, 'missing'>
  transformValues<R>(
    supplier: ValueTransformerSupplier<K, V, R>,
    options?: MaterializedOptions<K, Exclude<R, null>> & TransformerOptions,
  ): Table<K, Exclude<R, null>, SerdeState> {
    const transformer = supplier as ValueTransformerSupplier<K, V, Exclude<R, null>>
    return new Table(addTableTransform(this.parts, transformer, options))
  }

  /**
   * Groups the rows by another key. They go through a topic, so that the rows of a group come together. Kafka Streams' KTable.groupBy.
   *
   * @param selector called with (value, key), gives the group's key and the value to aggregate: { key, value }; null in either leaves the row out
   */
  groupBy<K2, V2>(
    selector: RowSelector<K, V, K2, V2>,
    options: TableGroupOptions<K2, V2>,
  ): GroupedTable<K2, V2> {
    return groupTable(this.parts, selector, options)
  }

  /**
   * The same table, but of the changes of a row only the last one is forwarded, when its time has come: see {@link Suppressed}. What waits is kept in
   * a buffer in memory, with a changelog. Kafka Streams' KTable.suppress.
   *
   * @throws TopologyError for `untilWindowCloses` where no windowed aggregate is above
   */
  suppress(
    suppressed: Suppressed<K>,
    ...[options]: OptionsArgument<SuppressOptions<K> & ValueOption<V, VS>>
  ): Table<K, V, 'known', Absent> {
    return new Table(addSuppress(this.parts, suppressed, options as SuppressOptions<K> | undefined))
  }

  /**
   * Joins the rows of both tables that have the same key; a row that has no counterpart is left out. Whichever row changes, the joined one does,
   * with the larger of the two timestamps. Kept in a store only when anything is said about one, and then `value` must be given. Kafka Streams'
   * KTable.join.
   *
   * @param joiner gets (left, right, key); null leaves the row out
   * @throws TopologyError when `other` is no table or an option is wrong
   */
  join<V2, R, VS2 extends SerdeState, Absent2 extends null>(
    other: Table<K, V2, VS2, Absent2>,
    joiner: ValueJoiner<K, V, V2, R>,
    options: JoinedStore<K, R>,
  ): Table<K, Exclude<R, null>, 'known', Absent | Absent2 | Extract<R, null>>
  join<V2, R, VS2 extends SerdeState, Absent2 extends null>(
    other: Table<K, V2, VS2, Absent2>,
    joiner: ValueJoiner<K, V, V2, R>,
    options?: NameOption,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Absent2 | Extract<R, null>>
  join<V2, R>(
    other: Table<K, V2, SerdeState, null>,
    joiner: ValueJoiner<K, V, V2, R>,
    options?: MaterializedOptions<K, Exclude<R, null>>,
  ): Table<K, Exclude<R, null>, SerdeState> {
    return this.#join('join', other, joiner as AnyJoiner<K, V, V2, R>, options)
  }

  /**
   * As `join`, but every row of this table is in: joined to null where the other table has none. Kafka Streams' KTable.leftJoin.
   *
   * @param joiner gets (left, right or null, key); null leaves the row out
   */
  leftJoin<V2, R, VS2 extends SerdeState, Absent2 extends null>(
    other: Table<K, V2, VS2, Absent2>,
    joiner: ValueJoiner<K, V, V2 | null, R>,
    options: JoinedStore<K, R>,
  ): Table<K, Exclude<R, null>, 'known', Absent | Extract<R, null>>
  leftJoin<V2, R, VS2 extends SerdeState, Absent2 extends null>(
    other: Table<K, V2, VS2, Absent2>,
    joiner: ValueJoiner<K, V, V2 | null, R>,
    options?: NameOption,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Extract<R, null>>
  leftJoin<V2, R>(
    other: Table<K, V2, SerdeState, null>,
    joiner: ValueJoiner<K, V, V2 | null, R>,
    options?: MaterializedOptions<K, Exclude<R, null>>,
  ): Table<K, Exclude<R, null>, SerdeState> {
    return this.#join('leftJoin', other, joiner as AnyJoiner<K, V, V2, R>, options)
  }

  /**
   * As `join`, but every row of either table is in: joined to null where the other one has none. Kafka Streams' KTable.outerJoin.
   *
   * @param joiner gets (left or null, right or null, key), of which one is not null; null leaves the row out
   */
  outerJoin<V2, R, VS2 extends SerdeState, Absent2 extends null>(
    other: Table<K, V2, VS2, Absent2>,
    joiner: ValueJoiner<K, V | null, V2 | null, R>,
    options: JoinedStore<K, R>,
  ): Table<K, Exclude<R, null>, 'known', Absent | Absent2 | Extract<R, null>>
  outerJoin<V2, R, VS2 extends SerdeState, Absent2 extends null>(
    other: Table<K, V2, VS2, Absent2>,
    joiner: ValueJoiner<K, V | null, V2 | null, R>,
    options?: NameOption,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Absent2 | Extract<R, null>>
  outerJoin<V2, R>(
    other: Table<K, V2, SerdeState, null>,
    joiner: ValueJoiner<K, V | null, V2 | null, R>,
    options?: MaterializedOptions<K, Exclude<R, null>>,
  ): Table<K, Exclude<R, null>, SerdeState> {
    return this.#join('outerJoin', other, joiner as AnyJoiner<K, V, V2, R>, options)
  }

  #join<V2, R>(
    method: keyof typeof TABLE_JOINS,
    other: Table<K, V2, SerdeState, null>,
    joiner: AnyJoiner<K, V, V2, R>,
    options: MaterializedOptions<K, Exclude<R, null>> | undefined,
  ): Table<K, Exclude<R, null>, SerdeState> {
    if (!(other instanceof Table))
      throw new TopologyError(`${method}: a table is expected, not ${kindOf(other)}`)
    return new Table(addTableTableJoin(method, this.parts, other.parts, joiner, options))
  }

  #filter(
    method: string,
    compute: RowFunction<K, V, V>,
    options: MaterializedOptions<K, V> | undefined,
  ): Table<K, V, VS> {
    return this.#computed(method, 'KTABLE-FILTER-', compute, options, {
      value: options?.value ?? this.parts.value,
      forwardsAbsence: false,
      asksForOldValues: true,
    })
  }

  #computed<V2, VS2 extends SerdeState, Absent2 extends null>(
    method: string,
    prefix: string,
    compute: RowFunction<K, V, V2>,
    options: MaterializedOptions<K, V2> | undefined,
    table: { readonly value: Serde<V2> | null; readonly asksForOldValues: boolean } & Pick<
      TableMapOptions,
      'forwardsAbsence'
    >,
  ): Table<K, V2, VS2, Absent2> {
    checkStep(method, options, MATERIALIZED)
    checkStoreOptions(method, options)
    const { graph, node, sources, rows: parentRows } = this.parts
    const key = requireSerde(method, 'key', options?.key, this.parts.key)
    const value =
      options?.value === undefined ? table.value : requireSerde(method, 'value', options.value, null)
    const storeName = options?.store ?? null
    // As in Kafka Streams: a name for the store that is not made.
    if (asksForStore(options) && storeName === null) graph.newStoreName(prefix)
    const name = graph.nameOr(options?.name, prefix)
    const store =
      storeName === null
        ? null
        : tableStore(
            storeName,
            key,
            requireSerde(`${method} ${storeName}`, 'value', undefined, value),
            options,
          )
    const rows = new ComputedRows(storeName, parentRows, (view) => computedView(view, compute))
    // Old values where they cost nothing: a row that is filtered out, and was before, is then not forwarded as deleted.
    if (table.asksForOldValues) rows.sendsOldValues = parentRows.enableOldValues(false)
    const supplier = tableMap(compute, {
      store: storeName,
      sendsOldValues: () => rows.sendsOldValues,
      forwardsAbsence: table.forwardsAbsence,
    })
    const step = new GraphNode(name, (topology, parents) => {
      if (store !== null) topology.addStateStore(store)
      const stores = store === null ? [] : [store.name]
      topology.addProcessor(name, supplier, {
        parents,
        stores,
        preservesKey: true,
        readsByKey: rows.sendsOldValues || store?.caching === true ? stores : [],
      })
    })
    graph.add(step, node)
    return new Table({ graph, node: step, sources, key, value, rows })
  }
}
