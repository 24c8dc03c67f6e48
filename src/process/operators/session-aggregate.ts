import type { SessionStore, Windowed } from '../../state/store.ts'
import type { ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Aggregation } from './aggregation.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import type { WindowClose, WindowedAggregateOptions } from './window-close.ts'
import { SessionForwarder } from './window-forwarder.ts'
import { WindowedAggregate } from './windowed-aggregate.ts'

export interface SessionGaps {
  /** Records of a key that are no further apart are of one session. */
  readonly inactivityGapMs: number
  readonly graceMs: number
}

class SessionAggregate<K, V, A> extends WindowedAggregate<
  K,
  V,
  A,
  SessionStore<K, A>,
  SessionForwarder<K, A>
> {
  readonly #windows: SessionGaps

  constructor(windows: SessionGaps, aggregation: Aggregation<K, V, A>, options: WindowedAggregateOptions) {
    super(aggregation, options, SessionForwarder)
    this.#windows = windows
  }

  override process(record: StreamRecord<K, V>, context: OperatorContext<Windowed<K>, Change<A>>): void {
    const { key, timestamp } = record
    if (key === null) {
      context.recordDropped('null key')
      return
    }
    if (timestamp > this.streamTimeMs) this.streamTimeMs = timestamp
    const { inactivityGapMs, graceMs } = this.#windows
    const closeTimeMs = this.streamTimeMs - graceMs - inactivityGapMs
    let aggregate = this.aggregation.initial()
    let start = timestamp
    let end = timestamp
    const merged = [...this.store.findSessions(key, timestamp - inactivityGapMs, timestamp + inactivityGapMs)]
    for (const session of merged) {
      aggregate = this.aggregation.merge(aggregate, session.value, key)
      start = Math.min(start, session.key.window.start)
      end = Math.max(end, session.key.window.end)
    }
    if (end < closeTimeMs) {
      context.recordDropped('expired window')
    } else {
      // A session of this one moment is the only one there can be that stays what it is.
      if (start !== end) {
        for (const session of merged) this.forwarder.update(record, session.key, null, session.value)
      }
      const after = this.aggregation.add(aggregate, record)
      this.forwarder.update(record, { key, window: { start, end } }, after, null)
    }
    if (this.windowClose?.isDue(closeTimeMs)) this.#emitClosed(this.windowClose, record, closeTimeMs)
  }

  #emitClosed(close: WindowClose, record: StreamRecord<K, V>, closeTimeMs: number): void {
    const firstEnd = Math.max(0, close.lastMs)
    const lastEnd = closeTimeMs - 1
    if (lastEnd < firstEnd) return
    this.forwarder.emit(record, firstEnd, lastEnd)
    close.told(closeTimeMs)
  }
}

/**
 * Aggregates the records of each key and session. Sessions that a record connects become one: they are deleted, then the new one is put. A null
 * value is handed to the aggregation like any other. Kafka Streams' KStreamSessionWindowAggregate.
 */
export function sessionAggregate<K, V, A>(
  windows: SessionGaps,
  aggregation: Aggregation<K, V, A>,
  options: WindowedAggregateOptions,
): ProcessorSupplier<K, V, Windowed<K>, Change<A>> {
  return () => new SessionAggregate(windows, aggregation, options)
}
