import { filter, filterNot, type RecordPredicate } from '../process/operators/filter.ts'
import { fixedKey } from '../process/operators/fixed-key.ts'
import {
  type FlatRecordMapper,
  flatMap,
  type KeySelector,
  map,
  type RecordMapper,
  selectKey,
} from '../process/operators/map.ts'
import {
  type FlatValueMapper,
  flatMapValues,
  mapValues,
  type ValueMapper,
} from '../process/operators/map-values.ts'
import { forEach, peek, type RecordAction } from '../process/operators/peek.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import { checkFunction, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import type { GraphNode, RepartitionGraphNode } from './graph.ts'
import { type GroupedStream, grouped } from './grouped-stream.ts'
import {
  checkStep,
  type NameOption,
  type ProcessOptions,
  type ProduceOptions,
  type RepartitionOptions,
} from './options.ts'
import { repartitioned, repartitionNode } from './repartition.ts'
import {
  type BothStates,
  type KeyOption,
  type OptionsArgument,
  type RepartitionSerdes,
  requireSerde,
  type SerdeState,
  type ValueOption,
} from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'
import { addMerge, addProcessor, addSink, addStep, addTableJoin } from './stream-steps.ts'
import { Table } from './table.ts'

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
  /** The last topic that the stream was written to for a join. */
  #repartition: RepartitionGraphNode | null = null

  /** @internal */
  constructor(parts: StreamParts<K, V>) {
    this.parts = parts
  }

  /** The records for which `predicate` is true. */
  filter<V2 extends V>(
    predicate: (record: StreamRecord<K, V>) => record is StreamRecord<K, V2>,
    options?: NameOption,
  ): Stream<K, V2, KS, VS>
  filter(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS>
  filter(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream({
      ...this.parts,
      node: addStep(this.parts, 'filter', 'KSTREAM-FILTER-', predicate, filter, options),
    })
  }

  /** The records for which `predicate` is false. */
  filterNot(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream({
      ...this.parts,
      node: addStep(this.parts, 'filterNot', 'KSTREAM-FILTER-', predicate, filterNot, options),
    })
  }

  /** Another key and value for each record; timestamp and headers stay unless they are given too. */
  map<K2, V2>(
    mapper: RecordMapper<K, V, K2, V2>,
    options?: NameOption,
  ): Stream<K2, V2, 'missing', 'missing'> {
    const node = addStep(this.parts, 'map', 'KSTREAM-MAP-', mapper, map, options, { changesKey: true })
    return this.#rekeyed(node, null)
  }

  /** Any number of records for each record. */
  flatMap<K2, V2>(
    mapper: FlatRecordMapper<K, V, K2, V2>,
    options?: NameOption,
  ): Stream<K2, V2, 'missing', 'missing'> {
    const node = addStep(this.parts, 'flatMap', 'KSTREAM-FLATMAP-', mapper, flatMap, options, {
      changesKey: true,
    })
    return this.#rekeyed(node, null)
  }

  /** Another value for each record. Called for null values too. */
  mapValues<V2>(mapper: ValueMapper<K, V, V2>, options?: NameOption): Stream<K, V2, KS, 'missing'> {
    const node = addStep(this.parts, 'mapValues', 'KSTREAM-MAPVALUES-', mapper, mapValues, options)
    return new Stream({ ...this.parts, node, value: null })
  }

  /** Any number of values for each record; each goes on as a record with the same key. */
  flatMapValues<V2>(mapper: FlatValueMapper<K, V, V2>, options?: NameOption): Stream<K, V2, KS, 'missing'> {
    const node = addStep(
      this.parts,
      'flatMapValues',
      'KSTREAM-FLATMAPVALUES-',
      mapper,
      flatMapValues,
      options,
    )
    return new Stream({ ...this.parts, node, value: null })
  }

  /** Another key for each record. */
  selectKey<K2>(selector: KeySelector<K, V, K2>, options?: NameOption): Stream<K2, V, 'missing', VS> {
    const node = addStep(this.parts, 'selectKey', 'KSTREAM-KEY-SELECT-', selector, selectKey, options, {
      changesKey: true,
    })
    return this.#rekeyed(node, this.parts.value)
  }

  /** Shows each record to `action` on its way. */
  peek(action: RecordAction<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream({
      ...this.parts,
      node: addStep(this.parts, 'peek', 'KSTREAM-PEEK-', action, peek, options),
    })
  }

  /** Shows each record to `action`: the end of the stream. */
  forEach(action: RecordAction<K, V>, options?: NameOption): void {
    addStep(this.parts, 'forEach', 'KSTREAM-FOREACH-', action, forEach, options)
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
    const node = addStep(this.parts, 'groupBy', 'KSTREAM-KEY-SELECT-', selector, selectKey, named, {
      changesKey: true,
    })
    const rekeyed: Stream<K2, V, 'missing', VS> = this.#rekeyed(node, this.parts.value)
    return grouped('groupBy', rekeyed.parts, options)
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
    return this.#rekeyed(
      addProcessor(this.parts, 'process', 'KSTREAM-PROCESSOR-', supplier, supplier, options, false),
      null,
    )
  }

  /** Processor API, for a processor that leaves keys alone: forwarding another key is an error. */
  processValues<V2>(
    supplier: ProcessorSupplier<K, V, K, V2>,
    options?: ProcessOptions,
  ): Stream<K, V2, KS, 'missing'> {
    const kept = fixedKey(supplier)
    const node = addProcessor(
      this.parts,
      'processValues',
      'KSTREAM-PROCESSVALUES-',
      supplier,
      kept,
      options,
      true,
    )
    return new Stream({ ...this.parts, node, value: null })
  }

  /** Writes the records to a topic, which must exist. */
  to(
    topic: string,
    ...[options]: OptionsArgument<KeyOption<K, KS> & ValueOption<V, VS> & ProduceOptions<K, V>>
  ): void {
    addSink(this.parts, topic, options)
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
    ...[options]: OptionsArgument<RepartitionSerdes<K, V, KS, VS> & NameOption>
  ): Stream<K, R, 'known', 'missing'> {
    return this.#joinTable(
      'join',
      table,
      joiner as ValueJoiner<K, NonNullable<V>, VR | null, R>,
      false,
      options,
    )
  }

  /**
   * As `join`, but a record without a row is joined to null, and so is a record without a key. Records with a null value are dropped.
   *
   * @param joiner gets (left, right or null, key)
   */
  leftJoin<VR, R, VS2 extends SerdeState, Absent extends null>(
    table: Table<NonNullable<K>, VR, VS2, Absent>,
    joiner: ValueJoiner<K, NonNullable<V>, VR | null, R>,
    ...[options]: OptionsArgument<RepartitionSerdes<K, V, KS, VS> & NameOption>
  ): Stream<K, R, 'known', 'missing'> {
    return this.#joinTable('leftJoin', table, joiner, true, options)
  }

  #joinTable<VR, R, VS2 extends SerdeState, Absent extends null>(
    method: 'join' | 'leftJoin',
    table: Table<NonNullable<K>, VR, VS2, Absent>,
    joiner: ValueJoiner<K, NonNullable<V>, VR | null, R>,
    leftJoin: boolean,
    options: ({ readonly key?: Serde<K>; readonly value?: Serde<V> } & NameOption) | undefined,
  ): Stream<K, R, 'known', 'missing'> {
    checkStep(method, options, ['key', 'value', 'name'])
    if (!(table instanceof Table))
      throw new TopologyError(`${method}: a table is expected, not ${kindOf(table)}`)
    checkFunction(method, 'the joiner', joiner)
    const { repartitionRequired } = this.parts
    const left = repartitionRequired ? this.#repartitioned(method, options) : this.parts
    return new Stream(addTableJoin(left, table.parts, joiner, leftJoin, options))
  }

  /** This stream after a repartition topic, the same one at each call unless it is given a name. */
  #repartitioned(
    method: string,
    options: ({ readonly key?: Serde<K>; readonly value?: Serde<V> } & NameOption) | undefined,
  ): StreamParts<K, V> {
    const { graph, node } = this.parts
    const name = options?.name ?? node.name
    const key = requireSerde(method, 'key', options?.key, this.parts.key)
    const value = requireSerde(method, 'value', options?.value, this.parts.value)
    const made = repartitionNode(graph, { name, key, value })
    if (this.#repartition === null || name !== node.name) this.#repartition = graph.add(made, node)
    const repartition = this.#repartition
    return {
      graph,
      node: repartition,
      sources: new Set([repartition.name]),
      key,
      value,
      repartitionRequired: false,
    }
  }

  #rekeyed<K2, V2, VS2 extends SerdeState>(
    node: GraphNode,
    value: Serde<V2> | null,
  ): Stream<K2, V2, 'missing', VS2> {
    return new Stream({ ...this.parts, node, key: null, value, repartitionRequired: true })
  }
}
