import type { TaskDatabase } from '../native.ts'
import { ByteWriter } from '../serde/byte-writer.ts'

const CAPACITY = 4096

/** Collects changed rows of a store and applies them to the database's overlay in batches. One per stream thread, shared by its stores. */
export class OverlayWriter {
  readonly writer = new ByteWriter(1 << 18)
  readonly #columns = new Int32Array(4 * CAPACITY)
  readonly #timestamps = new Float64Array(CAPACITY)
  #count = 0
  #rowStart = 0
  #keyLength = 0

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
    const valueStart = this.#rowStart + this.#keyLength
    this.#columns[index] = this.#rowStart
    this.#columns[CAPACITY + index] = this.#keyLength
    this.#columns[2 * CAPACITY + index] = valueStart
    this.#columns[3 * CAPACITY + index] = present ? this.writer.position - valueStart : -1
    this.#timestamps[index] = timestamp
    return this.writer.position - this.#rowStart
  }

  get isFull(): boolean {
    return this.#count === CAPACITY
  }

  /** @returns the database's overlay bytes afterwards */
  apply(database: TaskDatabase, store: number): number {
    const bytes = database.apply(
      store,
      this.writer.buffer,
      this.#columns,
      this.#timestamps,
      CAPACITY,
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
