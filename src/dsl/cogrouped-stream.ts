import { type Aggregator, aggregate } from '../process/operators/aggregate.ts'
import { storeView } from '../process/operators/table-view.ts'
import { checkFunction, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import {
  type AnyAggregator,
  type AnyGrouping,
  Cogroup,
  type CogroupSpecification,
  checked,
  serdesAndStore,
} from './cogroup.ts'
import type { DslGraph } from './graph.ts'
import { GroupedStream } from './grouped-stream.ts'
import { MATERIALIZED, tableStore, type VersionsOptions } from './options.ts'
import type { SerdeState } from './serde-state.ts'
import { SessionWindowedCogroupedStream } from './session-windowed-cogrouped-stream.ts'
import type { Table } from './table.ts'
import { TimeWindowedCogroupedStream } from './time-windowed-cogrouped-stream.ts'
import { slidingWindowPlan, timeWindowPlan } from './time-windowed-stream.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from './windows.ts'

/**
 * Several streams, grouped by the same keys, that are aggregated into one table: each has an aggregator of its own. Kafka Streams'
 * CogroupedKStream. Of two streams that need a topic (their keys were changed), at least one grouping needs a name.
 */
export class CogroupedStream<K, A> {
  readonly #cogroup: Cogroup<K, A>

  /** @internal */
  constructor(graph: DslGraph) {
    this.#cogroup = new Cogroup(graph)
  }

  /**
   * Adds another stream, in place, and returns this. Kafka Streams' CogroupedKStream.cogroup.
   *
   * @param aggregator gets (aggregate, value, key) of that stream's records; null deletes the aggregate
   */
  cogroup<V, VS extends SerdeState, Null extends null>(
    grouped: GroupedStream<K, V, VS, Null>,
    aggregator: Aggregator<K, V | Null, A>,
  ): this {
    if (!(grouped instanceof GroupedStream))
      throw new TopologyError(`cogroup: a grouped stream is expected, not ${kindOf(grouped)}`)
    checkFunction('cogroup', 'the aggregator', aggregator)
    this.#cogroup.set(grouped.grouping as AnyGrouping<K>, aggregator as AnyAggregator<K, A>)
    return this
  }

  /** Cuts time into windows: each key has a result for each of them. */
  windowedBy(windows: TimeWindows | SlidingWindows | UnlimitedWindows): TimeWindowedCogroupedStream<K, A>
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedStream<K, A>
  windowedBy(
    windows: TimeWindows | SlidingWindows | UnlimitedWindows | SessionWindows,
  ): TimeWindowedCogroupedStream<K, A> | SessionWindowedCogroupedStream<K, A> {
    if (windows instanceof SessionWindows) return new SessionWindowedCogroupedStream(this.#cogroup, windows)
    if (windows instanceof SlidingWindows)
      return new TimeWindowedCogroupedStream(this.#cogroup, slidingWindowPlan(windows))
    if (windows instanceof TimeWindows || windows instanceof UnlimitedWindows)
      return new TimeWindowedCogroupedStream(this.#cogroup, timeWindowPlan(windows))
    throw new TopologyError(
      `windowedBy: TimeWindows, SlidingWindows, SessionWindows or UnlimitedWindows are expected, not ${kindOf(windows)}`,
    )
  }

  /** The table of all streams' aggregates, each key's beginning with what `initializer` returns. Records with a null key or value are dropped and counted. */
  aggregate(specification: CogroupSpecification<K, A> & VersionsOptions): Table<K, A> {
    const { initializer, ...options } = checked(specification, [], MATERIALIZED)
    const { key, value, storeName } = serdesAndStore(this.#cogroup, options)
    return this.#cogroup.add<K>({
      options,
      store: tableStore(storeName, key, value, options),
      operator: (aggregator, aggregateOptions) => aggregate(initializer, aggregator, value, aggregateOptions),
      view: storeView(storeName, options.historyRetentionMs),
      keyValueStore: storeName,
      key,
      value,
      graceMs: null,
    })
  }
}
