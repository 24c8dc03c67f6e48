import type { TaskDatabase } from '../native.ts'
import { ByteWriter } from '../serde/byte-writer.ts'

/** What a batch may take beyond its last row. */
const BYTES_MAX = 1 << 20

/** Collects changed rows of a store and applies them to the database's overlay in batches. */
export class OverlayWriter {
  readonly writer: ByteWriter
  readonly #capacity: number
  readonly #columns: Int32Array
  readonly #timestamps: Float64Array
  #count = 0
  #rowStart = 0
  #keyLength = 0

  /** @param capacity rows of a batch. @param bytes that a batch usually takes */
  constructor(capacity = 4096, bytes = 1 << 18) {
    this.writer = new ByteWriter(bytes)
    this.#capacity = capacity
    this.#columns = new Int32Array(4 * capacity)
    this.#timestamps = new Float64Array(capacity)
  }

  /** The key's bytes are to be written next. */
  beginRow(): void {
    this.#rowStart = this.writer.position
  }

  /** The key is complete; the row's value is to be written next. */
  endKey(): void {
    this.#keyLength = this.writer.position - this.#rowStart
  }

  /** @param present false deletes the key. @returns the bytes of key and row */
  endRow(present: boolean, timestamp: number): number {
    const index = this.#count++
    const capacity = this.#capacity
    const valueStart = this.#rowStart + this.#keyLength
    this.#columns[index] = this.#rowStart
    this.#columns[capacity + index] = this.#keyLength
    this.#columns[2 * capacity + index] = valueStart
    this.#columns[3 * capacity + index] = present ? this.writer.position - valueStart : -1
    this.#timestamps[index] = timestamp
    return this.writer.position - this.#rowStart
  }

  /** The row that was begun is not to be written. */
  abandonRow(): void {
    this.writer.position = this.#rowStart
  }

  /** Of the rows that were not applied yet. */
  get bytes(): number {
    return this.writer.position
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  get isFull(): boolean {
    return this.#count === this.#capacity || this.writer.position >= BYTES_MAX
  }

  /** @returns the database's overlay bytes afterwards */
  apply(database: TaskDatabase, store: number): number {
    const bytes = database.apply(
      store,
      this.writer.buffer,
      this.#columns,
      this.#timestamps,
      this.#capacity,
      this.#count,
    )
    this.reset()
    return bytes
  }

  /** Forgets rows that were not applied (after a value could not be serialised). */
  reset(): void {
    this.#count = 0
    this.writer.reset()
  }
}
