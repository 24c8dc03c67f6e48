import type { TimestampedWindowStore, Windowed } from '../../state/store.ts'
import type { ProcessorSupplier } from '../processor.ts'
import { isValueNull, type StreamRecord } from '../record.ts'
import type { Aggregation } from './aggregation.ts'
import type { Change } from './change.ts'
import type { WindowedAggregateOptions } from './window-close.ts'
import { TimeWindowForwarder } from './window-forwarder.ts'
import { WindowedAggregate } from './windowed-aggregate.ts'

export interface SlidingGaps {
  /** Records of a key that are no further apart share a window. */
  readonly timeDifferenceMs: number
  readonly graceMs: number
}

/** A window that is there, or what a new one begins with. */
interface Row<A> {
  readonly start: number
  readonly value: A | null
  /** The largest of its records, ms. */
  readonly timestamp: number
}

/** What was found around a record. */
interface Neighbours<A> {
  /** Starts of the windows that are there. */
  readonly starts: ReadonlySet<number>
  /** Holds records up to the one before this. */
  readonly left: Row<A> | null
  /** Holds records after this one, if it is later than this one. */
  readonly right: Row<A> | null
  /** The window that ends with this record is there. */
  readonly hasLeftWindow: boolean
  /** The timestamp of the record before, -1 when it does not matter or there is none. */
  readonly previous: number
}

/**
 * Each record ends one window, its left one, and begins another just after itself, its right one, as soon as there is a record in it. So a record
 * updates the windows that it lies in, and makes: the right window of the record before it, its own left window and, when it is out of order, its
 * own right window. Kafka Streams' KStreamSlidingWindowAggregate, KIP-450.
 */
class SlidingWindowAggregate<K, V, A> extends WindowedAggregate<
  K,
  V,
  A,
  TimestampedWindowStore<K, A>,
  TimeWindowForwarder<K, A>
