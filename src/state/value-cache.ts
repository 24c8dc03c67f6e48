import type { ByteWriter } from '../serde/byte-writer.ts'
import type { CacheBudget } from './cache-budget.ts'
import { hashKey, KeyTable } from './key-table.ts'

/** What a changed key is identified by where its bytes are not at hand: the value itself for primitive serdes, else the bytes as a latin1 string. */
export type CacheKey = string | number | bigint

/**
 * One cached row. `value` null is a known absence. An entry lives in one of two generations; which one is told by `generation`. Value and timestamp
 * stand in the entry itself, so that an update makes no garbage.
 */
export interface CacheEntry {
  /** The decoded key, if keys of the store are primitive: then it is shared. Else undefined. */
  readonly key: unknown
  readonly keyBytes: number
  value: unknown
  /** Of a timestamped row: the row's own. Else that of the record that last changed it, which the changelog record gets; ms. */
  timestamp: number
  /** How often the row was put since it was last written out; 0: it is clean. */
  puts: number
  generation: number
  /** Where the key starts in its generation's table. */
  keyStart: number
  /** Key and row, serialised: as read or written out, or as measured at a put. */
  serializedBytes: number
  /** Of a caching store: the slot of the change that has not been told yet (see ChangeBuffer); -1: none. */
  change: number
}

/** What a table may hold: a bigger one stops the thread for longer when it grows, and offsets have 31 bits. */
const GENERATION_ENTRIES_MAX = 512 * 1024
const GENERATION_KEY_BYTES_MAX = 2 ** 29

/**
 * The memory that a cached row takes for each serialised byte and besides (the entry, its place in the table, the key string, the boxed
 * timestamp): an estimate on the safe side; value-cache.test.ts measures it.
 */
const HEAP_BYTES_PER_ENTRY = 150
const HEAP_BYTES_PER_SERIALIZED_BYTE = 2

function heapBytes(serializedBytes: number): number {
  return HEAP_BYTES_PER_ENTRY + serializedBytes * HEAP_BYTES_PER_SERIALIZED_BYTE
}

/**
 * Decoded values of one store under one task, by the bytes of their keys: two generations of a table. What is used moves into the young one; when that has grown to
 * its share, the old one goes as a whole, its dirty rows first into the overlay. So the rows used last stay, without a list to keep.
 *
 * Rows leave only in `rotate`, between batches. A batch that is read ahead pins the cache: until it has been processed the cache is rotated
 * at most once, so that what the batch has touched stays, and no change can pass through the overlay while its rows are being fetched.
 */
