import type { CacheBudget } from './cache-budget.ts'
import type { CacheEntry, CacheKey, ValueCache } from './value-cache.ts'

/** A key's change since the last flush: its row then, and what was put last. */
export interface PendingChange<K = unknown, V = unknown> {
  readonly key: K
  /** The value at the last flush, null when there was none. */
  oldValue: V | null
  newValue: V | null
  /** The new row's, ms. */
  timestamp: number
  /** Whatever the listener wants to know of the record that put last. */
  origin: unknown
  /** The cached row that it hangs on; null when it has left the cache, or is not in it. */
  entry: CacheEntry | null
  /** Its place in the order of last changes; -1: it was told. */
  place: number
  readonly bytes: number
}

/** Who is told of changed keys when they are flushed. */
export interface FlushListener<K = unknown, V = unknown> {
  /** A key has changed. @returns what is to be kept of the record at work; `before` is what it returned last for this change */
  origin(before: unknown): unknown
  /** A changed key leaves the buffer. */
  flushed(change: PendingChange<K, V>): void
}

/** The heap that a change takes besides the row that it replaces: its places in the order, the change, what is kept of the record. */
const HEAP_BYTES_PER_CHANGE = 250
const HEAP_BYTES_PER_SERIALIZED_BYTE = 2
/** Places that are no longer any change's are put up with, up to as many as there are changes and these. */
const LEFT_PLACES_MAX = 1024

/**
 * What a caching store has not told yet: for each key that was changed since the last flush its old value and its new one. Told at a commit, or when
 * the buffer has its share of the cache, in the order of each key's last change. A key that was not there and is not there now is not told.
 * Kafka Streams' CachingKeyValueStore, of which Weir's caches do the rest for every store.
 *
 * A change hangs on the cached row of its key, which a put has at hand: no look-up by the key. Those whose rows have left the cache are kept apart.
 *
 * A flush may be interrupted (`isFull`) and goes on where it was. A change that could not be told stays, so that a commit that comes
 * after fails too and loses nothing.
 *
 * Invariants:
 * 1. A change is in `#order` at its place, and hangs on its row (`change.entry.change === change`) or is in `#apart`.
 * 2. What is in `#order` at another place than its own was put again since, or told.
 */
export class ChangeBuffer<K, V> {
  readonly #budget: CacheBudget
  readonly #listener: FlushListener<K, V>
  readonly #cache: Pick<ValueCache, 'generation'>
  readonly #cacheKeyOf: (key: K) => CacheKey
  readonly #apart = new Map<CacheKey, PendingChange<K, V>>()
  /** The cache's generation when changes were looked through for rows that have left it. */
  #generation: number
  #order: PendingChange<K, V>[] = []
  /** Of a flush that was interrupted: the place that is told next. */
  #next = 0
  /** The listener is at work: places stay. */
  #isTelling = false
  #size = 0
  #bytes = 0

