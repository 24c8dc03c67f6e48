import type { PartitionInput } from '../consume/partition-input.ts'
import type { RecordBatch } from '../consume/record-batch.ts'
import { decodeKey, SourceRecord } from '../consume/source-record.ts'
import type { SourceNode } from '../process/process-graph.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { Serde } from '../serde/serde.ts'
import type { PrefetchingStore } from '../state/prefetch.ts'
import type { StateStore } from '../state/state-store.ts'
import type { QueuedInput } from './partition-group.ts'
import { recordFailed } from './task-failure.ts'

/** A store that is read by the keys of an input's records, and its column family. */
export interface PrefetchedStore {
  readonly store: StateStore & PrefetchingStore
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
  ) {
    this.input = input
    this.source = source
    this.stores = stores
    this.#clock = clock
  }

  get hasRecord(): boolean {
    return this.input.hasRecord
  }

  get isAwaited(): boolean {
    return this.input.next !== null || this.input.isBehind
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
    const batch = input.current!
    const index = input.cursor
    const offset = batch.offset[index]!
    if (this.#extractedOffset !== offset) {
      const { timestampExtractor, key, value } = this.source.definition
      this.enter()
      try {
        const record = new SourceRecord(
          batch,
          index,
          decodeKey(batch, index, key),
          input.headTimestamp,
          value,
        )
        this.#extractedTimestamp = timestampExtractor!(record, input.partitionTimeMs)
      } catch (error) {
        throw recordFailed(this.#clock, error)
      }
      this.#extractedOffset = offset
    }
    return this.#extractedTimestamp
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