> {
  readonly #timeDifferenceMs: number
  readonly #graceMs: number

  constructor(windows: SlidingGaps, aggregation: Aggregation<K, V, A>, options: WindowedAggregateOptions) {
    super(aggregation, options, TimeWindowForwarder)
    this.#timeDifferenceMs = windows.timeDifferenceMs
    this.#graceMs = windows.graceMs
  }

  override process(record: StreamRecord<K, V>): void {
    const { key, timestamp } = record
    if (key === null || isValueNull(record)) {
      this.context.recordDropped('null key or value')
      return
    }
    if (timestamp > this.streamTimeMs) this.streamTimeMs = timestamp
    if (timestamp + this.#timeDifferenceMs < this.#closeTimeMs) this.context.recordDropped('expired window')
    else if (timestamp < this.#timeDifferenceMs) this.#processEarly(record)
    else {
      this.#processUsual(record)
      this.#emitClosed(record)
    }
  }

  #emitClosed(record: StreamRecord<K, V>): void {
    const close = this.windowClose
    if (close === null || !close.isDue(this.#closeTimeMs)) return
    const lastStart = this.#closeTimeMs - this.#timeDifferenceMs - 1
    if (lastStart < 0) return
    const { lastMs } = close
    this.forwarder.emit(record, lastMs === -1 ? 0 : Math.max(0, lastMs - this.#timeDifferenceMs), lastStart)
    close.told(this.#closeTimeMs)
  }

  get #closeTimeMs(): number {
    return this.streamTimeMs - this.#graceMs
  }

  #processUsual(record: StreamRecord<K, V>): void {
    const { timestamp } = record
    const neighbours = this.#updateOverlapping(record)
    if (neighbours === null) return
    const { starts, left, right, hasLeftWindow, previous } = neighbours
    if (previous >= 0 && !starts.has(previous + 1) && previous + 1 + this.#timeDifferenceMs >= timestamp)
      this.#update(record, this.#newWindow(previous + 1, timestamp))
    if (!hasLeftWindow) {
      const start = timestamp - this.#timeDifferenceMs
      const row =
        previous >= start ? { start, value: left!.value, timestamp } : this.#newWindow(start, timestamp)
      this.#update(record, row)
    }
    this.#makeRightWindow(record, starts, right)
  }

  /** Updates the windows that hold the record, the latest first. @returns null when there is none to make */
  #updateOverlapping(record: StreamRecord<K, V>): Neighbours<A> | null {
    const { timestamp } = record
    const starts = new Set<number>()
    let left: Row<A> | null = null
    let right: Row<A> | null = null
    let hasLeftWindow = false
    let previous = -1
    for (const row of this.#rows(
      record.key,
      timestamp - 2 * this.#timeDifferenceMs,
      timestamp + 1,
    ).reverse()) {
      starts.add(row.start)
      const end = row.start + this.#timeDifferenceMs
      if (row.start === timestamp + 1) continue
      if (end > timestamp) {
        right ??= row
        this.#update(record, row)
      } else if (end === timestamp) {
        hasLeftWindow = true
        this.#update(record, row)
        // There was a record of this very time: everything else is there already.
        if (row.timestamp >= timestamp) return null
        previous = row.timestamp
      } else {
        left = row
        previous = row.timestamp
        break
      }
    }
    return { starts, left, right, hasLeftWindow, previous }
  }

  /** A record before the first whole window: windows cannot start before 0, so all such records share the one that starts there. */
  #processEarly(record: StreamRecord<K, V>): void {
    const { timestamp } = record
    const starts = new Set<number>()
    let combined: Row<A> | null = null
    let right: Row<A> | null = null
    let previous = -1
    for (const row of this.#rows(record.key, 0, timestamp + 1)) {
      starts.add(row.start)
      if (row.start === 0) {
        combined = row
        if (row.timestamp < timestamp) previous = row.timestamp
      } else if (row.start <= timestamp) {
        right = row
        this.#update(record, row)
      }
    }
    // No window begins between: what the shared one holds, if it is later, is all that lies after this record.
    if (right === null && combined !== null && combined.timestamp > timestamp) right = combined
    this.#makeRightWindow(record, starts, right)
    if (previous >= 0 && !starts.has(previous + 1))
      this.#update(record, this.#newWindow(previous + 1, timestamp))
    this.#update(record, combined ?? this.#newWindow(0, timestamp))
  }

  /** Makes the window just after the record, of the records that are there already. */
  #makeRightWindow(record: StreamRecord<K, V>, starts: ReadonlySet<number>, right: Row<A> | null): void {
    const start = record.timestamp + 1
    if (starts.has(start) || right === null || right.timestamp <= record.timestamp) return
    const window = { start, end: start + this.#timeDifferenceMs }
    this.forwarder.update(record, window, right.value, null, right.timestamp)
  }

  #update(record: StreamRecord<K, V>, { start, value, timestamp }: Row<A>): void {
    const end = start + this.#timeDifferenceMs
    if (end < this.#closeTimeMs) {
      this.context.recordDropped('expired window')
      return
    }
    const after = this.aggregation.add(value, record)
    const newest = value === null ? record.timestamp : Math.max(record.timestamp, timestamp)
    this.forwarder.update(record, { start, end }, after, value, newest)
  }

  #newWindow(start: number, timestamp: number): Row<A> {
    return { start, value: this.aggregation.initial(), timestamp }
  }

  /** Read at once: what follows puts rows into the same store. */
  #rows(key: K, from: number, to: number): Row<A>[] {
    const rows: Row<A>[] = []
    for (const { key: start, value: row } of this.store.fetch(key, Math.max(0, from), to))
      rows.push({ start, value: row.value, timestamp: row.timestamp })
    return rows
  }
}

/** Aggregates the records of each key and sliding window. */
export function slidingWindowAggregate<K, V, A>(
  windows: SlidingGaps,
  aggregation: Aggregation<K, V, A>,
  options: WindowedAggregateOptions,
): ProcessorSupplier<K, V, Windowed<K>, Change<A>> {
  return () => new SlidingWindowAggregate(windows, aggregation, options)
}
