import type { Aggregation, Merger } from '../process/operators/aggregation.ts'
import { sessionAggregate } from '../process/operators/session-aggregate.ts'
import { sessionView } from '../process/operators/table-view.ts'
import type { Serde } from '../serde/serde.ts'
import { sessionWindowedSerde, timeWindowEnd, type Windowed } from '../serde/windowed.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { stores } from '../topology/stores.ts'
import type { Grouping } from './aggregate-step.ts'
import { checkStoreOptions, givenStoreOptions, type WindowedMaterializedOptions } from './options.ts'
import { checkRetention } from './retention.ts'
import { type OptionsArgument, requireSerde, type SerdeState, type ValueOption } from './serde-state.ts'
import type { Table } from './table.ts'
import { AggregateRows } from './table-rows.ts'
import { type WindowedAggregateSpecification, WindowedStream } from './windowed-stream.ts'
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
export class SessionWindowedStream<
  K,
  V,
  VS extends SerdeState = 'known',
  Null extends null = never,
> extends WindowedStream<K, V, VS, Null> {
  readonly #windows: SessionWindows

  /** @internal */
  constructor(
    grouping: Grouping<K, V>,
    windows: SessionWindows,
    emitStrategy: EmitStrategy = 'on-window-update',
  ) {
    super(grouping, emitStrategy)
    this.#windows = windows
  }

  /**
   * The same sessions, told in another way. Default: `on-window-update`. Closed sessions are looked for when a record comes, no more often than once a
   * second; what has been told is committed with the offsets.
   */
  emitStrategy(strategy: EmitStrategy): SessionWindowedStream<K, V, VS, Null> {
    checkEmitStrategy(strategy)
    return new SessionWindowedStream(this.grouping, this.#windows, strategy)
  }

  /** How many records each session had. `value` is the store's serde; default: serdes.int64. */
  count(options?: WindowedMaterializedOptions<K, number>): Table<Windowed<K>, number> {
    return this.counted(options, true)
  }

  /**
   * Combines the records of each session: (aggregate, value, key) to the new aggregate; null deletes it. Also combines the aggregates of two sessions
   * that a record connects.
   */
  reduce<R extends V | null>(
    reducer: (aggregate: V, value: V | Null, key: K) => R,
    ...[options]: OptionsArgument<ValueOption<V, VS> & Omit<WindowedMaterializedOptions<K, V>, 'value'>>
  ): Table<Windowed<K>, V> {
    return this.reduced(reducer, options as WindowedMaterializedOptions<K, V> | undefined)
  }

  /** Combines the records of each session, from what `initializer` returns, and with `merger` the aggregates of sessions that a record connects. */
  aggregate<A, R extends A | null = A>(
    specification: SessionAggregateSpecification<K, V | Null, A, R>,
  ): Table<Windowed<K>, A> {
    return this.aggregated(specification, true)
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
    const windows = this.#windows
    const { emitsOnClose } = this
    const { inactivityGapMs, graceMs } = windows
    const key = requireSerde(method, 'key', options?.key, knownKey)
    const storeName = options?.store ?? graph.newStoreName(prefix)
    const name = graph.nameOr(options?.name, prefix)
    return this.grouping.add<Windowed<K>, A, Absent>({
      name,
      graceMs: inactivityGapMs + graceMs,
      store: sessionStore(`${method} ${name}`, storeName, key, value, windows, {
        ...options,
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

/** The store of an aggregate over sessions. @param where for messages */
export function sessionStore<K, A>(
  where: string,
  name: string,
  key: Serde<K>,
  value: Serde<A>,
  { inactivityGapMs, graceMs }: SessionWindows,
  options: WindowedMaterializedOptions<K, A> | undefined,
): StoreDefinition {
  const retentionMs = checkRetention(where, options?.retentionMs, {
    retentionMs: timeWindowEnd(inactivityGapMs, graceMs),
    retentionReason: `inactivityGapMs ${inactivityGapMs} and graceMs ${graceMs}`,
  })
  return stores.session({ name, key, value, retentionMs, ...givenStoreOptions(options) })
}
