import type { FlushListener, PendingChange } from './change-buffer.ts'
import type { Windowed } from './store.ts'

/**
 * Stands before the flush listener of a caching window or session store: the old value of a row that has expired by the time that it is told is null,
 * and a row that was deleted then is not told. As in Kafka Streams, where old values are read from the store below the cache when a change is
 * flushed: its stream time is that of the rows flushed before.
 */
export class ExpiredOldValues<K, V> implements FlushListener<Windowed<K>, V> {
  readonly #listener: FlushListener<Windowed<K>, V>
  readonly #retentionMs: number
  readonly #timeOf: (row: Windowed<K>) => number
  #toldStreamTimeMs: number

  /** @param timeOf what a row expires by; @param streamTimeMs the highest of them when nothing is untold */
  constructor(
    listener: FlushListener<Windowed<K>, V>,
    retentionMs: number,
    timeOf: (row: Windowed<K>) => number,
    streamTimeMs: number,
  ) {
    this.#listener = listener
    this.#retentionMs = retentionMs
    this.#timeOf = timeOf
    this.#toldStreamTimeMs = streamTimeMs
  }

  keep(slot: number): void {
    this.#listener.keep(slot)
  }

  flushed(change: PendingChange<Windowed<K>, V>): void {
    const time = this.#timeOf(change.key)
    const hasExpired = time <= this.#toldStreamTimeMs - this.#retentionMs
    if (hasExpired && change.newValue === null) return
    this.#listener.flushed(hasExpired ? { ...change, oldValue: null } : change)
    if (time > this.#toldStreamTimeMs) this.#toldStreamTimeMs = time
  }
}
