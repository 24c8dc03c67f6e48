import type { KeyValueStore, Store, WindowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { WaitingKey, WaitingList } from './outer-join-rows.ts'
import type { ValueJoiner } from './stream-table-join.ts'

const NOTHING_WAITS = Number.POSITIVE_INFINITY

/** The window as the left side has it, ms. */
export interface JoinTimes {
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}

export interface StreamJoin<K, VL, VR, R> {
  readonly times: JoinTimes
  readonly joiner: ValueJoiner<K, VL | null, VR | null, R>
  /** The window stores of both streams' records. */
  readonly leftStore: string
  readonly rightStore: string
  /** Where records wait that have found no other; null in an inner join. */
  readonly sharedStore: string | null
  /** What the two sides of a task know together, by their shared store. */
  readonly trackers: WeakMap<Store, TimeTracker>
}

/** Kafka Streams' KStreamImplJoin.TimeTracker. */
export class TimeTracker {
  /** The largest timestamp of either stream, ms. */
  streamTimeMs = -1
  /** No waiting record is older, ms. */
  minTimeMs = NOTHING_WAITS
  /** Wall-clock time, ms. */
  nextEmitMs = 0
}

/** Keeps a stream's records for the other side, after they have been joined. */
class JoinWindow<K, V> implements Processor<K, V, K, V> {
  readonly #storeName: string
  #window!: WindowStore<K, V>

  constructor(store: string) {
    this.#storeName = store
  }

  init(context: OperatorContext<K, V>): void {
    this.#window = context.stateStore(this.#storeName)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<K, V>): void {
    context.forward(record)
    if (record.key !== null) this.#window.put(record.key, record.value, record.timestamp)
  }
}

/** One side: a record meets those of the other stream that are within its window. */
class StreamJoinSide<K, VL, VR, R> implements Processor<K, unknown, K, R> {
  readonly #join: StreamJoin<K, VL, VR, R>
  readonly #isLeft: boolean
  /** Whether a record of this side that finds none is a result. */
  readonly #isOuter: boolean
  /** How far this side looks back and ahead, ms. */
  readonly #beforeMs: number
  readonly #afterMs: number
  #others!: WindowStore<K, unknown>
  #shared: KeyValueStore<WaitingKey<K>, WaitingList> | null = null
  #tracker = new TimeTracker()

  constructor(join: StreamJoin<K, VL, VR, R>, isLeft: boolean, isOuter: boolean) {
    const { beforeMs, afterMs } = join.times
    this.#join = join
    this.#isLeft = isLeft
    this.#isOuter = isOuter
    this.#beforeMs = isLeft ? beforeMs : afterMs
    this.#afterMs = isLeft ? afterMs : beforeMs
  }

  init(context: OperatorContext<K, R>): void {
    const { leftStore, rightStore, sharedStore, trackers } = this.#join
    this.#others = context.stateStore(this.#isLeft ? rightStore : leftStore)
    if (sharedStore === null) return
    this.#shared = context.stateStore(sharedStore)
    const tracker = trackers.get(this.#shared)
    if (tracker === undefined) trackers.set(this.#shared, this.#tracker)
    else this.#tracker = tracker
  }

  process(record: StreamRecord<K, unknown>, context: OperatorContext<K, R>): void {
    const { key, value, timestamp, headers } = record
    const tracker = this.#tracker
    const shared = this.#shared
    tracker.streamTimeMs = Math.max(tracker.streamTimeMs, timestamp)
    if (key === null && value !== null && this.#isOuter) {
      context.forward({ key, value: this.#joined(value, null, key), timestamp, headers })
      return
    }
    if (key === null || value === null) {
      context.recordDropped('null key or value')
      return
    }
    if (shared !== null && timestamp === tracker.streamTimeMs) this.#emitUnjoined(shared, record, context)
    const to = Math.max(0, timestamp + this.#afterMs)
    let isJoined = false
    using others = this.#others.fetch(key, Math.max(0, timestamp - this.#beforeMs), to)
    for (const other of others) {
      isJoined = true
      if (shared !== null) this.#stopWaiting(shared, key, other.key)
      const joined = this.#joined(value, other.value, key)
      context.forward({ key, value: joined, timestamp: Math.max(timestamp, other.key), headers })
    }
    if (isJoined || !this.#isOuter || shared === null) return
    // Of a record this late the other side's records are gone, or will not look back at it.
    if (to < tracker.streamTimeMs) {
      context.forward({ key, value: this.#joined(value, null, key), timestamp, headers })
      return
    }
    tracker.minTimeMs = Math.min(tracker.minTimeMs, timestamp)
    this.#wait(shared, { timestamp, isLeft: this.#isLeft, key }, value)
  }

  close(): void {
    if (this.#shared !== null) this.#join.trackers.delete(this.#shared)
  }

  #joined(value: unknown, other: unknown, key: K): R {
    const { joiner } = this.#join
    const result = this.#isLeft
      ? joiner(value as VL | null, other as VR | null, key)
      : joiner(other as VL | null, value as VR | null, key)
    return defined(result)
  }

  #wait(shared: KeyValueStore<WaitingKey<K>, WaitingList>, key: WaitingKey<K>, value: unknown): void {
    const present = shared.get(key)
    const values = present === null ? [value] : [...present.values, value]
    shared.put(key, { isLeft: key.isLeft, values })
  }

  #stopWaiting(shared: KeyValueStore<WaitingKey<K>, WaitingList>, key: K, timestamp: number): void {
    const waiting = { timestamp, isLeft: !this.#isLeft, key }
    if (shared.get(waiting) !== null) shared.put(waiting, null)
  }

  /**
   * Forwards, oldest first, the records that no later one can join any more. When this is done, and that a row of each side that still waits ends
   * it, is Kafka Streams' KStreamKStreamJoin.emitNonJoinedOuterRecords to the letter.
   */
  #emitUnjoined(
    shared: KeyValueStore<WaitingKey<K>, WaitingList>,
    { headers }: StreamRecord<K, unknown>,
    context: OperatorContext<K, R>,
  ): void {
    const tracker = this.#tracker
    const { beforeMs, afterMs, graceMs } = this.#join.times
    // After a start nobody knows what waits: there Kafka Streams looks, unless the window ends at once, and the look counts for the throttle.
    const waitsFor = this.#afterMs + graceMs
    const mayBeClosed =
      tracker.minTimeMs === NOTHING_WAITS ? waitsFor > 0 : tracker.minTimeMs + waitsFor < tracker.streamTimeMs
    const now = context.currentSystemTimeMs()
    if (!mayBeClosed || now < tracker.nextEmitMs) return
    tracker.nextEmitMs = now + context.emitIntervalMs
    tracker.minTimeMs = NOTHING_WAITS
    let leftWaits = false
    let rightWaits = false
    using rows = shared.all()
    for (const { key: waiting, value: list } of rows) {
      const { timestamp, isLeft, key } = waiting
      tracker.minTimeMs = timestamp
      if (leftWaits && rightWaits) break
      if (timestamp + (isLeft ? afterMs : beforeMs) + graceMs >= tracker.streamTimeMs) {
        if (isLeft) leftWaits = true
        else rightWaits = true
        continue
      }
      for (const value of list.values) {
        const ofThisSide = isLeft === this.#isLeft
        const joined = this.#joined(ofThisSide ? value : null, ofThisSide ? null : value, key)
        context.forward({ key, value: joined, timestamp, headers })
      }
      shared.put(waiting, null)
    }
  }
}

/** Forwards a stream's records to its side of the join, then keeps them. Kafka Streams' KStreamJoinWindow. */
export function joinWindow<K, V>(store: string): ProcessorSupplier<K, V, K, V> {
  return () => new JoinWindow(store)
}

/**
 * One side of a stream-stream join. Kafka Streams' KStreamKStreamJoinLeftSide and KStreamKStreamJoinRightSide.
 *
 * @param isOuter whether a record of this side that finds none of the other is a result
 */
export function streamJoinSide<K, VL, VR, R>(
  join: StreamJoin<K, VL, VR, R>,
  isLeft: boolean,
  isOuter: boolean,
): ProcessorSupplier<K, unknown, K, R> {
  return () => new StreamJoinSide(join, isLeft, isOuter)
}
