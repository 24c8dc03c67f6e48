import {
  type AggregateOptions,
  type Aggregator,
  aggregate,
  type Initializer,
} from '../process/operators/aggregate.ts'
import type { Change } from '../process/operators/change.ts'
import { count } from '../process/operators/count.ts'
import { type Reducer, reduce } from '../process/operators/reduce.ts'
import { storeView } from '../process/operators/table-view.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import { checkFunction, checkOptions, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { type GroupedParts, Grouping } from './aggregate-step.ts'
import { CogroupedStream } from './cogrouped-stream.ts'
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
import { type OptionsArgument, requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import { SessionWindowedStream } from './session-windowed-stream.ts'
import type { StreamParts } from './stream-parts.ts'
import type { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'
import { slidingWindowPlan, TimeWindowedStream, timeWindowPlan } from './time-windowed-stream.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from './windows.ts'

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
 * timestamp of its records. `Null` is null when values may be null: windowed aggregates see those.
 */
export class GroupedStream<K, V, VS extends SerdeState = 'known', Null extends null = never> {
  declare protected readonly states: [VS, Null]
  readonly #grouping: Grouping<K, V>

  /** @internal */
  constructor(parts: GroupedParts<K, V>) {
    this.#grouping = new Grouping(parts)
  }

  /** @internal */
  get grouping(): Grouping<K, V> {
    return this.#grouping
  }

  /**
   * Aggregates this stream together with others of the same keys into one table: the begin of a {@link CogroupedStream}. Kafka Streams'
   * KGroupedStream.cogroup.
   *
   * @param aggregator gets (aggregate, value, key) of this stream's records; null deletes the aggregate
   */
  cogroup<A>(aggregator: Aggregator<K, V | Null, A>): CogroupedStream<K, A> {
    return new CogroupedStream<K, A>(this.#grouping.parts.graph).cogroup(this, aggregator)
  }

  /** Cuts time into windows: each key has a result for each of them. */
  windowedBy(windows: SlidingWindows): TimeWindowedStream<K, V, VS>
  windowedBy(windows: TimeWindows | UnlimitedWindows): TimeWindowedStream<K, V, VS, Null>
  windowedBy(windows: SessionWindows): SessionWindowedStream<K, V, VS, Null>
  windowedBy(
    windows: SlidingWindows | TimeWindows | UnlimitedWindows | SessionWindows,
  ): TimeWindowedStream<K, V, VS, Null> | SessionWindowedStream<K, V, VS, Null> {
    if (windows instanceof SessionWindows) return new SessionWindowedStream(this.#grouping, windows)
    if (windows instanceof SlidingWindows)
      return new TimeWindowedStream(this.#grouping, slidingWindowPlan(windows))
    if (windows instanceof TimeWindows || windows instanceof UnlimitedWindows)
      return new TimeWindowedStream(this.#grouping, timeWindowPlan(windows))
    throw new TopologyError(
      `windowedBy: TimeWindows, SlidingWindows, SessionWindows or UnlimitedWindows are expected, not ${kindOf(windows)}`,
    )
  }

  /** How many records each key had. `value` is the store's serde; default: serdes.int64. */
  count(options?: MaterializedOptions<K, number>): Table<K, number, 'known', never> {
    checkStep('count', options, MATERIALIZED)
    const { graph } = this.#grouping.parts
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
    const value = requireSerde('reduce', 'value', given?.value, this.#grouping.parts.value)
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
    const { graph, key: knownKey } = this.#grouping.parts
    const key = requireSerde(prefix, 'key', options?.key, knownKey)
    const storeName = options?.store ?? graph.newStoreName(prefix)
    return this.#grouping.add<K, A, Absent>({
      name: graph.nameOr(options?.name, prefix),
      store: tableStore(storeName, key, value, options),
      operator,
      rows: new AggregateRows<K, A>(storeView(storeName), storeName),
      key,
      value,
      preservesKey: true,
    })
  }
}

/** A stream's records by the keys they have. Both serdes must be known or given when they go through a repartition topic. */
export function grouped<K, V>(
  method: string,
  { graph, node, sources, key, value, repartitionRequired }: StreamParts<K, V>,
  options: ({ readonly key?: Serde<K>; readonly value?: Serde<V> } & NameOption) | undefined,
): GroupedStream<NonNullable<K>, NonNullable<V>, never, never> {
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
