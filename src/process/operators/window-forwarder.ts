import type { FlushListener, PendingChange } from '../../state/change-buffer.ts'
import type {
  CachingStore,
  SessionStore,
  TimestampedWindowStore,
  Window,
  Windowed,
} from '../../state/store.ts'
import { Headers } from '../headers.ts'
import type { StreamRecord } from '../record.ts'
import { RecordOrigins } from '../record-origins.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import { type RecordAtWork, recordAtWork } from './record-at-work.ts'

/**
 * Puts a windowed aggregate's rows and forwards what has changed: at once, or, for a store with caching, when the store is flushed. With
 * `forwards` false it only puts. Kafka Streams' TimestampedTupleForwarder and its flush listeners.
 */
abstract class WindowForwarder<K, V, S extends object> implements FlushListener<Windowed<K>, V> {
  protected readonly store: S
  protected readonly context: OperatorContext<Windowed<K>, Change<V>>
  protected readonly sendsOldValues: boolean
  /** Changes are to be forwarded as soon as they are put. */
  protected readonly forwardsNow: boolean
  protected readonly atWork: RecordAtWork
  readonly #origins = new RecordOrigins()

  constructor(
    store: S,
    context: OperatorContext<Windowed<K>, Change<V>>,
    sendsOldValues: boolean,
    forwards: boolean,
  ) {
    this.store = store
    this.atWork = recordAtWork(store)
    this.context = context
    this.sendsOldValues = sendsOldValues
    const caching =
      forwards && ((store as Partial<CachingStore<Windowed<K>, V>>).setFlushListener?.(this) ?? false)
    this.forwardsNow = forwards && !caching
  }

  /** The timestamp of a change that was kept back, ms. @param recordTimestamp that of the record that put last */
  protected abstract flushedTimestamp(change: PendingChange<Windowed<K>, V>, recordTimestamp: number): number

  keep(slot: number): void {
    this.#origins.keep(slot, this.atWork.record, this.context)
  }

  flushed(change: PendingChange<Windowed<K>, V>): void {
    const origin = this.#origins.of(change.slot)
    this.context.forwardFor(origin, {
      key: change.key,
      value: this.change(change.newValue, change.oldValue),
      timestamp: this.flushedTimestamp(change, origin.timestamp),
      headers: origin.headers,
    })
    this.#origins.forget(change.slot)
  }

  /** A window has closed. @param record at work */
  protected forwardClosed(
    record: StreamRecord<unknown, unknown>,
    key: Windowed<K>,
    newValue: V,
    timestamp: number,
  ): void {
    this.context.forward({ key, value: { newValue, oldValue: null }, timestamp, headers: record.headers })
  }

  protected change(newValue: V | null, oldValue: V | null): Change<V> {
    return { newValue, oldValue: this.sendsOldValues ? oldValue : null }
  }
}

/** Of time windows: a change has the largest timestamp of its window's records. */
export class TimeWindowForwarder<K, V> extends WindowForwarder<K, V, TimestampedWindowStore<K, V>> {
  update(
    record: StreamRecord<K, unknown>,
    window: Window,
    newValue: V | null,
    oldValue: V | null,
    timestamp: number,
  ): void {
    const { key } = record
    this.atWork.record = record
    // A deletion is logged with the record's timestamp.
    this.store.update(key, newValue, newValue === null ? record.timestamp : timestamp, window.start)
    this.atWork.record = null
    if (!this.forwardsNow) return
    const value = this.change(newValue, oldValue)
    this.context.forward({ key: { key, window }, value, timestamp, headers: record.headers })
  }

  /** Forwards the windows that start within [from, to], by start, then by key. @param record at work */
  emit(record: StreamRecord<unknown, unknown>, from: number, to: number): void {
    // The store has them by segment, within it by key.
    const rows = [...this.store.fetchAll(from, to)].sort((a, b) => a.key.window.start - b.key.window.start)
    for (const { key, value } of rows) this.forwardClosed(record, key, value.value, value.timestamp)
  }

  protected override flushedTimestamp(
    { newValue, timestamp }: PendingChange<Windowed<K>, V>,
    recordTimestamp: number,
  ): number {
    return newValue === null ? recordTimestamp : timestamp
  }
}

/** Of sessions: a change has the session's end as its timestamp and, forwarded at once, no headers. */
export class SessionForwarder<K, V> extends WindowForwarder<K, V, SessionStore<K, V>> {
  update(
    record: StreamRecord<K, unknown>,
    session: Windowed<K>,
    newValue: V | null,
    oldValue: V | null,
  ): void {
    this.atWork.record = record
    this.store.put(session, newValue)
    this.atWork.record = null
    if (!this.forwardsNow) return
    const value = this.change(newValue, oldValue)
    this.context.forward({ key: session, value, timestamp: session.window.end, headers: Headers.empty })
  }

  /** Forwards the sessions that end within [from, to], by end, start and key. @param record at work */
  emit(record: StreamRecord<unknown, unknown>, from: number, to: number): void {
    const rows = [...this.store.findSessions(from, to)].sort(
      ({ key: { window: a } }, { key: { window: b } }) => a.end - b.end || a.start - b.start,
    )
    for (const { key, value } of rows) this.forwardClosed(record, key, value, key.window.end)
  }

  protected override flushedTimestamp({ key }: PendingChange<Windowed<K>, V>): number {
    return key.window.end
  }
}
