import { CassandraTable } from '../cassandra/cassandra-table.ts'
import type { AsyncProcessorSupplier } from '../process/async-processor.ts'
import type { RecordPredicate } from '../process/operators/filter.ts'
import type { FlatRecordMapper, KeySelector, RecordMapper } from '../process/operators/map.ts'
import type { FlatValueMapper, ValueMapper } from '../process/operators/map-values.ts'
import type { AsyncValueMapper } from '../process/operators/map-values-async.ts'
import type { RecordAction } from '../process/operators/peek.ts'
import type { RangeJoiner, RangeRows, TableRow } from '../process/operators/range-join.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { TopicChooser } from '../topology/definition.ts'
import { kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { addMapValuesAsync, addProcessAsync } from './async-steps.ts'
import { BranchedStream } from './branched-stream.ts'
import { addCassandraSink, type CassandraSinkOption } from './cassandra-sink.ts'
import { addGlobalTableJoin, type GlobalJoinOptions, GlobalTable } from './global-table.ts'
import { type GroupedStream, grouped } from './grouped-stream.ts'
import { JoinInput } from './join-input.ts'
import type { JoinWindows } from './join-windows.ts'
import {
  type AsyncOptions,
  type AsyncProcessOptions,
  checkStep,
  type NameOption,
  type PrintOptions,
  type ProcessOptions,
  type ProduceOptions,
  type RepartitionOptions,
  type StoreOptions,
} from './options.ts'
import { addRangeJoin, type RangeJoined, type RangeJoinOptions } from './range-join.ts'
import { repartitioned } from './repartition.ts'
import type {
  BothStates,
  KeyOption,
  OptionsArgument,
  RepartitionSerdes,
  SerdeState,
  ValueOption,
} from './serde-state.ts'
import {
  addStreamJoin,
  type StreamJoined,
  type StreamJoinOptions,
  type StreamJoinSerdes,
} from './stream-join.ts'
import type { StreamParts } from './stream-parts.ts'
import { addSink } from './stream-sink.ts'
import {
  addFilter,
  addFilterNot,
  addFlatMap,
  addFlatMapValues,
  addForEach,
  addMap,
  addMapValues,
  addMerge,
  addPeek,
  addPrint,
  addProcess,
  addProcessValues,
  addSelectKey,
} from './stream-steps.ts'
import { addToTable } from './stream-table.ts'
import { addTableJoin, type TableJoined, type TableJoinOptions } from './stream-table-join.ts'
import { Table } from './table.ts'

type ToTableOptions<K, V, KS extends SerdeState, VS extends SerdeState> = KeyOption<NonNullable<K>, KS> &
  ValueOption<NonNullable<V>, VS> &
  NameOption &
  StoreOptions

/** A stream whose keys are the same, null or not. */
type StreamOfKeys<K, V, KS extends SerdeState, VS extends SerdeState> =
  | Stream<K, V, KS, VS>
  | Stream<NonNullable<K>, V, KS, VS>
  | Stream<K | null, V, KS, VS>

/** What a stream is joined with. */
type Joinable<K, V> =
  | Table<NonNullable<K>, V, SerdeState, null>
  | StreamOfKeys<K, V, SerdeState, SerdeState>
  | GlobalTable<unknown, V>

/** A joiner of any kind of join: which arguments are never null depends on the kind. */
type AnyJoiner<K, V, V2, R> =
  | ValueJoiner<K, NonNullable<V>, V2 | null, R>
  | ValueJoiner<NonNullable<K>, NonNullable<V>, V2, R>
  | ValueJoiner<K, NonNullable<V> | null, NonNullable<V2> | null, R>

/**
 * A stream of records, each a fact of its own. Kafka Streams' KStream: the same operators, the same names for what they add to the
 * topology. Functions get the record they are called for, or `(value, key)`; keys and values may be null where the topic has such records.
 *
 * `KS` and `VS` say whether the serdes of keys and values are known. They are not after an operator that changes keys (or values), and where
 * one is needed then, leaving it out is an error of the compiler. Every method throws a TopologyError with one line for what cannot be.
 */
export class Stream<K, V, KS extends SerdeState = 'known', VS extends SerdeState = 'known'> {
  declare protected readonly serdeStates: [KS, VS]
  /** @internal */
  readonly parts: StreamParts<K, V>
  readonly #joinInput: JoinInput<K, V>

  /** @internal */
  constructor(parts: StreamParts<K, V>) {
    this.parts = parts
    this.#joinInput = new JoinInput(parts)
  }

  /** The records for which `predicate` is true. */
  filter<V2 extends V>(
    predicate: (record: StreamRecord<K, V>) => record is StreamRecord<K, V2>,
    options?: NameOption,
  ): Stream<K, V2, KS, VS>
  filter(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS>
  filter(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream(addFilter(this.parts, predicate, options))
  }

  /** The records for which `predicate` is false. */
  filterNot(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream(addFilterNot(this.parts, predicate, options))
  }

  /** Another key and value for each record; timestamp and headers stay unless they are given too. */
  map<K2, V2>(
    mapper: RecordMapper<K, V, K2, V2>,
    options?: NameOption,
  ): Stream<K2, V2, 'missing', 'missing'> {
    return new Stream(addMap(this.parts, mapper, options))
  }

  /** Any number of records for each record. */
  flatMap<K2, V2>(
    mapper: FlatRecordMapper<K, V, K2, V2>,
    options?: NameOption,
  ): Stream<K2, V2, 'missing', 'missing'> {
    return new Stream(addFlatMap(this.parts, mapper, options))
  }

  /** Another value for each record. Called for null values too. */
  mapValues<V2>(mapper: ValueMapper<K, V, V2>, options?: NameOption): Stream<K, V2, KS, 'missing'> {
    return new Stream(addMapValues(this.parts, mapper, options))
  }

  /** Any number of values for each record; each goes on as a record with the same key. */
  flatMapValues<V2>(mapper: FlatValueMapper<K, V, V2>, options?: NameOption): Stream<K, V2, KS, 'missing'> {
    return new Stream(addFlatMapValues(this.parts, mapper, options))
  }

  /** Another key for each record. */
  selectKey<K2>(selector: KeySelector<K, V, K2>, options?: NameOption): Stream<K2, V, 'missing', VS> {
    return new Stream(addSelectKey(this.parts, 'selectKey', selector, options))
  }

  /** Shows each record to `action` on its way. */
  peek(action: RecordAction<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream(addPeek(this.parts, action, options))
  }

  /** Shows each record to `action`: the end of the stream. */
  forEach(action: RecordAction<K, V>, options?: NameOption): void {
    addForEach(this.parts, action, options)
  }

  /** Writes each record as a line, `[label]: key, value`, to look at while a topology is made: the end of the stream. Kafka Streams' KStream.print. */
  print(options?: PrintOptions<K, V>): void {
    addPrint(this.parts, options)
  }

  /**
   * Begins to divide the stream into branches.
   *
   * @example
   * const { large, rest } = stream
   *   .split()
   *   .branch(({ value }) => value > 100, { name: 'large' })
   *   .defaultBranch({ name: 'rest' })
   */
  split(options?: NameOption): BranchedStream<K, V, KS, VS> {
    return new BranchedStream(this.parts, options)
  }

  /** The records of both streams. Their serdes stay known where both streams have the same ones. */
  merge<KS2 extends SerdeState, VS2 extends SerdeState>(
    other: Stream<K, V, KS2, VS2>,
    options?: NameOption,
  ): Stream<K, V, BothStates<KS, KS2>, BothStates<VS, VS2>> {
    if (!(other instanceof Stream))
      throw new TopologyError(`merge: a stream is expected, not ${kindOf(other)}`)
    return new Stream(addMerge(this.parts, other.parts, options))
  }

  /**
   * The stream as a table: the last value of each key; a null value deletes, a null key is dropped. It has a store when `store` is given or when
   * something below reads its rows. When the key has changed, the records go through a repartition topic first. Kafka Streams' KStream.toTable.
   */
  toTable(
    ...[options]: OptionsArgument<ToTableOptions<K, V, KS, VS>>
  ): Table<NonNullable<K>, NonNullable<V>> {
    return new Table(addToTable(this.parts, options))
  }

  /**
   * Groups records by their key, to be counted, reduced or aggregated. When the key has changed they go through a repartition topic first, for
   * which both serdes must be known or given.
   */
  groupByKey(
    options: KeyOption<K, KS> & { readonly value: Serde<V> } & NameOption,
  ): GroupedStream<NonNullable<K>, NonNullable<V>, 'known', Extract<V, null>>
  groupByKey(
    ...options: OptionsArgument<RepartitionSerdes<K, V, KS, VS> & NameOption>
  ): GroupedStream<NonNullable<K>, NonNullable<V>, VS, Extract<V, null>>
  groupByKey(
    options?: { readonly key?: Serde<K>; readonly value?: Serde<V> } & NameOption,
  ): GroupedStream<NonNullable<K>, NonNullable<V>, never, never> {
    checkStep('groupByKey', options, ['key', 'value', 'name'])
    return grouped('groupByKey', this.parts, options)
  }

  /** Groups records by a new key, to be counted, reduced or aggregated; they go through a repartition topic first. */
  groupBy<K2>(
    selector: KeySelector<K, V, K2>,
    options: { readonly key: Serde<K2> } & ValueOption<V, VS> & NameOption,
  ): GroupedStream<NonNullable<K2>, NonNullable<V>, 'known', Extract<V, null>> {
    checkStep('groupBy', options, ['key', 'value', 'name'])
    const named = options?.name === undefined ? undefined : { name: options.name }
    return grouped('groupBy', addSelectKey(this.parts, 'groupBy', selector, named), options)
  }

  /** Sends the records through a topic of the application's own, so that records of a key come together. */
  repartition(
    ...[options]: OptionsArgument<KeyOption<K, KS> & ValueOption<V, VS> & RepartitionOptions<K, V>>
  ): Stream<K, V> {
    return new Stream(repartitioned(this.parts, options))
  }

  /** Processor API: what the processor forwards is the new stream. Its keys may have changed, so that a grouping below repartitions. */
  process<K2, V2>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options?: ProcessOptions,
  ): Stream<K2, V2, 'missing', 'missing'> {
    return new Stream(addProcess(this.parts, supplier, options))
  }

  /** Processor API, for a processor that leaves keys alone: forwarding another key is an error. */
  processValues<V2>(
    supplier: ProcessorSupplier<K, V, K, V2>,
    options?: ProcessOptions,
  ): Stream<K, V2, KS, 'missing'> {
    return new Stream(addProcessValues(this.parts, supplier, options))
  }

  /**
   * Another value for each record, which a promise gives: several records wait for theirs at once, and go on in their order. Called for null values too.
   * Nothing above in the sub-topology may have stores, or be async: put repartition() between. See AsyncProcessor.
   */
  mapValuesAsync<V2>(
    mapper: AsyncValueMapper<K, V, V2>,
    options?: AsyncOptions,
  ): Stream<K, V2, KS, 'missing'> {
    return new Stream(addMapValuesAsync(this.parts, mapper, options))
  }

  /**
   * Processor API, for a processor that waits for promises: what it forwards is the new stream. Its keys may have changed, so that a grouping below
   * repartitions. Nothing above in the sub-topology may have stores, or be async: put repartition() between. See AsyncProcessor.
   */
  processAsync<K2, V2, Result>(
    supplier: AsyncProcessorSupplier<K, V, K2, V2, Result>,
    options?: AsyncProcessOptions,
  ): Stream<K2, V2, 'missing', 'missing'> {
    return new Stream(addProcessAsync(this.parts, supplier, options))
  }

  /** Writes the records to a topic, which must exist. */
  to(
    topic: string,
    ...[options]: OptionsArgument<KeyOption<K, KS> & ValueOption<V, VS> & ProduceOptions<K, V>>
  ): void
  /**
   * Writes each record to the topic that `chooser` says. What it may say is given before, since topics are looked up when the application starts: all
   * must exist. Kafka Streams' KStream.to with a TopicNameExtractor.
   */
  to(
    chooser: TopicChooser<K, V>,
    options: KeyOption<K, KS> &
      ValueOption<V, VS> &
      ProduceOptions<K, V> & { readonly topics: readonly string[] },
  ): void
  /**
   * Writes each record as the row of its key to a table in Cassandra (made by `cassandra.table`); a null value deletes the row, a null key is dropped. See docs/cassandra.md for what that
   * guarantees.
   */
  to(table: CassandraTable<NonNullable<K>, NonNullable<V>>, options?: NameOption): void
  /** The same by way of a topic, as `exactly_once_v2` needs it. */
  to(
    table: CassandraTable<NonNullable<K>, NonNullable<V>>,
    options: KeyOption<K, KS> & ValueOption<V, VS> & CassandraSinkOption & { readonly through: string },
  ): void
  to(
    target: string | TopicChooser<K, V> | CassandraTable<NonNullable<K>, NonNullable<V>>,
    options?: {
      readonly key?: Serde<K>
      readonly value?: Serde<V>
      readonly topics?: readonly string[]
    } & ProduceOptions<K, V> &
      CassandraSinkOption,
  ): void {
    if (target instanceof CassandraTable) addCassandraSink(this.parts, target, options)
    else addSink(this.parts, target, options)
  }

  /**
   * Joins each record to the table's present row under its key; a record without a row is left out. Records with a null key or value are
   * dropped. When the key has changed, the stream goes through a repartition topic first.
   *
   * @param joiner gets (left, right, key)
   */
  join<VR, R, VS2 extends SerdeState, Absent extends null>(
    table: Table<NonNullable<K>, VR, VS2, Absent>,
    joiner: ValueJoiner<NonNullable<K>, NonNullable<V>, VR, R>,
    ...[options]: OptionsArgument<RepartitionSerdes<K, V, KS, VS> & TableJoinOptions>
  ): Stream<K, R, 'known', 'missing'>
  /**
   * Joins the records of two streams that have the same key and are close in time: each pair once, when the later of the two arrives, with the
   * larger timestamp. Records with a null key or value are dropped. A stream whose key has changed goes through a repartition topic first. Both
   * streams' records are kept in a store for as long as the window and its grace; all three serdes must be known or given. Kafka Streams'
   * KStream.join with JoinWindows.
   *
   * @param joiner gets (left, right, key)
   */
  join<V2, R, KS2 extends SerdeState, VS2 extends SerdeState>(
    stream: StreamOfKeys<K, V2, KS2, VS2>,
    joiner: ValueJoiner<NonNullable<K>, NonNullable<V>, NonNullable<V2>, R>,
    windows: JoinWindows,
    ...[options]: OptionsArgument<StreamJoinSerdes<K, V, V2, KS, VS, KS2, VS2> & StreamJoinOptions>
  ): Stream<K, R, 'known', 'missing'>
  /**
   * Joins each record to the row of a global table that it chooses; one without a row is left out. Records with a null value are dropped, and those that
   * choose no key. Nothing is repartitioned. Kafka Streams' KStream.join with a GlobalKTable.
   *
   * @param joiner gets (left, right, the record's key)
   */
  join<GK, VR, R>(
    table: GlobalTable<GK, VR>,
    joiner: ValueJoiner<K, NonNullable<V>, VR, R>,
    options: GlobalJoinOptions<K, NonNullable<V>, GK>,
  ): Stream<K, R, KS, 'missing'>
  join<V2, R>(other: Joinable<K, V2>, joiner: AnyJoiner<K, V, V2, R>, ...rest: readonly unknown[]): unknown {
    return this.#join('join', other, joiner, rest)
  }

  /**
   * As `join`, but a record without a row is joined to null, and so is a record without a key. Records with a null value are dropped.
   *
   * @param joiner gets (left, right or null, key)
   */
  leftJoin<VR, R, VS2 extends SerdeState, Absent extends null>(
    table: Table<NonNullable<K>, VR, VS2, Absent>,
    joiner: ValueJoiner<K, NonNullable<V>, VR | null, R>,
    ...[options]: OptionsArgument<RepartitionSerdes<K, V, KS, VS> & TableJoinOptions>
  ): Stream<K, R, 'known', 'missing'>
  /**
   * As `join`, but a record of this stream that no other has met is joined to null: when later records of either stream show that its window and
   * grace are over, and at most once a second. One without a key is at once, and so is one that comes when its window is over already, though
   * a late record may yet meet it. Records with a null value are dropped.
   *
   * @param joiner gets (left, right or null, key)
   */
  leftJoin<V2, R, KS2 extends SerdeState, VS2 extends SerdeState>(
    stream: StreamOfKeys<K, V2, KS2, VS2>,
    joiner: ValueJoiner<K, NonNullable<V>, NonNullable<V2> | null, R>,
    windows: JoinWindows,
    ...[options]: OptionsArgument<StreamJoinSerdes<K, V, V2, KS, VS, KS2, VS2> & StreamJoinOptions>
  ): Stream<K, R, 'known', 'missing'>
  /**
   * As `join` with a global table, but a record that chooses no key, or one without a row, is joined to null.
   *
   * @param joiner gets (left, right or null, the record's key)
   */
  leftJoin<GK, VR, R>(
    table: GlobalTable<GK, VR>,
    joiner: ValueJoiner<K, NonNullable<V>, VR | null, R>,
    options: GlobalJoinOptions<K, NonNullable<V>, GK>,
  ): Stream<K, R, KS, 'missing'>
  leftJoin<V2, R>(
    other: Joinable<K, V2>,
    joiner: AnyJoiner<K, V, V2, R>,
    ...rest: readonly unknown[]
  ): unknown {
    return this.#join('leftJoin', other, joiner, rest)
  }

  /**
   * As `leftJoin` of two streams, for records of both: those of the other stream that met none are joined to null too.
   *
   * @param joiner gets (left or null, right or null, key), of which one is not null
   */
  outerJoin<V2, R, KS2 extends SerdeState, VS2 extends SerdeState>(
    stream: StreamOfKeys<K, V2, KS2, VS2>,
    joiner: ValueJoiner<K, NonNullable<V> | null, NonNullable<V2> | null, R>,
    windows: JoinWindows,
    ...[options]: OptionsArgument<StreamJoinSerdes<K, V, V2, KS, VS, KS2, VS2> & StreamJoinOptions>
  ): Stream<K, R, 'known', 'missing'> {
    if (!(stream instanceof Stream))
      throw new TopologyError(`outerJoin: a stream is expected, not ${kindOf(stream)}`)
    const other = (stream as Stream<K, V2, SerdeState, SerdeState>).#joinInput
    const anyJoiner = joiner as ValueJoiner<K, V | null, V2 | null, R>
    return new Stream(addStreamJoin('outerJoin', this.#joinInput, other, anyJoiner, windows, options))
  }

  /**
   * Joins each record to a range of rows that the record chooses: all rows of a table, or of a store, under a prefix or between two keys. The joiner
   * is called once for a record, and for one without rows too; what it returns is the new value. A change of a row joins nothing. Records with a null key
   * or value are dropped. When the key has changed, the stream goes through a repartition topic first. Weir's own: a 1:N join that Kafka Streams leaves to
   * processors.
   *
   * Rows lie in the order of their keys' bytes, so the rows of one range must have keys that begin alike: the key of the records first, then, of
   * fixed length and big-endian, what the range is of. They are found where they have been written in the same partition: the rows' topic must be
   * partitioned by that beginning alone, by a `partitioner`, and it must have as many partitions as the stream's.
   *
   * @param rows a table with a store, or the name of a key-value store that was added by addStateStore
   * @param joiner gets (left, rows, key); `rows` can be gone through once, before the joiner returns
   * @throws TopologyError for a table without a store, or a wrong option
   *
   * @example
   * // A view, with what its user has bought in the hour before. The keys of `orders` are user 00 time(8).
   * views.joinRange(orders, (view, rows) => ({ ...view, bought: [...rows.values()] }), {
   *   range: ({ key, timestamp }) => ({
   *     from: { user: key, time: timestamp - hours(1) },
   *     to: { user: key, time: timestamp },
   *   }),
   * })
   */
  joinRange<KR, VR, R, VS2 extends SerdeState, Absent extends null, P = never>(
    rows: Table<KR, VR, VS2, Absent>,
    joiner: RangeJoiner<NonNullable<K>, NonNullable<V>, RangeRows<KR, VR, TableRow<KR, VR>>, R>,
    options: RangeJoinOptions<NonNullable<K>, NonNullable<V>, KR, P> & RepartitionSerdes<K, V, KS, VS>,
  ): Stream<K, R, KS, 'missing'>
  joinRange<KR, VR, R, P = never>(
    rows: string,
    joiner: RangeJoiner<
      NonNullable<K>,
      NonNullable<V>,
      RangeRows<KR, VR, { readonly key: KR; readonly value: VR }>,
      R
    >,
    options: RangeJoinOptions<NonNullable<K>, NonNullable<V>, KR, P> & RepartitionSerdes<K, V, KS, VS>,
  ): Stream<K, R, KS, 'missing'>
  joinRange<KR, VR, R, P>(
    rows: Table<KR, VR, SerdeState, null> | string,
    joiner: RangeJoiner<NonNullable<K>, NonNullable<V>, never, R>,
    options: RangeJoined<K, V, KR, P>,
  ): Stream<K, R, KS, 'missing'> {
    if (!(rows instanceof Table) && typeof rows !== 'string')
      throw new TopologyError(`joinRange: a table or a store's name is expected, not ${kindOf(rows)}`)
    const source = typeof rows === 'string' ? rows : rows.parts
    return new Stream(addRangeJoin(this.#joinInput, source, joiner, options))
  }

  #join<V2, R>(
    method: 'join' | 'leftJoin',
    other: Joinable<K, V2>,
    joiner: AnyJoiner<K, V, V2, R>,
    [first, second]: readonly unknown[],
  ): Stream<K, R, 'known', 'missing'> {
    const tableJoiner = joiner as ValueJoiner<K, NonNullable<V>, V2 | null, R>
    if (other instanceof GlobalTable)
      return new Stream(
        addGlobalTableJoin(
          method,
          this.parts,
          other,
          tableJoiner,
          first as GlobalJoinOptions<K, NonNullable<V>, unknown>,
        ),
      )
    if (other instanceof Stream)
      return new Stream(
        addStreamJoin(
          method,
          this.#joinInput,
          (other as Stream<K, V2, SerdeState, SerdeState>).#joinInput,
          joiner as ValueJoiner<K, V | null, V2 | null, R>,
          first as JoinWindows,
          second as StreamJoined<K, V, V2> | undefined,
        ),
      )
    if (!(other instanceof Table))
      throw new TopologyError(`${method}: a table or a stream is expected, not ${kindOf(other)}`)
    return new Stream(
      addTableJoin(method, this.#joinInput, other.parts, tableJoiner, first as TableJoined<K, V> | undefined),
    )
  }
}
