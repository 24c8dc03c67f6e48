import { timeWindowEnd } from '../../serde/windowed.ts'
import type { TimestampedWindowStore, Windowed } from '../../state/store.ts'
import type { ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import type { Aggregation } from './aggregation.ts'
import type { Change } from './change.ts'
import type { OperatorContext } from './operator-context.ts'
import type { WindowClose, WindowedAggregateOptions } from './window-close.ts'
import { TimeWindowForwarder } from './window-forwarder.ts'
import { WindowedAggregate } from './windowed-aggregate.ts'

/** Windows that follow from the time alone. Kafka Streams' Windows. */
export interface EnumerableWindows {
  readonly sizeMs: number
  /** From one window's start to the next one's; Infinity when there is only one. */
  readonly advanceMs: number
  readonly graceMs: number
  /** The start of the first window that holds `timestamp`; one after `timestamp` when there is none. */
  firstStart(timestamp: number): number
}

class WindowAggregate<K, V, A> extends WindowedAggregate<
  K,
  V,
  A,
  TimestampedWindowStore<K, A>,
  TimeWindowForwarder<K, A>
> {
  readonly #windows: EnumerableWindows

  constructor(
    windows: EnumerableWindows,
    aggregation: Aggregation<K, V, A>,
    options: WindowedAggregateOptions,
  ) {
    super(aggregation, options, TimeWindowForwarder)
    this.#windows = windows
  }

  override process(record: StreamRecord<K, V>, context: OperatorContext<Windowed<K>, Change<A>>): void {
    const { key, timestamp } = record
    if (key === null) {
      context.recordDropped('null key')
      return
    }
    if (timestamp > this.streamTimeMs) this.streamTimeMs = timestamp
    const { sizeMs, advanceMs, graceMs } = this.#windows
    const closeTimeMs = this.streamTimeMs - graceMs
    for (let start = this.#windows.firstStart(timestamp); start <= timestamp; start += advanceMs) {
      const end = timeWindowEnd(start, sizeMs)
      if (end > closeTimeMs) this.#update(record, start, end)
      else context.recordDropped('expired window')
    }
    if (this.windowClose?.isDue(closeTimeMs)) this.#emitClosed(this.windowClose, record, closeTimeMs)
  }

  #emitClosed(close: WindowClose, record: StreamRecord<K, V>, closeTimeMs: number): void {
    const { lastMs } = close
    const { sizeMs } = this.#windows
    const lastStart = closeTimeMs - sizeMs
    if (lastStart < 0) return
    const firstStart = lastMs === -1 ? 0 : Math.max(0, lastMs - sizeMs) + 1
    if (lastMs !== -1 && this.#isSameWindows(lastStart, firstStart - 1)) return
    this.forwarder.emit(record, firstStart, lastStart)
    close.told(closeTimeMs)
  }

  /** Two times that lie in the same windows. */
  #isSameWindows(a: number, b: number): boolean {
    const { advanceMs } = this.#windows
    return (
      this.#windows.firstStart(a) === this.#windows.firstStart(b) &&
      Math.floor(a / advanceMs) === Math.floor(b / advanceMs)
    )
  }

  #update(record: StreamRecord<K, V>, start: number, end: number): void {
    const row = this.store.peek(record.key, start)
    const before = row === null ? this.aggregation.initial() : row.value
    const timestamp = row === null ? record.timestamp : Math.max(record.timestamp, row.timestamp)
    const after = this.aggregation.add(before, record)
    this.forwarder.update(record, { start, end }, after, before, timestamp)
  }
}

/**
 * Aggregates the records of each key and window. A null value is handed to the aggregation like any other, as in Kafka Streams'
 * KStreamWindowAggregate.
 */
export function windowAggregate<K, V, A>(
  windows: EnumerableWindows,
  aggregation: Aggregation<K, V, A>,
  options: WindowedAggregateOptions,
): ProcessorSupplier<K, V, Windowed<K>, Change<A>> {
  return () => new WindowAggregate(windows, aggregation, options)
}
