import type { WindowStore } from '../../state/store.ts'
import type { Processor, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'
import { defined } from './map-values.ts'
import type { OperatorContext } from './operator-context.ts'
import type { JoinTimes } from './stream-stream-join.ts'
import type { ValueJoiner } from './stream-table-join.ts'

/** A stream joined with itself, over one window store: each record meets those before it from both sides, and itself. */
class StreamSelfJoin<K, V, R> implements Processor<K, V, K, R> {
  readonly #storeName: string
  readonly #times: JoinTimes
  readonly #joiner: ValueJoiner<K, V, V, R>
  #others!: WindowStore<K, V>
  #streamTimeMs = -1

  constructor(store: string, times: JoinTimes, joiner: ValueJoiner<K, V, V, R>) {
    this.#storeName = store
    this.#times = times
    this.#joiner = joiner
  }

  init(context: OperatorContext<K, R>): void {
    this.#others = context.stateStore(this.#storeName)
  }

  process(record: StreamRecord<K, V>, context: OperatorContext<K, R>): void {
    const { key, value, timestamp, headers } = record
    if (key === null || value === null) {
      context.recordDropped('null key or value')
      return
    }
    const { beforeMs, afterMs, graceMs } = this.#times
    this.#streamTimeMs = Math.max(this.#streamTimeMs, timestamp)
    // A record that is too late for its own window has expired from it.
    const retentionMs = beforeMs + afterMs + graceMs
    let meetsItself = timestamp > this.#streamTimeMs - retentionMs + 1
    const join = (left: V, right: V): R => defined(this.#joiner(left, right, key))
    {
      using others = this.#others.fetch(
        key,
        Math.max(0, timestamp - beforeMs),
        Math.max(0, timestamp + afterMs),
      )
      for (const other of others) {
        const joined = join(value, other.value)
        context.forward({ key, value: joined, timestamp: Math.max(timestamp, other.key), headers })
      }
    }
    using others = this.#others.fetch(
      key,
      Math.max(0, timestamp - afterMs),
      Math.max(0, timestamp + beforeMs),
    )
    for (const other of others) {
      // Results come in the order of their timestamps.
      if (meetsItself && other.key > timestamp) {
        meetsItself = false
        context.forward({ key, value: join(value, value), timestamp, headers })
      }
      const joined = join(other.value, value)
      context.forward({ key, value: joined, timestamp: Math.max(timestamp, other.key), headers })
    }
    if (meetsItself) context.forward({ key, value: join(value, value), timestamp, headers })
  }
}

/** Kafka Streams' KStreamKStreamSelfJoin. @param store the window store of the stream's records */
export function streamSelfJoin<K, V, R>(
  store: string,
  times: JoinTimes,
  joiner: ValueJoiner<K, V, V, R>,
): ProcessorSupplier<K, V, K, R> {
  return () => new StreamSelfJoin(store, times, joiner)
}
