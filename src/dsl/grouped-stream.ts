import {
  type AggregateOptions,
  type Aggregator,
  aggregate,
  type Initializer,
} from '../process/operators/aggregate.ts'
import type { Change } from '../process/operators/change.ts'
import { count } from '../process/operators/count.ts'
import { type Reducer, reduce } from '../process/operators/reduce.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import { type DslGraph, GraphNode, type RepartitionGraphNode } from './graph.ts'
import {
  asksForStore,
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  type NameOption,
  type StoreOptions,
  tableStore,
} from './options.ts'
import { repartitionNode } from './repartition.ts'
import { type OptionsArgument, requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'
import { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'

export interface GroupedParts<K, V> {
  readonly graph: DslGraph
  readonly node: GraphNode
  readonly sources: ReadonlySet<string>
  readonly key: Serde<K>
  readonly value: Serde<V> | null
  readonly repartitionRequired: boolean
  /** Given by the user: then all aggregates of this grouping share one topic. */
  readonly repartitionName: string | null
}

export interface AggregateSpecification<K, V, A, R extends A | null> extends NameOption, StoreOptions {
  readonly initializer: Initializer<A>
  /** Gets (aggregate, value, key). Returning null deletes the aggregate. */
  readonly aggregator: Aggregator<K, V, A, R>
  /** The store's key serde. Default: the grouping's. */
  readonly key?: Serde<K>
  readonly value: Serde<A>
}

/**
 * Records grouped by key. Kafka Streams' KGroupedStream. Records with a null key or value are dropped and counted. A result has the largest
 * timestamp of its records.
 */
export class GroupedStream<K, V, VS extends SerdeState = 'known'> {
  declare protected readonly serdeState: VS
  readonly #parts: GroupedParts<K, V>
  #repartition: RepartitionGraphNode | null = null

  /** @internal */
  constructor(parts: GroupedParts<K, V>) {
    this.#parts = parts
  }

  /** How many records each key had. `value` is the store's serde; default: serdes.int64. */
  count(options?: MaterializedOptions<K, number>): Table<K, number, 'known', never> {
    checkStep('count', options, MATERIALIZED)
    const { graph } = this.#parts
    // Kafka Streams generates one name too many here, and later names depend on it.
    if (asksForStore(options) && options?.store === undefined) graph.newStoreName('KSTREAM-AGGREGATE-')
    return this.#table('KSTREAM-AGGREGATE-', options, options?.value ?? serdes.int64, count)
  }

  /** Combines the records of each key, from the first one's value: (aggregate, value, key) to the new aggregate; null deletes it. */
  reduce<R extends V | null>(
    reducer: Reducer<K, V, R>,
    ...[options]: OptionsArgument<ValueOption<V, VS> & Omit<MaterializedOptions<K, V>, 'value'>>
  ): Table<K, V, 'known', Extract<R, null>> {
    checkFunction('reduce', 'the reducer', reducer)
    const given = options as MaterializedOptions<K, V> | undefined
    checkStep('reduce', given, MATERIALIZED)
    const value = requireSerde('reduce', 'value', given?.value, this.#parts.value)
    return this.#table('KSTREAM-REDUCE-', given, value, (rows) => reduce(reducer, value, rows))
  }

  /** Combines the records of each key, from what `initializer` returns. */
  aggregate<A, R extends A | null = A>(
    specification: AggregateSpecification<K, V, A, R>,
  ): Table<K, A, 'known', Extract<R, null>> {
    checkOptions('aggregate', specification ?? null, ['initializer', 'aggregator', ...MATERIALIZED])
    const { initializer, aggregator, ...options } = specification
    checkFunction('aggregate', 'initializer', initializer)
    checkFunction('aggregate', 'aggregator', aggregator)
    checkStep('aggregate', options, MATERIALIZED)
    const value = requireSerde('aggregate', 'value', options.value, null)
    return this.#table('KSTREAM-AGGREGATE-', options, value, (rows) =>
      aggregate(initializer, aggregator, value, rows),
    )
  }

  #table<A, Absent extends null>(
    prefix: string,
    options: MaterializedOptions<K, A> | undefined,
    value: Serde<A>,
    operator: (options: AggregateOptions) => ProcessorSupplier<K, V, K, Change<A>>,
  ): Table<K, A, 'known', Absent> {
    checkStoreOptions(prefix, options)
    const { graph, node, sources, repartitionRequired } = this.#parts
    const key = requireSerde(prefix, 'key', options?.key, this.#parts.key)
    const storeName = options?.store ?? graph.newStoreName(prefix)
    const name = graph.nameOr(options?.name, prefix)
    const store = tableStore(storeName, key, value, options)
    const rows = new AggregateRows<K, A>(storeName)
    const supplier = operator({ store: storeName, sendsOldValues: () => rows.sendsOldValues })
    const parent = repartitionRequired ? this.#repartitioned(storeName) : node
    const step = new GraphNode(name, (topology, parents) => {
      topology.addStateStore(store)
      topology.addProcessor(name, supplier, {
        parents,
        stores: [storeName],
        preservesKey: true,
        readsByKey: [storeName],
      })
    })
    graph.add(step, parent)
    return new Table({
      graph,
      node: step,
      sources: repartitionRequired ? new Set([parent.name]) : sources,
      key,
      value,
      rows,
    })
  }

  /** The topic's source: a new one for each aggregate, unless the grouping was given a name. */
  #repartitioned(storeName: string): RepartitionGraphNode {
    const { graph, node, key, repartitionName } = this.#parts
    const value = requireSerde('groupByKey', 'value', undefined, this.#parts.value)
    const made = repartitionNode(graph, { name: repartitionName ?? storeName, key, value })
    if (this.#repartition === null || repartitionName === null) this.#repartition = made
    return graph.add(this.#repartition, node)
  }
}

/** A stream's records by the keys they have. Both serdes must be known or given when they go through a repartition topic. */
export function grouped<K, V>(
  method: string,
  { graph, node, sources, key, value, repartitionRequired }: StreamParts<K, V>,
  options: ({ readonly key?: Serde<K>; readonly value?: Serde<V> } & NameOption) | undefined,
): GroupedStream<NonNullable<K>, NonNullable<V>, never> {
  return new GroupedStream({
    graph,
    node,
    sources,
    // Nulls are dropped before anything is written.
    key: requireSerde(method, 'key', options?.key, key) as Serde<NonNullable<K>>,
    value: (repartitionRequired
      ? requireSerde(method, 'value', options?.value, value)
      : (options?.value ?? value)) as Serde<NonNullable<V>> | null,
    repartitionRequired,
    repartitionName: options?.name ?? null,
  })
}
