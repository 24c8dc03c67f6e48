import type { CacheBudget } from './cache-budget.ts'

/** What a cached key is identified by: the value itself for primitive serdes, else the serialised bytes as a latin1 string. */
export type CacheKey = string | number | bigint

/**
 * One cached row. `value` null is a known absence. An entry lives in one of two generations; which one is told by `generation`. Value and timestamp
 * stand in the entry itself, so that an update makes no garbage.
 */
export interface CacheEntry {
  readonly key: CacheKey
  value: unknown
  /** Of a timestamped row: the row's own. Else that of the record that last changed it, which the changelog record gets; ms. */
  timestamp: number
  dirty: boolean
  generation: number
  bytes: number
}

/** A bigger Map stops the thread for half a second when it grows. */
const GENERATION_ENTRIES_MAX = 512 * 1024

/**
 * The heap that a cached row takes for each serialised byte and besides (a Map slot, the entry, the key string, the boxed timestamp): an estimate
 * on the safe side. On Node 24 a row with a 15-byte string key and a number as value takes 150 to 200 bytes, depending on how full the Map
 * is, and is charged 212; value-cache.test.ts measures it.
 */
const HEAP_BYTES_PER_ENTRY = 150
const HEAP_BYTES_PER_SERIALIZED_BYTE = 2

/**
 * Decoded values of one store under one task: two generations of a Map. What is used moves into the young one; when that has grown to
 * its share, the old one goes as a whole, its dirty rows first into the overlay. So the rows used last stay, without a list to keep.
 *
 * Rows leave only in `rotate`, between batches. A batch that is read ahead pins the cache: until it has been processed the cache is rotated
 * at most once, so that what the batch has touched stays, and no change can pass through the overlay while its rows are being fetched.
 */
export class ValueCache {
  readonly #budget: CacheBudget
  readonly #writeOut: (entries: CacheEntry[]) => void
  #young = new Map<CacheKey, CacheEntry>()
  #old = new Map<CacheKey, CacheEntry>()
  #dirty: CacheEntry[] = []
  #generation = 0
  #youngBytes = 0
  #oldBytes = 0
  /** The last entry touched: an aggregate gets and puts the same key. */
  #last: CacheEntry | null = null
  /** Serialised row bytes of late, as an estimate for rows that were never serialised. */
  rowBytesEstimate = 16
  hits = 0
  misses = 0
  /** The generations in which the batches now held were read ahead, oldest first. */
  readonly #pins: number[] = []

  /** @param writeOut puts dirty entries into the overlay */
  constructor(budget: CacheBudget, writeOut: (entries: CacheEntry[]) => void) {
    this.#budget = budget
    this.#writeOut = writeOut
    budget.add(this)
  }

  get entries(): number {
    return this.#young.size + this.#old.size
  }

  get dirtyEntries(): number {
    return this.#dirty.length
  }

  get youngBytes(): number {
    return this.#youngBytes
  }

  get oldBytes(): number {
    return this.#oldBytes
  }

  /** @returns the row, moved to the young generation; undefined when nothing is known of the key */
  find(key: CacheKey): CacheEntry | undefined {
    const last = this.#last
    if (last !== null && last.key === key) return last
    let entry = this.#young.get(key)
    if (entry === undefined) {
      entry = this.#old.get(key)
      if (entry === undefined) {
        this.misses++
        return undefined
      }
      this.#promote(entry)
    }
    this.hits++
    this.#last = entry
    return entry
  }

  /** The next `find` or `put` is expected to be for this row, which is in the cache: it is then found without a look-up. */
  expect(entry: CacheEntry): void {
    this.#last = entry
  }

  /** @returns what to give to `unpin` */
  pin(): number {
    this.#pins.push(this.#generation)
    return this.#generation
  }

  /** A pin is no longer needed. Batches of several inputs may end in another order than they were read in. */
  unpin(pin: number): void {
    const index = this.#pins.indexOf(pin)
    if (index < 0) throw new Error(`the cache has no pin of generation ${pin}`)
    this.#pins.splice(index, 1)
  }

  get canRotate(): boolean {
    return this.#pins.length === 0 || this.#pins[0] === this.#generation
  }

  /** Adds a row that was read. REQUIRES that the key is not there. */
  add(key: CacheKey, keyBytes: number, value: unknown, timestamp: number, rowBytes: number): CacheEntry {
    const bytes = HEAP_BYTES_PER_ENTRY + (keyBytes + Math.max(rowBytes, 0)) * HEAP_BYTES_PER_SERIALIZED_BYTE
    const entry: CacheEntry = { key, value, timestamp, dirty: false, generation: this.#generation, bytes }
    this.#young.set(key, entry)
    this.#youngBytes += bytes
    this.#budget.usedBytes += bytes
    this.#last = entry
    return entry
  }

  put(key: CacheKey, keyBytes: number, value: unknown, timestamp: number): void {
    const entry = this.find(key) ?? this.add(key, keyBytes, null, timestamp, this.rowBytesEstimate)
    entry.value = value
    entry.timestamp = timestamp
    if (!entry.dirty) {
      entry.dirty = true
      this.#dirty.push(entry)
    }
  }

  /** Hands every dirty row to the overlay; the rows stay, clean. */
  flushDirty(): void {
    if (this.#dirty.length === 0) return
    const dirty = this.#dirty
    this.#dirty = []
    this.#writeOut(dirty)
    for (const entry of dirty) entry.dirty = false
  }

  /** True when the young generation has its share of the memory left to it, `free` bytes being unused. */
  wantsRotation(free: number): boolean {
    if (!this.canRotate) return false
    return (
      this.#young.size >= GENERATION_ENTRIES_MAX ||
      (this.#youngBytes > 0 && this.#youngBytes >= this.#oldBytes + free)
    )
  }

  /** Drops the old generation and makes the young one old. REQUIRES canRotate. */
  rotate(): void {
    const goes = this.#generation - 1
    const leaving: CacheEntry[] = []
    const staying: CacheEntry[] = []
    for (const entry of this.#dirty) (entry.generation === goes ? leaving : staying).push(entry)
    this.#dirty = staying
    if (leaving.length > 0) this.#writeOut(leaving)
    this.#budget.usedBytes -= this.#oldBytes
    this.#old = this.#young
    this.#oldBytes = this.#youngBytes
    this.#young = new Map()
    this.#youngBytes = 0
    this.#generation++
    this.#last = null
  }

  /** Forgets everything, dirty rows too. */
  discard(): void {
    this.#budget.usedBytes -= this.#youngBytes + this.#oldBytes
    this.#young = new Map()
    this.#old = new Map()
    this.#dirty = []
    this.#youngBytes = 0
    this.#oldBytes = 0
    this.#last = null
  }

  close(): void {
    this.discard()
    this.#budget.remove(this)
  }

  #promote(entry: CacheEntry): void {
    this.#old.delete(entry.key)
    this.#oldBytes -= entry.bytes
    entry.generation = this.#generation
    this.#young.set(entry.key, entry)
    this.#youngBytes += entry.bytes
  }
}
