import { errorCodeOf } from '../errors/decision.ts'
import type { Consumer } from '../native.ts'
import type { BatchPool, RecordBatch } from './record-batch.ts'

/** What reading a partition needs of a consumer. */
export type PartitionReader = Pick<Consumer, 'open' | 'poll' | 'closeSlot' | 'position' | 'watermarks'>

/** A record that was taken from its batch before it is done with. */
interface HeldRecord {
  readonly offset: number
  /** Of the records before it. */
  readonly partitionTimeMs: number
}

/**
 * One input partition of a task, with its own next offset: `position` is that of the first record not yet processed, whatever
 * librdkafka has fetched. Holds at most two batches: the one being processed and one read ahead.
 *
 *   held records ── head ── current batch, at `cursor` ── next batch (its keys are being fetched until `nextReady`) ── native queue
 */
export class PartitionInput {
  readonly topic: string
  readonly partition: number
  current: RecordBatch | null = null
  cursor = 0
  next: RecordBatch | null = null
  nextReady = false
  /** The highest timestamp seen in this partition, -1 before the first; see `positionTimeMs`. */
  partitionTimeMs: number
  /** Oldest first. */
  readonly #held: HeldRecord[] = []
  /** The next offset when no batch holds one. */
  #positionAfter: number
  #committed: number
  #slot = -1
  /** Whether its topic may be deleted: nothing more comes of it then. */
  readonly #mayGo: boolean
  #isGone = false
  /** At the last look, since the last `readAhead`, the broker had nothing more. */
  #isCaughtUp = false
  readonly #consumer: PartitionReader
  readonly #pool: BatchPool
  readonly #consumed: { records: number; bytes: number }

  constructor(
    consumer: PartitionReader,
    pool: BatchPool,
    consumed: { records: number; bytes: number },
    start: {
      topic: string
      partition: number
      offset: number
      partitionTimeMs: number
      /** Whether its topic may be deleted while it is read. Default: false. */
      mayGo?: boolean
    },
  ) {
    this.#consumer = consumer
    this.#pool = pool
    this.#consumed = consumed
    this.topic = start.topic
    this.partition = start.partition
    this.partitionTimeMs = start.partitionTimeMs
    this.#positionAfter = start.offset
    this.#committed = start.offset
    this.#mayGo = start.mayGo ?? false
  }

  open(): void {
    this.#isGone = false
    this.#isCaughtUp = false
    this.#slot = this.#consumer.open(this.topic, this.partition, this.position)
  }

  /** The offset to commit: that of the first record not yet processed; at the partition's end that after the last transaction's marker. */
  get position(): number {
    return this.#held.length > 0 ? this.#held[0]!.offset : this.#nextOffset()
  }

  /** The partition time at `position`. Kept over restarts in the committed offset's metadata. */
  get positionTimeMs(): number {
    return this.#held.length > 0 ? this.#held[0]!.partitionTimeMs : this.partitionTimeMs
  }

  /** That of the first record not yet taken. */
  #nextOffset(): number {
    if (this.current !== null && this.cursor < this.current.count) return this.current.offset[this.cursor]!
    if (this.next !== null) return this.next.offset[0]!
    if (this.#slot >= 0) {
      const polledTo = this.#consumer.position(this.#slot)
      if (polledTo > this.#positionAfter) this.#positionAfter = polledTo
    }
    return this.#positionAfter
  }

  /** True when the position has moved since the last commit. */
  get hasMoved(): boolean {
    return this.position !== this.#committed
  }

  commitDone(): void {
    this.#committed = this.position
  }

  /** True when the head record can be processed now. */
  get hasRecord(): boolean {
    return this.current !== null
  }

  get headTimestamp(): number {
    return this.current!.timestamp[this.cursor]!
  }

  /** Polls the next batch when there is none yet. @returns the batch to prepare, or null */
  readAhead(): RecordBatch | null {
    this.#isCaughtUp = false
    if (this.next !== null || this.#slot < 0) return null
    if (this.current !== null && !this.#pool.spare) return null
    const batch = this.#pool.take()
    let count = this.#poll(batch)
    if (count < 0) {
      // One record is larger than the arena: this batch gets one that holds it, and the pool drops it afterwards.
      batch.arena = Buffer.allocUnsafeSlow(-count)
      count = this.#poll(batch)
    }
    if (count <= 0) {
      this.#pool.release(batch)
      return null
    }
    batch.count = count
    this.#consumed.records += count
    this.#consumed.bytes += batch.bytes
    batch.keys.fill(undefined, 0, count)
    this.next = batch
    this.nextReady = false
    this.#positionAfter = batch.offset[count - 1]! + 1
    return batch
  }

  #poll(batch: RecordBatch): number {
    try {
      return this.#consumer.poll(this.#slot, batch.arena, batch.columns, batch.capacity)
    } catch (error) {
      if (!this.#mayGo || errorCodeOf(error) !== 'topic-missing') throw error
      this.#isGone = true
      return 0
    }
  }

  /** Moves on to the batch read ahead, when the current one is used up and that one's keys are there. */
  advance(): void {
    if (this.current === null && this.next !== null && this.nextReady) {
      this.current = this.next
      this.cursor = 0
      this.next = null
    }
  }

  /**
   * The head record is taken ahead of its turn: the position stays there until it is released. To be followed by `step`; the partition time is not its own yet.
   */
  hold(): void {
    this.#held.push({
      offset: this.current!.offset[this.cursor]!,
      partitionTimeMs: this.partitionTimeMs,
    })
  }

  /** The oldest of the held records is done with. */
  release(): void {
    this.#held.shift()
  }

  /** The head record was processed, or taken. @returns true when it was its batch's last */
  step(): boolean {
    if (++this.cursor < this.current!.count) return false
    this.#pool.release(this.current!)
    this.current = null
    return true
  }

  /** Records of the batches at hand that were not taken yet. */
  get recordsBuffered(): number {
    return (this.current === null ? 0 : this.current.count - this.cursor) + (this.next?.count ?? 0)
  }

  /** Records that the broker is known to have beyond the position; 0 when unknown. */
  get lag(): number {
    if (this.#slot < 0) return 0
    const [, high] = this.#consumer.watermarks(this.#slot)
    return Math.max(0, high - this.position)
  }

  /**
   * True when the broker holds records that have not arrived here, and as long as it has not said. Without the second, a task would begin with
   * whichever of its inputs is fetched first. As Kafka Streams' PartitionGroup.readyToProcess, which knows what the broker had at the last poll: here once nothing more
   * was there, that stays so until the next `readAhead`. It is asked for each record of the task's other inputs.
   */
  get isBehind(): boolean {
    if (this.#isCaughtUp || this.current !== null || this.#slot < 0 || this.#isGone) return false
    const [, high] = this.#consumer.watermarks(this.#slot)
    this.#isCaughtUp = high >= 0 && high <= this.#nextOffset()
    return !this.#isCaughtUp
  }

  /** Gives everything buffered back, and held; the position stays where processing stopped. @returns how many batches that were */
  close(): number {
    const { position, positionTimeMs } = this
    this.#held.length = 0
    this.partitionTimeMs = positionTimeMs
    const held = [this.current, this.next].filter((batch) => batch !== null)
    for (const batch of held) this.#pool.release(batch)
    this.current = null
    this.next = null
    this.#positionAfter = position
    if (this.#slot >= 0) this.#consumer.closeSlot(this.#slot)
    this.#slot = -1
    return held.length
  }
}
