import { aggregating, type Merger } from '../process/operators/aggregation.ts'
import { sessionAggregate } from '../process/operators/session-aggregate.ts'
import { sessionView } from '../process/operators/table-view.ts'
import { sessionWindowedSerde, type Windowed } from '../serde/windowed.ts'
import { type Cogroup, checked, serdesAndStore } from './cogroup.ts'
import { WINDOWED_MATERIALIZED } from './options.ts'
import { sessionStore } from './session-windowed-stream.ts'
import type { Table } from './table.ts'
import type { WindowedCogroupSpecification } from './time-windowed-cogrouped-stream.ts'
import type { SessionWindows } from './windows.ts'

export interface SessionCogroupSpecification<K, A> extends WindowedCogroupSpecification<K, A> {
  /** Makes one aggregate of two, (one, two, key): of sessions that a record connects, beginning with what `initializer` returns. */
  readonly merger: Merger<K, A>
}

/** Cogrouped streams by key and session. Kafka Streams' SessionWindowedCogroupedKStream. Null values are seen as in a SessionWindowedStream. */
export class SessionWindowedCogroupedStream<K, A> {
  readonly #cogroup: Cogroup<K, A>
  readonly #windows: SessionWindows

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, windows: SessionWindows) {
    this.#cogroup = cogroup
    this.#windows = windows
  }

  aggregate(specification: SessionCogroupSpecification<K, A>): Table<Windowed<K>, A> {
    const { initializer, merger, ...options } = checked(specification, ['merger'], WINDOWED_MATERIALIZED)
    const windows = this.#windows
    const { key, value, storeName } = serdesAndStore(this.#cogroup, options)
    return this.#cogroup.add<Windowed<K>>({
      options,
      store: sessionStore(`aggregate ${storeName}`, storeName, key, value, windows, options),
      operator: (aggregator, aggregateOptions) =>
        sessionAggregate(windows, aggregating(initializer, aggregator, merger, value), {
          ...aggregateOptions,
          emitsOnClose: false,
        }),
      view: sessionView(storeName),
      keyValueStore: null,
      key: sessionWindowedSerde(key),
      value,
      graceMs: windows.inactivityGapMs + windows.graceMs,
    })
  }
}
