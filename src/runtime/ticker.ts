import type { Ticks } from '../process/record-watch.ts'

/** Ticks within the time from which on a record is slow: what is told of its time is right to within one. */
const TICKS_PER_LIMIT = 8
const INTERVAL_MS_MIN = 10

/** Counts time for the stream threads, which must not ask for it at each record. On the main thread, whose event loop waits nearly always. */
export class Ticker {
  readonly ticks = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  readonly #timer: NodeJS.Timeout | null = null

  /** @param slowRecordMs 0: nobody looks, and it stands still */
  constructor(slowRecordMs: number) {
    if (slowRecordMs === 0) return
    const { count, intervalMs } = slowTicks(this.ticks, slowRecordMs)
    this.#timer = setInterval(() => Atomics.add(count, 0, 1), intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }
}

/** How a thread reads the ticks: one more than the limit has, since the first may come at once. */
export function slowTicks(ticks: SharedArrayBuffer, slowRecordMs: number): Ticks {
  const intervalMs = Math.max(INTERVAL_MS_MIN, Math.ceil(slowRecordMs / TICKS_PER_LIMIT))
  return { count: new Int32Array(ticks), intervalMs, slowTicks: Math.ceil(slowRecordMs / intervalMs) + 1 }
}
