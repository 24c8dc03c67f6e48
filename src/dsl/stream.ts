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
import { forEach, passThrough, peek, type RecordAction } from '../process/operators/peek.ts'
import { streamTableJoin, type ValueJoiner } from '../process/operators/stream-table-join.ts'
import type { TableView } from '../process/operators/table-view.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import { checkSupplier } from '../topology/check-supplier.ts'
import { checkFunction, checkName, checkNames, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { type DslGraph, GraphNode, type RepartitionGraphNode } from './graph.ts'
import { GroupedStream } from './grouped-stream.ts'
import {
  checkStep,
  type NameOption,
  type ProcessOptions,
  type ProduceOptions,
  type RepartitionOptions,
} from './options.ts'
import { repartitionNode } from './repartition.ts'
import {
  type BothStates,
  type KeyOption,
  type OptionsArgument,
  type RepartitionSerdes,
  requireSerde,
  type SerdeState,
  type ValueOption,
} from './serde-state.ts'
import { Table } from './table.ts'

/** What a stream is made of. */
export interface StreamParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  /** The sources it comes from, back to the last repartition topic. */
  readonly sources: ReadonlySet<string>
  /** null when unknown, after the keys (or values) have changed. */
  readonly key: Serde<K> | null
  readonly value: Serde<V> | null
  /** True when a key may have changed: records of a key no longer come from one partition. */
  readonly repartitionRequired: boolean
}

