import type { FlushListener, PendingChange } from '../../state/change-buffer.ts'
import {
  type CachingStore,
  PUT_RETURN_CODE_NOT_PUT,
  PUT_RETURN_CODE_VALID_TO_UNDEFINED,
  type RowStore,
} from '../../state/store.ts'
import type { StreamRecord } from '../record.ts'
import { RecordOrigins } from '../record-origins.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import { type RecordAtWork, recordAtWork } from './record-at-work.ts'

/**
 * Puts a table's rows and forwards what has changed: at once, or, for a store with caching, when the store is flushed. Kafka Streams'
 * TimestampedTupleForwarder and TimestampedCacheFlushListener.
 */
export class ChangeForwarder<K, V> implements FlushListener<K, V> {
  readonly #store: RowStore<K, V>
  readonly #context: OperatorContext<K, Change<V>>
  readonly #sendsOldValues: boolean
  readonly #caching: boolean
  readonly #atWork: RecordAtWork
  readonly #isVersioned: boolean
  readonly #origins = new RecordOrigins()

  constructor(store: RowStore<K, V>, context: OperatorContext<K, Change<V>>, sendsOldValues: boolean) {
    this.#store = store
    this.#context = context
    this.#sendsOldValues = sendsOldValues
    this.#atWork = recordAtWork(store)
    this.#isVersioned = store.historyRetentionMs !== undefined
    this.#caching = (store as Partial<CachingStore<K, V>>).setFlushListener?.(this) ?? false
  }

  /**
   * A version that a versioned store does not take is not forwarded either.
   *
   * @param timestamp the row's; the record's is that of a deletion in the changelog, and of one that is told later
   */
  update(record: StreamRecord<K, unknown>, newValue: V | null, oldValue: V | null, timestamp: number): void {
    const { key } = record
    const loggedTimestamp = newValue === null && !this.#isVersioned ? record.timestamp : timestamp
    if (this.#caching) {
      this.#atWork.record = record
      this.#store.update(key, newValue, loggedTimestamp)
      this.#atWork.record = null
      return
    }
    const stored = this.#store.update(key, newValue, loggedTimestamp)
    if (stored === PUT_RETURN_CODE_NOT_PUT) return
    let value: Change<V> = { newValue, oldValue: this.#sendsOldValues ? oldValue : null }
    if (this.#isVersioned && stored !== PUT_RETURN_CODE_VALID_TO_UNDEFINED)
      value = { ...value, isLatest: false }
    this.#context.forward({ key, value, timestamp, headers: record.headers })
  }

  keep(slot: number): void {
    this.#origins.keep(slot, this.#atWork.record, this.#context)
  }

  flushed({ key, newValue, oldValue, timestamp, slot }: PendingChange<K, V>): void {
    const origin = this.#origins.of(slot)
    this.#context.forwardFor(origin, {
      key,
      value: { newValue, oldValue: this.#sendsOldValues ? oldValue : null },
      timestamp: newValue === null ? origin.timestamp : timestamp,
      headers: origin.headers,
    })
    this.#origins.forget(slot)
  }
}
