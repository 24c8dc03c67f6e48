import type { Aggregator } from '../process/operators/aggregate.ts'
import {
  type Aggregation,
  aggregating,
  counting,
  type Merger,
  reducing,
} from '../process/operators/aggregation.ts'
import type { Reducer } from '../process/operators/reduce.ts'
import { sessionAggregate } from '../process/operators/session-aggregate.ts'
import { sessionView } from '../process/operators/table-view.ts'
import type { Serde } from '../serde/serde.ts'
import { serdes } from '../serde/serdes.ts'
import { sessionWindowedSerde, timeWindowEnd, type Windowed } from '../serde/windowed.ts'
import { checkFunction, checkOptions } from '../topology/options.ts'
import { stores } from '../topology/stores.ts'
import type { Grouping } from './aggregate-step.ts'
import {
  asksForStore,
  checkStep,
  checkStoreOptions,
  givenStoreOptions,
  WINDOWED_MATERIALIZED,
  type WindowedMaterializedOptions,
} from './options.ts'
import { checkRetention } from './retention.ts'
import { type OptionsArgument, requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import type { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'
import type { WindowedAggregateSpecification } from './time-windowed-stream.ts'
import { checkEmitStrategy, type EmitStrategy, type SessionWindows } from './windows.ts'

export interface SessionAggregateSpecification<K, V, A, R extends A | null>
  extends WindowedAggregateSpecification<K, V, A, R> {
  /** Makes one aggregate of two, (one, two, key): of sessions that a record connects, beginning with what `initializer` returns. */
  readonly merger: Merger<K, A>
}

/**
 * Records grouped by key and session. Kafka Streams' SessionWindowedKStream. When a record connects sessions, they are deleted (their rows are
 * forwarded as null) and a longer one takes their place. A result has the session's end as its timestamp.
 *
 * Records with a null key are dropped and counted, and so are those whose session has closed: when its end, the gap and the grace lie before the
 * highest timestamp. Null values are counted, and handed to reducers and aggregators, which `Null` being null tells.
 */
export class SessionWindowedStream<K, V, VS extends SerdeState = 'known', Null extends null = never> {
  declare protected readonly states: [VS, Null]
  readonly #grouping: Grouping<K, V>
  readonly #windows: SessionWindows
  readonly #emitsOnClose: boolean

  /** @internal */
  constructor(
    grouping: Grouping<K, V>,
    windows: SessionWindows,
    emitStrategy: EmitStrategy = 'on-window-update',
  ) {
    this.#grouping = grouping
    this.#windows = windows
    this.#emitsOnClose = emitStrategy === 'on-window-close'
  }

  /**
   * The same sessions, told in another way. Default: `on-window-update`. Closed sessions are looked for when a record comes, no more often than once a
   * second; what has been told is committed with the offsets.
   */
  emitStrategy(strategy: EmitStrategy): SessionWindowedStream<K, V, VS, Null> {
    checkEmitStrategy(strategy)
    return new SessionWindowedStream(this.#grouping, this.#windows, strategy)
  }

  /** How many records each session had. `value` is the store's serde; default: serdes.int64. */
  count(options?: WindowedMaterializedOptions<K, number>): Table<Windowed<K>, number> {
    checkStep('count', options, WINDOWED_MATERIALIZED)
    // Kafka Streams generates one name too many here, and later names depend on it.
    if (asksForStore(options) && options?.store === undefined)
      this.#grouping.parts.graph.newStoreName('KSTREAM-AGGREGATE-')
    return this.#table('count', 'KSTREAM-AGGREGATE-', options, options?.value ?? serdes.int64, counting)
  }

  /**
   * Combines the records of each session: (aggregate, value, key) to the new aggregate; null deletes it. Also combines the aggregates of two sessions
   * that a record connects.
   */
  reduce<R extends V | null>(
    reducer: (aggregate: V, value: V | Null, key: K) => R,
    ...[options]: OptionsArgument<ValueOption<V, VS> & Omit<WindowedMaterializedOptions<K, V>, 'value'>>
  ): Table<Windowed<K>, V> {
    checkFunction('reduce', 'the reducer', reducer)
    const given = options as WindowedMaterializedOptions<K, V> | undefined
    checkStep('reduce', given, WINDOWED_MATERIALIZED)
    const value = requireSerde('reduce', 'value', given?.value, this.#grouping.parts.value)
    const aggregation = reducing(reducer as Reducer<K, V>, value)
    return this.#table('reduce', 'KSTREAM-REDUCE-', given, value, aggregation)
  }

  /** Combines the records of each session, from what `initializer` returns, and with `merger` the aggregates of sessions that a record connects. */
  aggregate<A, R extends A | null = A>(
    specification: SessionAggregateSpecification<K, V | Null, A, R>,
  ): Table<Windowed<K>, A> {
    const allowed = ['initializer', 'aggregator', 'merger', ...WINDOWED_MATERIALIZED]
    checkOptions('aggregate', specification ?? null, allowed)
    const { initializer, aggregator, merger, ...options } = specification
    checkFunction('aggregate', 'initializer', initializer)
    checkFunction('aggregate', 'aggregator', aggregator)
    checkFunction('aggregate', 'merger', merger)
    checkStep('aggregate', options, WINDOWED_MATERIALIZED)
    const value = requireSerde('aggregate', 'value', options.value, null)
    const aggregation = aggregating(initializer, aggregator as Aggregator<K, V, A>, merger, value)
    return this.#table('aggregate', 'KSTREAM-AGGREGATE-', options, value, aggregation)
  }

  #table<A>(
    method: string,
    prefix: string,
    options: WindowedMaterializedOptions<K, A> | undefined,
    value: Serde<A>,
    aggregation: Aggregation<K, V, A>,
  ): Table<Windowed<K>, A> {
    checkStoreOptions(method, options)
    const { graph, key: knownKey } = this.#grouping.parts
    const windows = this.#windows
    const emitsOnClose = this.#emitsOnClose
    const { inactivityGapMs, graceMs } = windows
    const key = requireSerde(method, 'key', options?.key, knownKey)
    const storeName = options?.store ?? graph.newStoreName(prefix)
    const name = graph.nameOr(options?.name, prefix)
    const retentionMs = checkRetention(`${method} ${name}`, options?.retentionMs, {
      retentionMs: timeWindowEnd(inactivityGapMs, graceMs),
      retentionReason: `inactivityGapMs ${inactivityGapMs} and graceMs ${graceMs}`,
    })
    return this.#grouping.add<Windowed<K>, A, null>({
      name,
      store: stores.session({
        name: storeName,
        key,
        value,
        retentionMs,
        ...givenStoreOptions(options),
        // Nobody is told of changes.
        ...(emitsOnClose && { caching: false }),
      }),
      operator: (aggregateOptions) =>
        sessionAggregate(windows, aggregation, { ...aggregateOptions, emitsOnClose }),
      rows: new AggregateRows<Windowed<K>, A>(sessionView(storeName)),
      key: sessionWindowedSerde(key),
      value,
      preservesKey: false,
    })
  }
}
