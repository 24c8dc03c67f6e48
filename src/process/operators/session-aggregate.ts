import type { SessionStore, Windowed } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Aggregation } from './aggregation.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import { WindowClose, type WindowedAggregateOptions } from './window-close.ts'
import { SessionForwarder } from './window-forwarder.ts'

export interface SessionGaps {
  /** Records of a key that are no further apart are of one session. */
  readonly inactivityGapMs: number
  readonly graceMs: number
}

class SessionAggregate<K, V, A> implements Processor<K, V, Windowed<K>, Change<A>> {
  readonly #windows: SessionGaps
  readonly #aggregation: Aggregation<K, V, A>
  readonly #options: WindowedAggregateOptions
  readonly #sendsOldValues: boolean
  #store!: SessionStore<K, A>
  #forwarder!: SessionForwarder<K, A>
  /** Null when every change is forwarded. */
  #close: WindowClose | null = null
  /** The highest timestamp seen by this operator since it was made, as in Kafka Streams. */
  #streamTimeMs = -1

  constructor(windows: SessionGaps, aggregation: Aggregation<K, V, A>, options: WindowedAggregateOptions) {
    this.#windows = windows
    this.#aggregation = aggregation
    this.#options = options
    this.#sendsOldValues = options.sendsOldValues()
  }

  init(context: OperatorContext<Windowed<K>, Change<A>>): void {
    this.#store = context.stateStore(this.#options.store)
    const { store, emitsOnClose } = this.#options
    this.#forwarder = new SessionForwarder(this.#store, context, this.#sendsOldValues, !emitsOnClose)
    if (emitsOnClose) this.#close = new WindowClose(context, store)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<Windowed<K>, Change<A>>): void {
    const { key, timestamp } = record
    if (key === null) {
      context.recordDropped('null key')
      return
    }
    if (timestamp > this.#streamTimeMs) this.#streamTimeMs = timestamp
    const { inactivityGapMs, graceMs } = this.#windows
    const closeTimeMs = this.#streamTimeMs - graceMs - inactivityGapMs
    let aggregate = this.#aggregation.initial()
    let start = timestamp
    let end = timestamp
    const merged = [
      ...this.#store.findSessions(key, timestamp - inactivityGapMs, timestamp + inactivityGapMs),
    ]
    for (const session of merged) {
      aggregate = this.#aggregation.merge(aggregate, session.value, key)
      start = Math.min(start, session.key.window.start)
      end = Math.max(end, session.key.window.end)
    }
    if (end < closeTimeMs) {
      context.recordDropped('expired window')
    } else {
      // A session of this one moment is the only one there can be that stays what it is.
      if (start !== end) {
        for (const session of merged) this.#forwarder.update(record, session.key, null, session.value)
      }
      const after = this.#aggregation.add(aggregate, record)
      this.#forwarder.update(record, { key, window: { start, end } }, after, null)
    }
    if (this.#close?.isDue(closeTimeMs)) this.#emitClosed(this.#close, record, closeTimeMs)
  }

  #emitClosed(close: WindowClose, record: StreamRecord<K, V>, closeTimeMs: number): void {
    const firstEnd = Math.max(0, close.lastMs)
    const lastEnd = closeTimeMs - 1
    if (lastEnd < firstEnd) return
    this.#forwarder.emit(record, firstEnd, lastEnd)
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
