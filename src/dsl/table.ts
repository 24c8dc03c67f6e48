import type { ValueMapper } from '../process/operators/map-values.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import type { RowPredicate } from '../process/operators/table-map.ts'
import type { RowSelector } from '../process/operators/table-repartition-map.ts'
import type { ValueTransformerSupplier } from '../process/operators/table-transform.ts'
import type { Serde } from '../serde/serde.ts'
import { kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { addForeignKeyJoin, type ForeignKeyJoined, type ForeignKeyOptions } from './foreign-key-join.ts'
import { type GroupedTable, groupTable, type TableGroupOptions } from './grouped-table.ts'
import type { MaterializedOptions, NameOption } from './options.ts'
import type { OptionsArgument, SerdeState, ValueOption } from './serde-state.ts'
import { Stream } from './stream.ts'
import type { StreamParts } from './stream-parts.ts'
import type { Suppressed } from './suppressed.ts'
import { addTableTableJoin, type TABLE_JOINS } from './table-join.ts'
import type { TableParts } from './table-parts.ts'
import { addTableFilter, addTableFilterNot, addTableMapValues, addToStream } from './table-steps.ts'
import { addSuppress, type SuppressOptions } from './table-suppress.ts'
import { addTableTransform, type TransformerOptions } from './table-transform.ts'

/** A store needs the value's serde; without a store, none is needed. */
type FilterOptions<K, V, VS extends SerdeState> = VS extends 'known'
  ? MaterializedOptions<K, V>
  : NameOption | (MaterializedOptions<K, V> & { readonly value: Serde<V> })

/** A joined table's store needs the value's serde. */
type JoinedStore<K, R> = MaterializedOptions<K, Exclude<R, null>> & {
  readonly value: Serde<Exclude<R, null>>
}

/** Tells the joins by key from those by foreign key. */
interface NoForeignKey {
  readonly foreignKey?: undefined
}

/** Options of any kind of join. */
type AnyJoined<K, V, R> = MaterializedOptions<K, Exclude<R, null>> & {
  readonly foreignKey?: ForeignKeyOptions<K, V, unknown>['foreignKey'] | undefined
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
    return new Stream(addToStream(this.parts, options) as StreamParts<K, V | Absent>)
  }

  /** The rows for which `predicate`, called with (value, key), is true. Kept in a store only when `store` is given. */
  filter(predicate: RowPredicate<K, V>, options?: FilterOptions<K, V, VS>): Table<K, V, VS> {
    return new Table(addTableFilter(this.parts, predicate, options))
  }

  /** The rows for which `predicate`, called with (value, key), is false. Kept in a store only when `store` is given. */
  filterNot(predicate: RowPredicate<K, V>, options?: FilterOptions<K, V, VS>): Table<K, V, VS> {
    return new Table(addTableFilterNot(this.parts, predicate, options))
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
    const rowMapper = mapper as ValueMapper<K, V, Exclude<R, null> | null>
    return new Table(addTableMapValues(this.parts, rowMapper, options))
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
   * Joins each row to the other table's row that its foreign key names; one whose foreign key names none is left out. Whichever row changes, the joined
   * one does, with the larger of the two timestamps. The rows meet through two topics of the application's own, so that a result comes somewhat
   * later; one that is out of date by then is dropped. Both tables' value serdes must be known. Kafka Streams' KTable.join with a foreign-key extractor
   * (KIP-213, KIP-775).
   *
   * @param joiner gets (left, right, key of the left row); null leaves the row out
   */
  join<KO, V2, R, Absent2 extends null>(
    this: Table<K, V, 'known', Absent>,
    other: Table<KO, V2, 'known', Absent2>,
    joiner: ValueJoiner<K, V, V2, R>,
    options: ForeignKeyOptions<K, V, KO> & JoinedStore<K, R>,
  ): Table<K, Exclude<R, null>>
  join<KO, V2, R, Absent2 extends null>(
    this: Table<K, V, 'known', Absent>,
    other: Table<KO, V2, 'known', Absent2>,
    joiner: ValueJoiner<K, V, V2, R>,
    options: ForeignKeyOptions<K, V, KO> & NameOption,
  ): Table<K, Exclude<R, null>, 'missing'>
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
    options?: NameOption & NoForeignKey,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Absent2 | Extract<R, null>>
  join<V2, R>(
    other: Table<K, V2, SerdeState, null>,
    joiner: ValueJoiner<K, V, V2, R>,
    options?: AnyJoined<K, V, R>,
  ): Table<K, Exclude<R, null>, SerdeState> {
    return this.#join('join', other, joiner as AnyJoiner<K, V, V2, R>, options)
  }

  /**
   * As `join` with a foreign key, but every row of this table is in: joined to null where its foreign key is null or names no row. Kafka Streams'
   * KTable.leftJoin with a foreign-key extractor.
   *
   * @param joiner gets (left, right or null, key of the left row); null leaves the row out
   */
  leftJoin<KO, V2, R, Absent2 extends null>(
    this: Table<K, V, 'known', Absent>,
    other: Table<KO, V2, 'known', Absent2>,
    joiner: ValueJoiner<K, V, V2 | null, R>,
    options: ForeignKeyOptions<K, V, KO> & JoinedStore<K, R>,
  ): Table<K, Exclude<R, null>, 'known', Absent | Extract<R, null>>
  leftJoin<KO, V2, R, Absent2 extends null>(
    this: Table<K, V, 'known', Absent>,
    other: Table<KO, V2, 'known', Absent2>,
    joiner: ValueJoiner<K, V, V2 | null, R>,
    options: ForeignKeyOptions<K, V, KO> & NameOption,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Extract<R, null>>
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
    options?: NameOption & NoForeignKey,
  ): Table<K, Exclude<R, null>, 'missing', Absent | Extract<R, null>>
  leftJoin<V2, R>(
    other: Table<K, V2, SerdeState, null>,
    joiner: ValueJoiner<K, V, V2 | null, R>,
    options?: AnyJoined<K, V, R>,
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
    options: AnyJoined<K, V, R> | undefined,
  ): Table<K, Exclude<R, null>, SerdeState> {
    if (!(other instanceof Table))
      throw new TopologyError(`${method}: a table is expected, not ${kindOf(other)}`)
    if (method !== 'outerJoin' && options?.foreignKey !== undefined)
      return new Table(
        addForeignKeyJoin(
          method,
          this.parts,
          other.parts,
          joiner,
          options as ForeignKeyJoined<K, V, K, Exclude<R, null>>,
        ),
      )
    return new Table(addTableTableJoin(method, this.parts, other.parts, joiner, options))
  }
}
