import type { RawRecord } from '../consume/kept-record.ts'
import type { PartitionInput } from '../consume/partition-input.ts'
import type { RecordBatch } from '../consume/record-batch.ts'
import { decodeKey, rawRecord, SourceRecord } from '../consume/source-record.ts'
import type { SourceNode } from '../process/process-graph.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { Serde } from '../serde/serde.ts'
import type { PrefetchingStore, PreparingStore } from '../state/prefetch.ts'
import type { StateStore } from '../state/state-store.ts'
import type { QueuedInput } from './partition-group.ts'
import { RecordRetry } from './record-retry.ts'
import type { TaskErrors } from './task-errors.ts'
import { recordFailed } from './task-failure.ts'

/** A store that is read by the keys of an input's records, and its column family. */
export interface PrefetchedStore {
  readonly store: StateStore & (PrefetchingStore | PreparingStore)
  readonly index: number
}

/**
 * One input partition as its task sees it: with the source node that its records go to, the timestamp they are ordered by, and the stores whose
 * caches its batches pin.
 */
export class TaskInput implements QueuedInput {
  readonly input: PartitionInput
  readonly source: SourceNode
  readonly stores: readonly PrefetchedStore[]
  readonly #clock: TaskClock
  /** null: nobody is asked about records that cannot be read, and values are decoded when something reads them. */
  readonly #errors: TaskErrors | null
  /** The head, decoded as a whole. null: that has not been tried yet, or is not done. */
  #decoded: SourceRecord | null = null
  /** Why the head cannot be read. null: it can, or that has not been tried yet. */
  #unreadable: unknown = null
  /** The head has failed with what may pass. null: it has not. */
  #retry: RecordRetry | null = null
  /** The record whose timestamp was extracted last, by offset; used with a timestamp extractor only. */
  #extractedOffset = -1
  #extractedTimestamp = 0
  /** Of the batches held, oldest first: one for each store. */
  readonly #pins: number[] = []

  constructor(
    input: PartitionInput,
    source: SourceNode,
    stores: readonly PrefetchedStore[],
    clock: TaskClock,
    errors: TaskErrors | null = null,
  ) {
    this.input = input
    this.source = source
    this.stores = stores
    this.#clock = clock
    this.#errors = errors?.decodesFirst === true ? errors : null
  }

  get hasRecord(): boolean {
    return this.input.hasRecord && (this.#retry === null || this.#retry.dueMs <= this.#clock.systemTimeMs())
  }

  get isAwaited(): boolean {
    return this.#retry !== null || this.input.next !== null || this.input.isBehind
  }

  /** When the head is tried again, ms; Infinity when it has not failed. */
  get retryMs(): number {
    return this.#retry === null || !this.input.hasRecord ? Number.POSITIVE_INFINITY : this.#retry.dueMs
  }

  /** True when the head may be tried again after another failure. @param timeoutMs from the first failure on */
  mayRetry(timeoutMs: number): boolean {
    return this.#retry === null ? timeoutMs > 0 : this.#retry.isOpen(this.#clock.systemTimeMs())
  }

  /** Keeps the head, which has failed, for a later attempt: until then the input has no record. @returns how often it has failed */
  retryLater(timeoutMs: number): number {
    const now = this.#clock.systemTimeMs()
    this.#retry ??= new RecordRetry(now, timeoutMs)
    this.#retry.failed(now)
    // Processors may have changed the value.
    this.#decoded = null
    return this.#retry.attempts
  }

  /** True while the clock stands at the head record. */
  get isEntered(): boolean {
    const { input } = this
    const { topic, partition, offset } = this.#clock
    return (
      topic === input.topic && partition === input.partition && offset === input.current?.offset[input.cursor]
    )
  }

  /** The head record's bytes. REQUIRES that there is one. */
  raw(): RawRecord {
    const { current, cursor } = this.input
    return rawRecord(current!, cursor)
  }

  /**
   * Decodes the head as a whole, where somebody is asked about those that cannot be read. Nothing of it was processed by then, nor has its timestamp counted.
   * REQUIRES that there is one.
   *
   * @returns false when the handler says to drop it; to be asked once then
   * @throws WeirError deserialization-failed when the handler says so
   */
  readHead(): boolean {
    if (this.isReadable) return true
    const error = this.#unreadable
    this.#unreadable = null
    this.enter()
    this.#errors!.deserializationFailed(this.input.headTimestamp, error)
    return false
  }

  /** False when the head cannot be read and somebody has to be asked: `readHead` does that. REQUIRES that there is one. */
  get isReadable(): boolean {
    return this.#errors === null || this.#decoded !== null || (this.#unreadable === null && this.#decode())
  }

  #decode(): boolean {
    try {
      const record = this.#newRecord(this.headKey, this.input.headTimestamp)
      void record.value
      this.#decoded = record
      return true
    } catch (error) {
      this.#unreadable = error
      return false
    }
  }

