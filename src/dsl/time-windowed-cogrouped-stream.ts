import { aggregating } from '../process/operators/aggregation.ts'
import { windowView } from '../process/operators/table-view.ts'
import { timeWindowedSerde, type Windowed } from '../serde/windowed.ts'
import { type Cogroup, type CogroupSpecification, checked, serdesAndStore } from './cogroup.ts'
import { WINDOWED_MATERIALIZED } from './options.ts'
import type { Table } from './table.ts'
import { type TimeWindowPlan, timeWindowStore } from './time-windowed-stream.ts'

export interface WindowedCogroupSpecification<K, A> extends CogroupSpecification<K, A> {
  /** How far behind the latest window windows are kept, ms. Default: as long as they take records, which is the least that is allowed. */
  readonly retentionMs?: number
}

/** Cogrouped streams by key and time window. Kafka Streams' TimeWindowedCogroupedKStream. Null values are seen as in a TimeWindowedStream. */
export class TimeWindowedCogroupedStream<K, A> {
  readonly #cogroup: Cogroup<K, A>
  readonly #plan: TimeWindowPlan

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, plan: TimeWindowPlan) {
    this.#cogroup = cogroup
    this.#plan = plan
  }

  aggregate(specification: WindowedCogroupSpecification<K, A>): Table<Windowed<K>, A> {
    const { initializer, ...options } = checked(specification, [], WINDOWED_MATERIALIZED)
    const plan = this.#plan
    const { key, value, storeName } = serdesAndStore(this.#cogroup, options)
    return this.#cogroup.add<Windowed<K>>({
      options,
      store: timeWindowStore(`aggregate ${storeName}`, storeName, key, value, plan, options),
      operator: (aggregator, aggregateOptions) =>
        plan.operator(aggregating(initializer, aggregator, null, value), {
          ...aggregateOptions,
          emitsOnClose: false,
        }),
      view: windowView(storeName),
      keyValueStore: null,
      key: timeWindowedSerde(key, plan.windowSizeMs),
      value,
      graceMs: plan.graceMs,
    })
  }
}
