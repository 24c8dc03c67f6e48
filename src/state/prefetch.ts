import type { RecordBatch } from '../consume/record-batch.ts'
import type { TaskDatabase } from '../native.ts'
import type { CacheEntry } from './value-cache.ts'

/** The side of a store that batches are prepared with. */
export interface PrefetchingStore {
  /** The cached row of a record's key, undefined when it has to be fetched. */
  known(key: unknown): CacheEntry | undefined
  /** Takes in the fetched row of a key, unless the cache knows better by now. @returns the cached row */
  accept(key: unknown, keyLength: number, rows: Buffer, valueStart: number, valueLength: number): CacheEntry
}

/**
 * The rows of one store that one batch will read: found in its cache, or fetched by one MultiGet. Travels with the batch, used again.
 *
 *   collect() -> start() -> land()
 */
export class Prefetch {
  readonly #capacity: number
  readonly #columns: Int32Array
  /** For each key to fetch, the record in the batch that it came from. */
  readonly #recordIndex: Int32Array
  /** The cached row of each of the batch's records; undefined where there is none (a null key). */
  readonly entries: (CacheEntry | undefined)[]
  /** Keys to fetch. */
  count = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#columns = new Int32Array(4 * capacity)
    this.#recordIndex = new Int32Array(capacity)
    this.entries = new Array(capacity).fill(undefined)
  }

  /** Looks up every key of `batch`. REQUIRES decoded keys in `batch.keys`; null keys are passed over. */
  collect(batch: RecordBatch, store: PrefetchingStore): void {
    let count = 0
    const { keys, keyStart, keyLength } = batch
    const columns = this.#columns
    const capacity = this.#capacity
    const { entries } = this
    for (let index = 0; index < batch.count; index++) {
      const key = keys[index]
      const entry = key === null ? undefined : store.known(key)
      entries[index] = entry
      if (entry !== undefined || key === null) continue
      columns[count] = keyStart[index]!
      columns[capacity + count] = keyLength[index]!
      this.#recordIndex[count++] = index
    }
    this.count = count
  }

  /** @returns the arena with the rows, when they are there */
  start(database: TaskDatabase, store: number, batch: RecordBatch): Promise<Buffer> {
    return database.multiGet(store, batch.arena, this.#columns, this.#capacity, this.count)
  }

  /** Hands the fetched rows to the store's cache. */
  land(batch: RecordBatch, store: PrefetchingStore, rows: Buffer): void {
    const columns = this.#columns
    const capacity = this.#capacity
    for (let index = 0; index < this.count; index++) {
      const record = this.#recordIndex[index]!
      this.entries[record] = store.accept(
        batch.keys[record],
        columns[capacity + index]!,
        rows,
        columns[2 * capacity + index]!,
        columns[3 * capacity + index]!,
      )
    }
  }
}