interface StepOptions {
  readonly changesKey?: boolean
  readonly stores?: readonly string[]
  readonly readsByKey?: readonly string[]
}

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
      node: this.#step('filter', 'KSTREAM-FILTER-', predicate, filter, options),
    })
  }

  /** The records for which `predicate` is false. */
  filterNot(predicate: RecordPredicate<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream({
      ...this.parts,
      node: this.#step('filterNot', 'KSTREAM-FILTER-', predicate, filterNot, options),
    })
  }

  /** Another key and value for each record; timestamp and headers stay unless they are given too. */
  map<K2, V2>(
    mapper: RecordMapper<K, V, K2, V2>,
    options?: NameOption,
  ): Stream<K2, V2, 'missing', 'missing'> {
    const node = this.#step('map', 'KSTREAM-MAP-', mapper, map, options, { changesKey: true })
    return this.#rekeyed(node, null)
  }

  /** Any number of records for each record. */
  flatMap<K2, V2>(
    mapper: FlatRecordMapper<K, V, K2, V2>,
    options?: NameOption,
  ): Stream<K2, V2, 'missing', 'missing'> {
    const node = this.#step('flatMap', 'KSTREAM-FLATMAP-', mapper, flatMap, options, { changesKey: true })
    return this.#rekeyed(node, null)
  }

  /** Another value for each record. Called for null values too. */
  mapValues<V2>(mapper: ValueMapper<K, V, V2>, options?: NameOption): Stream<K, V2, KS, 'missing'> {
    const node = this.#step('mapValues', 'KSTREAM-MAPVALUES-', mapper, mapValues, options)
    return new Stream({ ...this.parts, node, value: null })
  }

  /** Any number of values for each record; each goes on as a record with the same key. */
  flatMapValues<V2>(mapper: FlatValueMapper<K, V, V2>, options?: NameOption): Stream<K, V2, KS, 'missing'> {
    const node = this.#step('flatMapValues', 'KSTREAM-FLATMAPVALUES-', mapper, flatMapValues, options)
    return new Stream({ ...this.parts, node, value: null })
  }

  /** Another key for each record. */
  selectKey<K2>(selector: KeySelector<K, V, K2>, options?: NameOption): Stream<K2, V, 'missing', VS> {
    const node = this.#step('selectKey', 'KSTREAM-KEY-SELECT-', selector, selectKey, options, {
      changesKey: true,
    })
    return this.#rekeyed(node, this.parts.value)
  }

  /** Shows each record to `action` on its way. */
  peek(action: RecordAction<K, V>, options?: NameOption): Stream<K, V, KS, VS> {
    return new Stream({ ...this.parts, node: this.#step('peek', 'KSTREAM-PEEK-', action, peek, options) })
  }

  /** Shows each record to `action`: the end of the stream. */
  forEach(action: RecordAction<K, V>, options?: NameOption): void {
    this.#step('forEach', 'KSTREAM-FOREACH-', action, forEach, options)
  }

  /** The records of both streams. Their serdes stay known where both streams have the same ones. */
  merge<KS2 extends SerdeState, VS2 extends SerdeState>(
    other: Stream<K, V, KS2, VS2>,
    options?: NameOption,
  ): Stream<K, V, BothStates<KS, KS2>, BothStates<VS, VS2>> {
    if (!(other instanceof Stream))
      throw new TopologyError(`merge: a stream is expected, not ${kindOf(other)}`)
    checkStep('merge', options, ['name'])
    const { graph, node, sources, key, value, repartitionRequired } = this.parts
    const others = other.parts
    const name = graph.nameOr(options?.name, 'KSTREAM-MERGE-')
    const merged = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, passThrough(), { parents, preservesKey: true }),
    )
    return new Stream({
      graph,
      node: graph.add(merged, node, others.node),
      sources: new Set([...sources, ...others.sources]),
      key: key === others.key ? key : null,
      value: value === others.value ? value : null,
      repartitionRequired: repartitionRequired || others.repartitionRequired,
    })
  }

  /**
   * Groups records by their key, to be counted, reduced or aggregated. When the key has changed they go through a repartition topic first, for
   * which both serdes must be known or given.
   */
  groupByKey(
    options: KeyOption<K, KS> & { readonly value: Serde<V> } & NameOption,
  ): GroupedStream<NonNullable<K>, NonNullable<V>, 'known'>
  groupByKey(
    ...options: OptionsArgument<RepartitionSerdes<K, V, KS, VS> & NameOption>
  ): GroupedStream<NonNullable<K>, NonNullable<V>, VS>
  groupByKey(
    options?: { readonly key?: Serde<K>; readonly value?: Serde<V> } & NameOption,
  ): GroupedStream<NonNullable<K>, NonNullable<V>, never> {
    checkStep('groupByKey', options, ['key', 'value', 'name'])
    return this.#grouped('groupByKey', this.parts.node, this.parts, options)
  }

  /** Groups records by a new key, to be counted, reduced or aggregated; they go through a repartition topic first. */
  groupBy<K2>(
    selector: KeySelector<K, V, K2>,
    options: { readonly key: Serde<K2> } & ValueOption<V, VS> & NameOption,
  ): GroupedStream<NonNullable<K2>, NonNullable<V>, 'known'> {
    checkStep('groupBy', options, ['key', 'value', 'name'])
    const named = options?.name === undefined ? undefined : { name: options.name }
    const node = this.#step('groupBy', 'KSTREAM-KEY-SELECT-', selector, selectKey, named, {
      changesKey: true,
    })
    const rekeyed: Stream<K2, V, 'missing', VS> = this.#rekeyed(node, this.parts.value)
    return rekeyed.#grouped('groupBy', node, rekeyed.parts, options)
  }

  /** Sends the records through a topic of the application's own, so that records of a key come together. */
  repartition(
    ...[options]: OptionsArgument<KeyOption<K, KS> & ValueOption<V, VS> & RepartitionOptions<K, V>>
  ): Stream<K, V> {
    const {
      key: keySerde,
      value: valueSerde,
      name,
      partitions,
      partitioner,
    } = (options ?? {}) as {
      readonly key?: Serde<K>
      readonly value?: Serde<V>
    } & RepartitionOptions<K, V>
    checkStep('repartition', options, ['key', 'value', 'name', 'partitions', 'partitioner'])
    if (partitions !== undefined && !(Number.isInteger(partitions) && partitions > 0)) {
      throw new TopologyError(`repartition: partitions is ${partitions}; allowed is a whole number from 1`)
    }
    if (partitioner !== undefined) checkFunction('repartition', 'partitioner', partitioner)
    const { graph, node } = this.parts
    const key = requireSerde('repartition', 'key', keySerde, this.parts.key)
    const value = requireSerde('repartition', 'value', valueSerde, this.parts.value)
    const repartition = repartitionNode(graph, {
      // Other than elsewhere, Kafka Streams uses up an index only when it generates the name.
      name: name ?? graph.newName('KSTREAM-REPARTITION-'),
      key,
      value,
      ...(partitions !== undefined && { partitions }),
      ...(partitioner !== undefined && { partitioner: partitioner as never }),
    })
    graph.add(repartition, node)
    const sources = new Set([repartition.name])
    return new Stream({ graph, node: repartition, sources, key, value, repartitionRequired: false })
  }

  /** Processor API: what the processor forwards is the new stream. Its keys may have changed, so that a grouping below repartitions. */
  process<K2, V2>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options?: ProcessOptions,
  ): Stream<K2, V2, 'missing', 'missing'> {
    return this.#rekeyed(
      this.#processor('process', 'KSTREAM-PROCESSOR-', supplier, supplier, options, false),
      null,
    )
  }

  /** Processor API, for a processor that leaves keys alone: forwarding another key is an error. */
  processValues<V2>(
    supplier: ProcessorSupplier<K, V, K, V2>,
    options?: ProcessOptions,
  ): Stream<K, V2, KS, 'missing'> {
    const kept = fixedKey(supplier)
    const node = this.#processor('processValues', 'KSTREAM-PROCESSVALUES-', supplier, kept, options, true)
    return new Stream({ ...this.parts, node, value: null })
  }

  /** Writes the records to a topic, which must exist. */
  to(
    topic: string,
    ...[options]: OptionsArgument<KeyOption<K, KS> & ValueOption<V, VS> & ProduceOptions<K, V>>
  ): void {
    checkName('to', 'the topic', topic)
    const where = `to ${topic}`
    const given = (options ?? {}) as { readonly key?: Serde<K>; readonly value?: Serde<V> } & ProduceOptions<
      K,
      V
    >
    checkStep(where, options, ['key', 'value', 'partitioner', 'name'])
    const { graph, node } = this.parts
    const key = requireSerde(where, 'key', given.key, this.parts.key)
    const value = requireSerde(where, 'value', given.value, this.parts.value)
    const { partitioner } = given
    const name = graph.nameOr(given.name, 'KSTREAM-SINK-')
    const sink = new GraphNode(name, (topology, parents) =>
      topology.addSink(name, {
        parents,
        topic,
        key,
        value,
        ...(partitioner !== undefined && { partitioner }),
      }),
    )
    graph.add(sink, node)
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
    const { graph } = left
    const sources = new Set([...left.sources, ...table.parts.sources])
    graph.copartition(sources)
    const name = graph.nameOr(options?.name, leftJoin ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-')
    const view = table.parts.rows.view() as TableView<K, VR>
    const node = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, streamTableJoin(view, joiner, leftJoin), {
        parents,
        stores: view.stores,
        preservesKey: true,
        readsByKey: view.stores,
      }),
    )
    node.relaxesNullKeys = leftJoin
    graph.add(node, left.node)
    return new Stream({
      graph,
      node,
      sources,
      key: options?.key ?? left.key,
      value: null,
      repartitionRequired: false,
    })
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

  #grouped<K2>(
    method: string,
    node: GraphNode,
    { graph, sources, key, value, repartitionRequired }: StreamParts<K2, V>,
    options: { readonly key?: Serde<K2>; readonly value?: Serde<V>; readonly name?: string } | undefined,
  ): GroupedStream<NonNullable<K2>, NonNullable<V>, never> {
    return new GroupedStream({
      graph,
      node,
      sources,
      // Nulls are dropped before anything is written.
      key: requireSerde(method, 'key', options?.key, key) as Serde<NonNullable<K2>>,
      value: (repartitionRequired
        ? requireSerde(method, 'value', options?.value, value)
        : (options?.value ?? value)) as Serde<NonNullable<V>> | null,
      repartitionRequired,
      repartitionName: options?.name ?? null,
    })
  }

  #rekeyed<K2, V2, VS2 extends SerdeState>(
    node: GraphNode,
    value: Serde<V2> | null,
  ): Stream<K2, V2, 'missing', VS2> {
    return new Stream({ ...this.parts, node, key: null, value, repartitionRequired: true })
  }

  /** Adds an operator that takes one function of the user's. */
  #step<F, K2, V2>(
    method: string,
    prefix: string,
    callback: F,
    operator: (callback: F) => ProcessorSupplier<K, V, K2, V2>,
    options: NameOption | undefined,
    { changesKey = false }: StepOptions = {},
  ): GraphNode {
    checkStep(method, options, ['name'])
    checkFunction(method, 'the first argument', callback)
    const { graph, node } = this.parts
    const name = graph.nameOr(options?.name, prefix)
    const supplier = operator(callback)
    const step = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, supplier, { parents, preservesKey: !changesKey }),
    )
    return graph.add(step, node)
  }

  #processor<K2, V2>(
    method: string,
    prefix: string,
    given: ProcessorSupplier<K, V, K2, V2>,
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options: ProcessOptions | undefined,
    preservesKey: boolean,
  ): GraphNode {
    checkStep(method, options, ['name', 'stores', 'readsByKey'])
    const { graph, node } = this.parts
    const { stores = [], readsByKey = [] } = options ?? {}
    // A given name uses up no index here, as in Kafka Streams.
    const name = options?.name ?? graph.newName(prefix)
    checkNames(name, 'stores', stores)
    checkNames(name, 'readsByKey', readsByKey)
    checkSupplier(`processor ${name}`, given)
    const step = new GraphNode(name, (topology, parents) =>
      topology.addProcessor(name, supplier, { parents, stores, preservesKey, readsByKey }),
    )
    return graph.add(step, node)
  }
}
