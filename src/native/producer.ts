import { addon } from './addon.ts'
import type { NativeError } from './errors.ts'
import type { ClientConfig } from './kafka-config.ts'
import type { TopicPartitionOffset } from './topic-partitions.ts'

/** Column order of a batch to produce: 1 Float64 column (ms since 1970, -1 for now; librdkafka cannot send 0, which goes as 1), then 8
 * Int32 columns. `partition` -1 lets the producer choose: murmur2 of the key, or a sticky random partition for a null key. */
export const PRODUCE_COLUMNS = {
  float64: ['timestamp'],
  int32: [
    'topic',
    'partition',
    'keyStart',
    'keyLength',
    'valueStart',
    'valueLength',
    'headersStart',
    'headersLength',
  ],
} as const

/** A member of a consumer group, as the broker checks it when offsets go into a transaction. */
export interface GroupMember {
  readonly groupId: string
  readonly memberId: string
  /** KIP-848: the member's epoch. Never negative: the broker would not check it. */
  readonly generation: number
  readonly groupInstanceId: string | null
}

/** A record that a broker has refused, or did not answer for. */
export interface FailedDelivery {
  /** The id that `topic` gave. */
  readonly topic: number
  readonly partition: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** In the layout of Headers.decode; null when there are none. */
  readonly headers: Buffer | null
  readonly error: NativeError
}

/** One thread's librdkafka producer, always idempotent with acks=all. Delivery reports stay native. With a `transactional.id` everything is
 * produced in transactions: initTransactions -> { beginTransaction -> produce, flush -> sendOffsets -> commitTransaction or abortTransaction }.
 * Of these calls' errors, `retriable` asks for the same call again (which goes on where it was), `fatal` for `restart`, any other for an abort. */
export interface Producer {
  /**
   * Registers a topic and its partition count. @returns the id that the `topic` column names.
   * @param keepsFailures from now on a record of it that a broker refuses is kept for `takeFailures`, not in a transaction and within a bound. Default: false
   */
  topic(name: string, partitions: number, keepsFailures?: boolean): number
  /** Hands over records `from` to `count - 1`. @returns the index after the last one taken: less than `count` when the queue is full.
   * Throws for a record that can never be taken (too large, no such partition); those before it were taken. */
  produce(arena: Buffer, columns: ArrayBuffer, capacity: number, from: number, count: number): number
  /** Resolves when the queue has room again (at once when it has). Bound to delivery, not to a timer. */
  writable(): Promise<void>
  /** Waits until everything handed over is delivered; rejects with the first delivery error. */
  flush(timeoutMs: number): Promise<void>
  /** What was refused since the last call, of topics that keep failures: no flush rejects because of it. Complete when a flush has resolved. */
  takeFailures(): FailedDelivery[]
  /** The highest delivered offset + 1 of a partition, -1 when none. */
  deliveredOffset(topic: number, partition: number): number
  /** The first delivery error since creation, with topic and partition in its message; null when none. */
  firstError(): NativeError | null
  /** Fences whoever had the transactional.id, and waits until what it left open is aborted or committed. */
  initTransactions(timeoutMs: number): Promise<void>
  beginTransaction(): void
  /** Offsets to commit with the transaction. A time-out asks for an abort. */
  sendOffsets(offsets: readonly TopicPartitionOffset[], member: GroupMember, timeoutMs: number): Promise<void>
  /** A time-out leaves the outcome unknown until another call tells it. */
  commitTransaction(timeoutMs: number): Promise<void>
  /** Drops what was produced since `beginTransaction`, and the first error. */
  abortTransaction(timeoutMs: number): Promise<void>
  /** Begins anew with another client: drops what is not delivered, and every offset and error known; topics keep their ids. */
  restart(): Promise<void>
  stats(): { readonly queuedRecords: number; readonly queuedBytes: number; readonly deliveredRecords: number }
  close(): Promise<void>
}

export const { Producer } = addon as {
  Producer: { new (config: ClientConfig): Producer }
}