  /** The head record, with this timestamp. @throws DeserializationError */
  record(timestamp: number): SourceRecord {
    return this.#decoded === null ? this.#newRecord(this.headKey, timestamp) : this.#decoded.at(timestamp)
  }

  #newRecord(key: unknown, timestamp: number): SourceRecord {
    const { current, cursor } = this.input
    return new SourceRecord(current!, cursor, key, timestamp, this.source.definition.value)
  }

  /** The head record's key. @throws DeserializationError */
  get headKey(): unknown {
    const { current, cursor } = this.input
    const decoded = current!.keys[cursor]
    return decoded === undefined ? decodeKey(current!, cursor, this.source.definition.key) : decoded
  }

  /** The clock stands at the head record: for processors and for messages. */
  enter(): void {
    const { input } = this
    const clock = this.#clock
    clock.topic = input.topic
    clock.partition = input.partition
    clock.offset = input.current!.offset[input.cursor]!
    clock.node = this.source.definition.name
  }

  /**
   * The head's own timestamp, or what the source's extractor makes of it: asked once per record.
   *
   * @throws WeirError deserialization-failed or processing-failed
   */
  get headTimestamp(): number {
    return this.source.definition.timestampExtractor === undefined
      ? this.input.headTimestamp
      : this.#extractTimestamp()
  }

  #extractTimestamp(): number {
    const { input } = this
    const offset = input.current!.offset[input.cursor]!
    if (this.#extractedOffset !== offset) {
      const { timestampExtractor } = this.source.definition
      this.enter()
      try {
        const record = this.record(input.headTimestamp)
        this.#extractedTimestamp = timestampExtractor!(record, input.partitionTimeMs)
      } catch (error) {
        throw recordFailed(this.#clock, error)
      }
      this.#extractedOffset = offset
    }
    return this.#extractedTimestamp
  }

  /** The head record is done with. @returns true when it was its batch's last */
  pass(): boolean {
    this.#decoded = null
    this.#unreadable = null
    this.#retry = null
    if (!this.input.step()) return false
    this.unpin()
    return true
  }

  /**
   * What has to arrive before the records of a batch can be read: schemas that this thread does not know. @returns null when there is nothing to wait
   * for. Does not reject
   */
  awaits(batch: RecordBatch): Promise<unknown> | null {
    const { key, value } = this.source.definition
    if (key.awaits === undefined && value.awaits === undefined) return null
    const awaited = new Set<Promise<void>>()
    if (key.awaits !== undefined) addAwaited(key, batch, batch.keyStart, batch.keyLength, awaited)
    if (value.awaits !== undefined) addAwaited(value, batch, batch.valueStart, batch.valueLength, awaited)
    return awaited.size === 0 ? null : Promise.all(awaited)
  }

  /** A batch has come whose rows are about to be looked up: from now on they stay cached. */
  pin(): void {
    for (const { store } of this.stores) this.#pins.push(store.pin())
  }

  /** The oldest of the batches was processed, or dropped. */
  unpin(): void {
    for (const { store } of this.stores) {
      const pin = this.#pins.shift()
      // One that was dropped while it waited for schemas had not come so far.
      if (pin !== undefined) store.cache.unpin(pin)
    }
  }

  /** Gives everything buffered back. */
  close(): void {
    this.#decoded = null
    this.#unreadable = null
    for (let batches = this.input.close(); batches > 0; batches--) this.unpin()
  }
}

function addAwaited(
  serde: Serde<unknown>,
  { arena, count }: RecordBatch,
  starts: Int32Array,
  lengths: Int32Array,
  awaited: Set<Promise<void>>,
): void {
  for (let index = 0; index < count; index++) {
    const length = lengths[index]!
    if (length < 0) continue
    const start = starts[index]!
    const promise = serde.awaits!(arena, start, start + length)
    if (promise !== null) awaited.add(promise)
  }
}
