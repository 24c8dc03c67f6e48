import { addon } from './addon.ts'
import type { NativeError } from './errors.ts'
import type { ClientConfig } from './kafka-config.ts'
import type { TopicPartition, TopicPartitionOffset } from './topic-partitions.ts'

/** What the group tells the main thread. `lost`: the partitions belong to someone else already, nothing of theirs may be committed. */
export type ConsumerEvent =
  | { readonly type: 'assign'; readonly partitions: readonly TopicPartition[] }
  | { readonly type: 'revoke'; readonly partitions: readonly TopicPartition[]; readonly lost: boolean }
  | { readonly type: 'error'; readonly error: NativeError }
  /** A record reached the main queue: a bug; the process must stop. */
  | { readonly type: 'stray'; readonly topic: string; readonly partition: number; readonly offset: number }

/**
 * The process's librdkafka consumer. The main thread creates it and owns the group; stream threads `attach` to it by `id` and poll
 * the partitions they open. Each partition has its own queue; one that is not polled holds up no other. A method of the other part
 * throws `invalid`. Error events beyond 1,024 that wait to be told are dropped. Without `close`, the
 * group is left when the thread ends, and nothing is committed.
 */
export interface Consumer {
  readonly id: number
  // The main thread's part.
  /** Without topics the group is left (a static member leaves too) as soon as the revocation that follows is answered. */
  subscribe(topics: readonly string[]): void
  /** Answers an `assign`: takes each partition's queue off the main queue, then assigns from the given offsets (0 or above). Works under
   * the eager protocol, where it must name everything that was granted, and under the cooperative one. */
  assign(partitions: readonly TopicPartitionOffset[]): void
  /** Answers a `revoke`. The group goes on only then. Readers that still have a partition open find it empty. */
  unassign(partitions: readonly TopicPartition[]): void
  /** The group's committed offsets, in the order asked; offset -1 where there is none. Rejects with `kafka:UNSTABLE_OFFSET_COMMIT`
   * (retriable) while a transaction that has sent offsets is open. */
  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<TopicPartitionOffset[]>
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** Asks the broker. @param uncommitted the end of all records; otherwise of those that the consumer's isolation level shows.
   * @returns [earliest, end] */
  queryWatermarks(
    topic: string,
    partition: number,
    timeoutMs: number,
    uncommitted?: boolean,
  ): Promise<[number, number]>
  /** The group's member id and generation; generation -1 when not a member. */
  groupMetadata(): { memberId: string; generation: number }
  /** Leaves the group (a static member does not) and closes. Outstanding revocations are reported and must be answered meanwhile. */
  close(): Promise<void>
  // A stream thread's part.
  /** Opens an assigned partition for reading from `offset` (records before it are dropped). @returns its slot. Throws `closed` when the
   * partition is not assigned (any more), `invalid` while another reader has it open. */
  open(topic: string, partition: number, offset: number): number
  /** Drains up to `capacity` records of the slot's queue without waiting.
   * @param columns see {@link CONSUME_COLUMNS}. @returns how many; 0 when there is nothing now; -n when the next record needs n bytes
   * and the arena is smaller. Throws a partition's error (offset out of range, authorisation) after the records before it. */
  poll(slot: number, arena: Buffer, columns: ArrayBuffer, capacity: number): number
  /** Drops what is queued and reads on from `offset`. After `kafka:_AUTO_OFFSET_RESET` a member of a group can read a partition again
   * only when it is assigned anew; `poll` then throws `kafka:_STATE`. */
  seek(slot: number, offset: number): void
  pause(slot: number): void
  /** Resumes from `offset`; nothing resumes without saying where. */
  resume(slot: number, offset: number): void
  closeSlot(slot: number): void
  /** The offset to read next: after the last record polled, and where the partition ends after the markers of transactions that follow it. */
  position(slot: number): number
  /** Cached from fetch responses, without a request. @returns [low, high], -1 when unknown */
  watermarks(slot: number): [number, number]
  /** `callback` runs on this thread's event loop when a partition that was found empty has records again. One per attached consumer. */
  onReady(callback: () => void): void
  /** Closes this thread's slots and its callback; the consumer lives on. */
  detach(): void
}

/** Column order of a consumed batch in one ArrayBuffer: 2 Float64 columns, then 6 Int32 columns, each `capacity` long. Headers are
 * encoded in the arena as count(4) {keyLength(4) key valueLength(4, -1 null) value}, big-endian. */
export const CONSUME_COLUMNS = {
  float64: ['offset', 'timestamp'],
  int32: ['keyStart', 'keyLength', 'valueStart', 'valueLength', 'headersStart', 'headersLength'],
} as const

export const { Consumer } = addon as {
  Consumer: {
    new (config: ClientConfig, onEvent: (event: ConsumerEvent) => void): Consumer
    attach(id: number): Consumer
  }
}