export class ValueCache {
  readonly #budget: CacheBudget
  readonly #writeOut: (entries: CacheEntry[]) => void
  #young = new KeyTable<CacheEntry>()
  #old = new KeyTable<CacheEntry>()
  /** Rows of the old generation that have gone over to the young one. */
  #promoted = 0
  /** Rows to be written out that became dirty in the old generation, or in the young one. Those may have been promoted since. */
  #oldDirty: CacheEntry[] = []
  #youngDirty: CacheEntry[] = []
  /** Rows of this one are young, those of the one before old; others have left. */
  generation = 0
  #youngBytes = 0
  #oldBytes = 0
  #hashes = new Int32Array(0)
  /** The last entry touched: an aggregate gets and puts the same key. */
  #last: CacheEntry | null = null
  #dirtyBytes = 0
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
    return this.#young.size + this.#old.size - this.#promoted
  }

  get dirtyEntries(): number {
    return this.#oldDirty.length + this.#youngDirty.length
  }

  /** Key and row bytes, serialised, of the dirty rows. */
  get dirtyBytes(): number {
    return this.#dirtyBytes
  }

  get youngBytes(): number {
    return this.#youngBytes
  }

  get oldBytes(): number {
    return this.#oldBytes
  }

  /** @returns the row touched last, if it is this key's; undefined says nothing */
  expected(key: unknown): CacheEntry | undefined {
    const last = this.#last
    // 0 and -0 are the same here, and may be two keys.
    return last !== null && last.key === key && key !== 0 ? last : undefined
  }

  /** @returns the row of the key `bytes[start, end)`, moved to the young generation; undefined when nothing is known of it */
  find(bytes: Uint8Array, start: number, end: number): CacheEntry | undefined {
    return this.#find(bytes, start, end, hashKey(bytes, start, end))
  }

  /**
   * `find` of many keys at once, which costs less than one after the other.
   *
   * @param lengths -1: no key, and no row
   * @param entries takes the rows
   */
  findAll(
    bytes: Uint8Array,
    starts: Int32Array,
    lengths: Int32Array,
    count: number,
    entries: (CacheEntry | undefined)[],
  ): void {
    if (this.#hashes.length < count) this.#hashes = new Int32Array(count)
    const hashes = this.#hashes
    for (let index = 0; index < count; index++) {
      const start = starts[index]!
      hashes[index] = hashKey(bytes, start, start + lengths[index]!)
    }
    this.#young.warm(hashes, count)
    for (let index = 0; index < count; index++) {
      const start = starts[index]!
      const length = lengths[index]!
      entries[index] = length < 0 ? undefined : this.#find(bytes, start, start + length, hashes[index]!)
    }
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): CacheEntry | undefined {
    let entry = this.#young.find(bytes, start, end, hash)
    if (entry === undefined) {
      entry = this.#old.find(bytes, start, end, hash)
      if (entry === undefined) {
        this.misses++
        return undefined
      }
      this.#promote(entry, bytes, start, end, hash)
    }
    this.hits++
    this.#last = entry
    return entry
  }

  /** The row that is read or put next is this one, which is in the cache: `expected` then finds it without a look-up. */
  expect(entry: CacheEntry): void {
    this.#last = entry
  }

  /** @returns what to give to `unpin` */
  pin(): number {
    this.#pins.push(this.generation)
    return this.generation
  }

  /** A pin is no longer needed. Batches of several inputs may end in another order than they were read in. */
  unpin(pin: number): void {
    const index = this.#pins.indexOf(pin)
    if (index < 0) throw new Error(`the cache has no pin of generation ${pin}`)
    this.#pins.splice(index, 1)
  }

  /** True while a batch that was read ahead has not been processed. */
  get isPinned(): boolean {
    return this.#pins.length > 0
  }

  get canRotate(): boolean {
    return this.#pins.length === 0 || this.#pins[0] === this.generation
  }

  /**
   * Adds a row that was read. REQUIRES that the key `bytes[start, end)` is not there.
   *
   * @param key the decoded one, if it is primitive
   */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    key: unknown,
    value: unknown,
    timestamp: number,
    rowBytes: number,
  ): CacheEntry {
    const keyBytes = end - start
    const serializedBytes = keyBytes + Math.max(rowBytes, 0)
    const generation = this.generation
    const entry: CacheEntry = {
      key,
      keyBytes,
      value,
      timestamp,
      puts: 0,
      generation,
      keyStart: 0,
      serializedBytes,
      change: -1,
    }
    entry.keyStart = this.#young.add(bytes, start, end, hashKey(bytes, start, end), entry)
    const heap = heapBytes(serializedBytes)
    this.#youngBytes += heap
    this.#budget.usedBytes += heap
    this.#last = entry
    return entry
  }

  /** Appends a row's key. REQUIRES that the row is in the cache, or is being written out. */
  writeKey(entry: CacheEntry, writer: ByteWriter): void {
    const table = entry.generation === this.generation ? this.#young : this.#old
    writer.writeBytes(table.keyAt(entry.keyStart, entry.keyBytes))
  }

  /** @param serializedBytes of key and row */
  put(entry: CacheEntry, value: unknown, timestamp: number, serializedBytes: number): void {
    entry.value = value
    entry.timestamp = timestamp
    if (entry.serializedBytes !== serializedBytes) this.resize(entry, serializedBytes)
    if (entry.puts++ === 0) {
      const dirty = entry.generation === this.generation ? this.#youngDirty : this.#oldDirty
      dirty.push(entry)
      this.#dirtyBytes += serializedBytes
    }
  }

  /** A clean row is another by now, which its store has written itself. @param serializedBytes of key and row */
  refresh(entry: CacheEntry, value: unknown, timestamp: number, serializedBytes: number): void {
    entry.value = value
    entry.timestamp = timestamp
    if (entry.serializedBytes !== serializedBytes) this.resize(entry, serializedBytes)
  }

  /** A row takes more or less than was thought. */
  resize(entry: CacheEntry, serializedBytes: number): void {
    const grown = serializedBytes - entry.serializedBytes
    entry.serializedBytes = serializedBytes
    if (entry.puts > 0) this.#dirtyBytes += grown
    const bytes = grown * HEAP_BYTES_PER_SERIALIZED_BYTE
    // An entry that has left is nobody's any more.
    if (entry.generation === this.generation) this.#youngBytes += bytes
    else if (entry.generation === this.generation - 1) this.#oldBytes += bytes
    else return
    this.#budget.usedBytes += bytes
  }

  /** Hands every dirty row to the overlay; the rows stay, clean. */
  flushDirty(): void {
    if (this.dirtyEntries === 0) return
    const dirty = this.#oldDirty.length === 0 ? this.#youngDirty : this.#oldDirty.concat(this.#youngDirty)
    // A row that cannot be written keeps all of them dirty: no commit can leave them out.
    this.#writeOut(dirty)
    this.#oldDirty = []
    this.#youngDirty = []
    for (const entry of dirty) entry.puts = 0
    this.#dirtyBytes = 0
  }

  /** True when the young generation has its share of the memory left to it, `free` bytes being unused. */
  wantsRotation(free: number): boolean {
    if (!this.canRotate) return false
    return (
      this.#young.size >= GENERATION_ENTRIES_MAX ||
      this.#young.keyBytes >= GENERATION_KEY_BYTES_MAX ||
      (this.#youngBytes > 0 && this.#youngBytes >= this.#oldBytes + free)
    )
  }

  /** Drops the old generation and makes the young one old. REQUIRES canRotate. */
  rotate(): void {
    const goes = this.generation - 1
    const leaving: CacheEntry[] = []
    const promoted: CacheEntry[] = []
    const staying = this.#youngDirty
    for (const entry of this.#oldDirty) (entry.generation === goes ? leaving : promoted).push(entry)
    if (leaving.length > 0) this.#writeOut(leaving)
    this.#oldDirty = promoted.length === 0 ? staying : staying.concat(promoted)
    this.#youngDirty = []
    for (const entry of leaving) this.#dirtyBytes -= entry.serializedBytes
    this.#budget.usedBytes -= this.#oldBytes
    this.#old = this.#young
    this.#oldBytes = this.#youngBytes
    this.#promoted = 0
    this.#young = new KeyTable()
    this.#youngBytes = 0
    this.generation++
    this.#last = null
  }

  /** Forgets everything, dirty rows too. */
  discard(): void {
    this.#budget.usedBytes -= this.#youngBytes + this.#oldBytes
    this.#young = new KeyTable()
    this.#old = new KeyTable()
    this.#promoted = 0
    this.#oldDirty = []
    this.#youngDirty = []
    this.#dirtyBytes = 0
    this.#youngBytes = 0
    this.#oldBytes = 0
    this.#last = null
  }

  close(): void {
    this.discard()
    this.#budget.remove(this)
  }

  #promote(entry: CacheEntry, bytes: Uint8Array, start: number, end: number, hash: number): void {
    const heap = heapBytes(entry.serializedBytes)
    this.#promoted++
    this.#oldBytes -= heap
    entry.generation = this.generation
    entry.keyStart = this.#young.add(bytes, start, end, hash, entry)
    this.#youngBytes += heap
  }
}
