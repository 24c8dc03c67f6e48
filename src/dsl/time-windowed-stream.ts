import type { Aggregation } from '../process/operators/aggregation.ts'
import type { Change } from '../process/operators/change.ts'
import { slidingWindowAggregate } from '../process/operators/sliding-window-aggregate.ts'
import { windowView } from '../process/operators/table-view.ts'
import { windowAggregate } from '../process/operators/window-aggregate.ts'
import type { WindowedAggregateOptions } from '../process/operators/window-close.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { timeWindowEnd, timeWindowedSerde, type Windowed } from '../serde/windowed.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { stores } from '../topology/stores.ts'
import { TopologyError } from '../topology/topology-error.ts'
import type { Grouping } from './aggregate-step.ts'
import { checkStoreOptions, givenStoreOptions, type WindowedMaterializedOptions } from './options.ts'
import { checkRetention } from './retention.ts'
import { type OptionsArgument, requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import type { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'
import { type WindowedAggregateSpecification, WindowedStream } from './windowed-stream.ts'
import {
  checkEmitStrategy,
  type EmitStrategy,
  type SlidingWindows,
  type TimeWindows,
  type UnlimitedWindows,
} from './windows.ts'

/** What differs between kinds of windows. */
export interface TimeWindowPlan {
  /** Of the store, and of the result's keys. */
  readonly windowSizeMs: number
  /** How long a window must be kept, ms, and why. */
  readonly retentionMs: number
  readonly retentionReason: string
  /** How long after its end a window still takes records, ms. */
  readonly graceMs: number
  /** Unlimited windows do not. */
  readonly closes: boolean
  /** The store's changes may be kept back although only closed windows are told. */
  readonly cachesUntilClose: boolean
  /** Kafka Streams generates one name too many for a count. */
  readonly wastesName: boolean
  operator<K, V, A>(
    aggregation: Aggregation<K, V, A>,
    options: WindowedAggregateOptions,
  ): ProcessorSupplier<K, V, Windowed<K>, Change<A>>
}

export function timeWindowPlan(windows: TimeWindows | UnlimitedWindows): TimeWindowPlan {
  const { sizeMs, graceMs } = windows
  return {
    windowSizeMs: sizeMs,
    retentionMs: timeWindowEnd(sizeMs, graceMs),
    retentionReason: `sizeMs ${sizeMs} and graceMs ${graceMs}`,
    graceMs,
    closes: Number.isFinite(windows.advanceMs),
    cachesUntilClose: true,
    wastesName: true,
    operator: (aggregation, options) => windowAggregate(windows, aggregation, options),
  }
}

export function slidingWindowPlan(windows: SlidingWindows): TimeWindowPlan {
  const { timeDifferenceMs, graceMs } = windows
  return {
    windowSizeMs: timeDifferenceMs,
    // A record makes windows out of those that began as long as this before it.
    retentionMs: timeWindowEnd(2 * timeDifferenceMs, graceMs),
    retentionReason: `twice timeDifferenceMs ${timeDifferenceMs} and graceMs ${graceMs}`,
    graceMs,
    closes: true,
    cachesUntilClose: false,
    wastesName: false,
    operator: (aggregation, options) => slidingWindowAggregate(windows, aggregation, options),
  }
}

/**
 * Records grouped by key and window. Kafka Streams' TimeWindowedKStream. A result has the largest timestamp of its records.
 *
 * Records with a null key are dropped and counted, and so is a record for each window that has closed: whose end and grace lie at or before (of
 * sliding windows: before) the highest timestamp. Null values are dropped by sliding windows alone; others count them, and hand them to reducers
 * and aggregators, which `Null` being null tells.
 */
export class TimeWindowedStream<
  K,
  V,
  VS extends SerdeState = 'known',
  Null extends null = never,
> extends WindowedStream<K, V, VS, Null> {
  readonly #plan: TimeWindowPlan

  /** @internal */
  constructor(
    grouping: Grouping<K, V>,
    plan: TimeWindowPlan,
    emitStrategy: EmitStrategy = 'on-window-update',
  ) {
    super(grouping, emitStrategy)
    this.#plan = plan
  }

  /**
   * The same windows, told in another way. Default: `on-window-update`. Closed windows are looked for when a record comes, no more often than once a
   * second; what has been told is committed with the offsets.
   */
  emitStrategy(strategy: EmitStrategy): TimeWindowedStream<K, V, VS, Null> {
    checkEmitStrategy(strategy)
    if (strategy === 'on-window-close' && !this.#plan.closes)
      throw new TopologyError(
        'emitStrategy: the strategy is on-window-close, but UnlimitedWindows never close',
      )
    return new TimeWindowedStream(this.grouping, this.#plan, strategy)
  }

  /** How many records each key had in each window. `value` is the store's serde; default: serdes.int64. */
  count(options?: WindowedMaterializedOptions<K, number>): Table<Windowed<K>, number, 'known', never> {
    return this.counted(options, this.#plan.wastesName)
  }

  /** Combines the records of each key and window, from the first one's value: (aggregate, value, key) to the new aggregate; null deletes it. */
  reduce<R extends V | null>(
    reducer: (aggregate: V, value: V | Null, key: K) => R,
    ...[options]: OptionsArgument<ValueOption<V, VS> & Omit<WindowedMaterializedOptions<K, V>, 'value'>>
  ): Table<Windowed<K>, V, 'known', Extract<R, null> | Null> {
    return this.reduced(reducer, options as WindowedMaterializedOptions<K, V> | undefined)
  }

  /** Combines the records of each key and window, from what `initializer` returns. */
  aggregate<A, R extends A | null = A>(
    specification: WindowedAggregateSpecification<K, V | Null, A, R>,
  ): Table<Windowed<K>, A, 'known', Extract<R, null>> {
    return this.aggregated(specification, false)
  }

  protected override table<A, Absent extends null>(
    method: string,
    prefix: string,
    options: WindowedMaterializedOptions<K, A> | undefined,
    value: Serde<A>,
    aggregation: Aggregation<K, V, A>,
  ): Table<Windowed<K>, A, 'known', Absent> {
    checkStoreOptions(method, options)
    const { graph, key: knownKey } = this.grouping.parts
    const plan = this.#plan
    const { windowSizeMs } = plan
    const key = requireSerde(method, 'key', options?.key, knownKey)
    const storeName = options?.store ?? graph.newStoreName(prefix)
    const name = graph.nameOr(options?.name, prefix)
    const store = timeWindowStore(`${method} ${name}`, storeName, key, value, plan, options)
    return this.grouping.add<Windowed<K>, A, Absent>({
      name,
      store: this.emitsOnClose ? readAtClose(store, plan.cachesUntilClose) : store,
      operator: (aggregateOptions) =>
        plan.operator(aggregation, { ...aggregateOptions, emitsOnClose: this.emitsOnClose }),
      rows: new AggregateRows<Windowed<K>, A>(windowView(storeName)),
      key: timeWindowedSerde(key, windowSizeMs),
      value,
      graceMs: plan.graceMs,
      preservesKey: false,
    })
  }
}

/** The store of an aggregate over time windows. @param where for messages */
export function timeWindowStore<K, A>(
  where: string,
  name: string,
  key: Serde<K>,
  value: Serde<A>,
  plan: TimeWindowPlan,
  options: WindowedMaterializedOptions<K, A> | undefined,
): StoreDefinition {
  const retentionMs = checkRetention(where, options?.retentionMs, plan)
  const { windowSizeMs } = plan
  return stores.timestampedWindow({
    name,
    key,
    value,
    windowSizeMs,
    retentionMs,
    ...givenStoreOptions(options),
  })
}

function readAtClose(store: StoreDefinition, caches: boolean): StoreDefinition {
  const { caching, windows, ...definition } = store
  return {
    ...definition,
    ...(caches && caching !== undefined && { caching }),
    windows: { ...windows!, readAtClose: true },
  }
}
