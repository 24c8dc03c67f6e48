import type { RecordBatch } from '../consume/record-batch.ts'
import type { TaskDatabase } from '../native.ts'
import type { CacheEntry, ValueCache } from './value-cache.ts'

/** The side of a store that batches are prepared with. A record's key is `bytes[start, end)`. */
export interface PrefetchingStore {
  readonly cache: ValueCache
  /** A batch has come whose rows are looked up from now on. @returns what to give to `cache.unpin` */
  pin(): number
  /**
   * Takes in the fetched row of a key, unless the cache knows better by now. `rowLength` -1: there is none.
   *
   * @returns the cached row; undefined when the store would write the key in other bytes: then it is read when its turn comes
   */
  accept(
    bytes: Buffer,
    start: number,
    end: number,
    rows: Buffer,
    rowStart: number,
    rowLength: number,
  ): CacheEntry | undefined
  /** What has to arrive before a fetched row can be read: see Serde. Absent where nothing ever has. */
  readonly rowAwaits?: ((rows: Buffer, start: number, end: number) => Promise<void> | null) | undefined
  /** The database's store to look in for rows that the store itself does not have. Absent where there is none. */
  readonly lowerIndex?: number
  /**
   * Brings the row of a key into the cache that the database does not have. Absent where what the database does not have is not there.
   *
   * @returns null when there is nothing to wait for; else what comes may be the same for several. Does not reject
   */
  loadAbsent?(bytes: Buffer, start: number, end: number): Promise<unknown> | null
}

/** The side of a store that batches are prepared with in its own way: not row by row. */
export interface PreparingStore {
  readonly cache: ValueCache
  /** As of PrefetchingStore. */
  pin(): number
  /** Looks what is here of what a batch reads, and keeps it until the batch is done with. @returns what has to come from elsewhere; does not reject */
  prepare(batch: RecordBatch): Promise<{ readonly loads: Promise<unknown> | null }>
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

  /** Looks up every key of `batch`; null keys are passed over. A known key that may be shared is not decoded again. */
  collect(batch: RecordBatch, store: PrefetchingStore): void {
    let count = 0
    const { arena, keys, keyStart, keyLength } = batch
    const columns = this.#columns
    const capacity = this.#capacity
    const { entries } = this
    store.cache.findAll(arena, keyStart, keyLength, batch.count, entries)
    for (let index = 0; index < batch.count; index++) {
      const entry = entries[index]
      if (entry !== undefined) {
        keys[index] = entry.key
      } else if (keyLength[index]! >= 0) {
        columns[count] = keyStart[index]!
        columns[capacity + count] = keyLength[index]!
        this.#recordIndex[count++] = index
      }
    }
    this.count = count
  }

  /** @param lower of the store. @returns the arena with the rows, when they are there */
  start(database: TaskDatabase, store: number, batch: RecordBatch, lower?: number): Promise<Buffer> {
    const rows = database.multiGet(store, batch.arena, this.#columns, this.#capacity, this.count)
    return lower === undefined ? rows : rows.then((upper) => this.#startLower(database, lower, batch, upper))
  }

  /** The rows that are not among `upper` are those of another store. */
  async #startLower(
    database: TaskDatabase,
    store: number,
    batch: RecordBatch,
    upper: Buffer,
  ): Promise<Buffer> {
    const columns = this.#columns
    const capacity = this.#capacity
    const absent: number[] = []
    for (let index = 0; index < this.count; index++)
      if (columns[3 * capacity + index]! < 0) absent.push(index)
    const { length } = absent
    if (length === 0) return upper
    const found = new Int32Array(4 * length)
    for (const [at, index] of absent.entries()) {
      found[at] = columns[index]!
      found[length + at] = columns[capacity + index]!
    }
    const lower = await database.multiGet(store, batch.arena, found, length, length)
    for (const [at, index] of absent.entries()) {
      columns[2 * capacity + index] = upper.length + found[2 * length + at]!
      columns[3 * capacity + index] = found[3 * length + at]!
    }
    return Buffer.concat([upper, lower])
  }

  /** What has to arrive before the fetched rows can be read. @returns null when there is nothing to wait for. Does not reject */
  awaits(batch: RecordBatch, store: PrefetchingStore, rows: Buffer): Promise<unknown> | null {
    if (store.rowAwaits === undefined && store.loadAbsent === undefined) return null
    const columns = this.#columns
    const capacity = this.#capacity
    const awaited = new Set<Promise<unknown>>()
    for (let index = 0; index < this.count; index++) {
      const start = columns[2 * capacity + index]!
      const length = columns[3 * capacity + index]!
      const promise =
        length < 0 ? this.#load(batch, store, index) : store.rowAwaits?.(rows, start, start + length)
      if (promise !== null && promise !== undefined) awaited.add(promise)
    }
    return awaited.size === 0 ? null : Promise.all(awaited)
  }

  #load({ arena }: RecordBatch, store: PrefetchingStore, index: number): Promise<unknown> | null | undefined {
    const start = this.#columns[index]!
    return store.loadAbsent?.(arena, start, start + this.#columns[this.#capacity + index]!)
  }

  /** Hands the fetched rows to the store's cache. */
  land(batch: RecordBatch, store: PrefetchingStore, rows: Buffer): void {
    const columns = this.#columns
    const capacity = this.#capacity
    for (let index = 0; index < this.count; index++) {
      const record = this.#recordIndex[index]!
      const start = columns[index]!
      const end = start + columns[capacity + index]!
      const rowStart = columns[2 * capacity + index]!
      const rowLength = columns[3 * capacity + index]!
      const entry = store.accept(batch.arena, start, end, rows, rowStart, rowLength)
      this.entries[record] = entry
      if (entry !== undefined) batch.keys[record] = entry.key
    }
  }
}
