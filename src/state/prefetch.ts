import type { RecordBatch } from '../consume/record-batch.ts'
import type { TaskDatabase } from '../native.ts'

/**
 * The keys of one batch that one store does not know yet, and where in the batch they are. Used again batch after batch.
 *
 *   collect() -> start() -> rows arrive -> store.accept()
 */
export class Prefetch {
  readonly #capacity: number
  readonly #columns: Int32Array
  /** For each key, the record in the batch that it came from. */
  readonly recordIndex: Int32Array
  count = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#columns = new Int32Array(4 * capacity)
    this.recordIndex = new Int32Array(capacity)
  }

  /** Collects the keys of `batch` that `isKnown` says no to. REQUIRES decoded keys in `batch.keys`; null keys are passed over. */
  collect(batch: RecordBatch, isKnown: (key: unknown) => boolean): void {
    let count = 0
    const { keys, keyStart, keyLength } = batch
    const columns = this.#columns
    const capacity = this.#capacity
    for (let index = 0; index < batch.count; index++) {
      const key = keys[index]
      if (key === null || isKnown(key)) continue
      columns[count] = keyStart[index]!
      columns[capacity + count] = keyLength[index]!
      this.recordIndex[count++] = index
    }
    this.count = count
  }

  /** @returns the arena with the rows, when they are there */
  start(database: TaskDatabase, store: number, batch: RecordBatch): Promise<Buffer> {
    return database.multiGet(store, batch.arena, this.#columns, this.#capacity, this.count)
  }

  keyLength(index: number): number {
    return this.#columns[this.#capacity + index]!
  }

  valueStart(index: number): number {
    return this.#columns[2 * this.#capacity + index]!
  }

  valueLength(index: number): number {
    return this.#columns[3 * this.#capacity + index]!
  }
}