  /** @param cache the store's, on whose rows changes hang; @param cacheKeyOf tells keys apart whose rows are not in it */
  constructor(
    budget: CacheBudget,
    cache: Pick<ValueCache, 'generation'>,
    cacheKeyOf: (key: K) => CacheKey,
    listener: FlushListener<K, V>,
  ) {
    this.#budget = budget
    this.#cache = cache
    this.#generation = cache.generation
    this.#cacheKeyOf = cacheKeyOf
    this.#listener = listener
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** True when a row without a change may have one that is kept apart: to be asked before `takeApart`, which needs the key. */
  get mayBeApart(): boolean {
    if (this.#cache.generation !== this.#generation) this.#collectApart()
    return this.#apart.size > 0
  }

  /** @returns the change of a key that is kept apart, which hangs on `entry` from now on; null: the key has none */
  takeApart(cacheKey: CacheKey, entry: CacheEntry | null): PendingChange<K, V> | null {
    const change = this.#apart.get(cacheKey)
    if (change === undefined) return null
    if (entry !== null) {
      this.#apart.delete(cacheKey)
      hang(change, entry)
    }
    return change
  }

  /**
   * The first change of a key since the last flush, to be put. REQUIRES that it has none.
   *
   * @param entry null: its row is not in the cache
   * @param oldBytes of the old row, serialised
   */
  add(entry: CacheEntry | null, key: K, oldValue: V | null, oldBytes: number): PendingChange<K, V> {
    const bytes = HEAP_BYTES_PER_CHANGE + oldBytes * HEAP_BYTES_PER_SERIALIZED_BYTE
    const change: PendingChange<K, V> = {
      key,
      oldValue,
      newValue: null,
      timestamp: 0,
      origin: null,
      entry: null,
      place: -1,
      bytes,
    }
    this.#keep(change, entry)
    return change
  }

  /** What was put. */
  put(change: PendingChange<K, V>, newValue: V | null, timestamp: number): void {
    change.newValue = newValue
    change.timestamp = timestamp
    change.origin = this.#listener.origin(change.origin)
    if (!this.#isTelling && this.#order.length >= 2 * this.#size + LEFT_PLACES_MAX) this.#closeUp()
    change.place = this.#order.length
    this.#order.push(change)
  }

  /**
   * Tells what has changed until now, or until `isFull`. @returns true when nothing is left
   * @throws what the listener throws
   */
  flush(isFull: () => boolean): boolean {
    const end = this.#order.length
    for (; this.#next < end; this.#next++) {
      const change = this.#order[this.#next]!
      if (change.place !== this.#next) continue
      if (isFull()) return false
      this.#tell(change)
    }
    this.#closeUp()
    return this.#size === 0
  }

  /** Forgets everything untold. */
  clear(): void {
    for (const change of this.#order) if (change.entry !== null) change.entry.change = null
    this.#apart.clear()
    this.#order = []
    this.#next = 0
    this.#size = 0
    this.#count(-this.#bytes)
  }

  /** Told first, gone afterwards would lose what the listener's own work puts under the same key. */
  #tell(change: PendingChange<K, V>): void {
    const { entry, place } = change
    if (entry === null) this.#apart.delete(this.#cacheKeyOf(change.key))
    else entry.change = null
    change.place = -1
    this.#size--
    this.#count(-change.bytes)
    if (change.newValue === null && change.oldValue === null) return
    this.#isTelling = true
    try {
      this.#listener.flushed(change)
    } catch (error) {
      const since = this.#putSince(change)
      if (since === undefined) {
        change.place = place
        this.#keep(change, entry)
      } else {
        since.oldValue = change.oldValue
      }
      throw error
    } finally {
      this.#isTelling = false
    }
  }

  /** What was put under the same key while `told` was told. */
  #putSince(told: PendingChange<K, V>): PendingChange<K, V> | undefined {
    const cacheKey = this.#cacheKeyOf(told.key)
    return this.#order.find(
      (change, place) => change.place === place && this.#cacheKeyOf(change.key) === cacheKey,
    )
  }

  #keep(change: PendingChange<K, V>, entry: CacheEntry | null): void {
    if (entry === null) this.#apart.set(this.#cacheKeyOf(change.key), change)
    else hang(change, entry)
    this.#size++
    this.#count(change.bytes)
  }

  /** Rows leave a cache by generations. */
  #collectApart(): void {
    this.#generation = this.#cache.generation
    this.#order.forEach((change, place) => {
      const { entry } = change
      if (change.place !== place || entry === null || entry.generation >= this.#generation - 1) return
      change.entry = null
      entry.change = null
      this.#apart.set(this.#cacheKeyOf(change.key), change)
    })
  }

  /** Takes places out that are no longer any change's. */
  #closeUp(): void {
    const order = this.#order.filter((change, place) => change.place === place)
    order.forEach((change, place) => {
      change.place = place
    })
    this.#order = order
    this.#next = 0
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#budget.usedBytes += bytes
  }
}

function hang(change: PendingChange, entry: CacheEntry): void {
  change.entry = entry
  entry.change = change
}
