import type { CacheBudget } from './cache-budget.ts'
import type { CacheEntry, CacheKey, ValueCache } from './value-cache.ts'

/** A key's change since the last flush: from the row then to what was put last. */
export interface PendingChange<K = unknown, V = unknown> {
  readonly key: K
  /** The value at the last flush, null when there was none. */
  readonly oldValue: V | null
  readonly newValue: V | null
  /** The new row's, ms. */
  readonly timestamp: number
  /** Where the listener has kept what it wants to know of the record that put last. */
  readonly slot: number
}

/** Who is told of changed keys when they are flushed. */
export interface FlushListener<K = unknown, V = unknown> {
  /** A key has changed. What is wanted of the record at work is to be kept under `slot`, a small number, in the place of what is kept there. */
  keep(slot: number): void
  /** A changed key leaves the buffer: afterwards its slot is another's. */
  flushed(change: PendingChange<K, V>): void
}

/** What was put last: the cached row, or a copy for a row that is not in the cache. */
type Row = Pick<CacheEntry, 'value' | 'timestamp' | 'change'>

/** Of a slot's references: the key, the row, and the old value. */
const REFERENCES = 3
/** Of a slot's numbers: its place in the order of last changes, -1 for none, and what it takes. */
const NUMBERS = 2
const SLOTS_MIN = 64
/** The heap that a change takes besides the row that it replaces: a slot here and with the listener, places in the order, all with room to grow. */
const HEAP_BYTES_PER_CHANGE = 150
const HEAP_BYTES_PER_SERIALIZED_BYTE = 2
/** Places that are no longer any change's are put up with, up to as many as there are changes and these. */
const LEFT_PLACES_MAX = 1024

/**
 * What a caching store has not told yet: for each key that was changed since the last flush its old value and its new one. Told at a commit, or when
 * the buffer has its share of the cache, in the order of each key's last change. A key that was not there and is not there now is not told.
 * Kafka Streams' CachingKeyValueStore, of which Weir's caches do the rest for every store.
 *
 * A change is a slot of columns, and hangs on the cached row of its key, which a put has at hand: so it takes no look-up by the key, and makes no object that
 * lives until the flush and that the collector goes over. Changes whose rows have left the cache are kept apart.
 *
 * A flush may be interrupted (`isFull`) and goes on where it was. A change that could not be told stays, so that a commit that comes
 * after fails too and loses nothing.
 *
 * Invariants:
 * 1. A change hangs on its row (`row.change` is its slot), or is in `#apart`.
 * 2. A slot that is in `#order` at another place than its own was put again since, or told.
 */
export class ChangeBuffer<K, V> {
  readonly #budget: CacheBudget
  readonly #listener: FlushListener<K, V>
  readonly #cache: Pick<ValueCache, 'generation'>
  readonly #cacheKeyOf: (key: K) => CacheKey
  readonly #references: unknown[] = []
  #numbers = new Int32Array(SLOTS_MIN * NUMBERS)
  #slots = 0
  readonly #freeSlots: number[] = []
  readonly #apart = new Map<CacheKey, number>()
  /** The cache's generation when changes were looked through for rows that have left it. */
  #generation: number
  /** Slots, by their last changes. */
  #order: number[] = []
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

  /** @returns the change of a key that is kept apart, which hangs on `entry` from now on, if there is one; -1: the key has none */
  takeApart(cacheKey: CacheKey, entry: CacheEntry | null): number {
    const slot = this.#apart.get(cacheKey)
    if (slot === undefined) return -1
    if (entry !== null) {
      this.#apart.delete(cacheKey)
      this.#hang(slot, entry)
    }
    return slot
  }

  /**
   * The first change of a key since the last flush, to be put. REQUIRES that it has none.
   *
   * @param entry null: its row is not in the cache, and `putApart` is to follow
   * @param oldBytes of the old row, serialised
   */
  add(entry: CacheEntry | null, key: K, oldValue: V | null, oldBytes: number): number {
    const slot = this.#freeSlots.pop() ?? this.#newSlot()
    const at = slot * REFERENCES
    this.#references[at] = key
    this.#references[at + 2] = oldValue
    this.#numbers[slot * NUMBERS + 1] = HEAP_BYTES_PER_CHANGE + oldBytes * HEAP_BYTES_PER_SERIALIZED_BYTE
    if (entry === null) this.#apart.set(this.#cacheKeyOf(key), slot)
    else this.#hang(slot, entry)
    this.#count(slot, 1)
    return slot
  }

  /** The row that the change hangs on was put. */
  put(slot: number): void {
    this.#listener.keep(slot)
    if (!this.#isTelling && this.#order.length >= 2 * this.#size + LEFT_PLACES_MAX) this.#closeUp()
    this.#numbers[slot * NUMBERS] = this.#order.length
    this.#order.push(slot)
  }

  /** What was put is not in the cache. */
  putApart(slot: number, value: V | null, timestamp: number): void {
    this.#setApart(slot, { value, timestamp, change: -1 })
    this.put(slot)
  }

  /** A row is changed without being told: what was put last is told all the same. */
  detach({ change, value, timestamp }: CacheEntry): void {
    if (change >= 0) this.#setApart(change, { value, timestamp, change: -1 })
  }

  /**
   * Tells what has changed until now, or until `isFull`. @returns true when nothing is left
   * @throws what the listener throws
   */
  flush(isFull: () => boolean): boolean {
    const end = this.#order.length
    for (; this.#next < end; this.#next++) {
      const slot = this.#order[this.#next]!
      if (this.#placeOf(slot) !== this.#next) continue
      if (isFull()) return false
      this.#tell(slot)
    }
    this.#closeUp()
    return this.#size === 0
  }

  /** Forgets everything untold. */
  clear(): void {
    this.#order.forEach((slot, place) => {
      if (this.#placeOf(slot) !== place) return
      this.#rowOf(slot).change = -1
      this.#free(slot)
    })
    this.#apart.clear()
    this.#closeUp()
  }

  /** Told first, gone afterwards would lose what the listener's own work puts under the same key. */
  #tell(slot: number): void {
    const at = slot * REFERENCES
    const row = this.#rowOf(slot)
    const key = this.#references[at] as K
    const oldValue = this.#references[at + 2] as V | null
    const { value, timestamp } = row
    const newValue = value as V | null
    const isApart = row.change < 0
    if (isApart) this.#apart.delete(this.#cacheKeyOf(key))
    else row.change = -1
    if (newValue !== null || oldValue !== null) {
      this.#isTelling = true
      try {
        this.#listener.flushed({ key, oldValue, newValue, timestamp, slot })
      } catch (error) {
        this.#keepUntold(slot, row, isApart)
        throw error
      } finally {
        this.#isTelling = false
      }
    }
    this.#free(slot)
  }

  /** What could not be told stays, or makes one change with what was put under its key meanwhile. */
  #keepUntold(slot: number, row: Row, isApart: boolean): void {
    const key = this.#references[slot * REFERENCES] as K
    const cacheKey = this.#cacheKeyOf(key)
    const since = this.#order.find(
      (other, place) =>
        other !== slot &&
        this.#placeOf(other) === place &&
        this.#cacheKeyOf(this.#references[other * REFERENCES] as K) === cacheKey,
    )
    if (since !== undefined) {
      this.#references[since * REFERENCES + 2] = this.#references[slot * REFERENCES + 2]
      this.#free(slot)
    } else if (isApart) {
      this.#apart.set(cacheKey, slot)
    } else {
      row.change = slot
    }
  }

  #hang(slot: number, row: Row): void {
    this.#references[slot * REFERENCES + 1] = row
    row.change = slot
  }

  #setApart(slot: number, row: Row): void {
    const at = slot * REFERENCES
    const before = this.#references[at + 1] as Row | undefined
    if (before !== undefined) before.change = -1
    this.#references[at + 1] = row
    this.#apart.set(this.#cacheKeyOf(this.#references[at] as K), slot)
  }

  /** Rows leave a cache by generations. What they were when they left is what was put last. */
  #collectApart(): void {
    this.#generation = this.#cache.generation
    this.#order.forEach((slot, place) => {
      const row = this.#rowOf(slot)
      if (this.#placeOf(slot) !== place || row.change < 0) return
      if ((row as CacheEntry).generation < this.#generation - 1) this.#setApart(slot, row)
    })
  }

  #rowOf(slot: number): Row {
    return this.#references[slot * REFERENCES + 1] as Row
  }

  #placeOf(slot: number): number {
    return this.#numbers[slot * NUMBERS]!
  }

  #newSlot(): number {
    const slot = this.#slots++
    this.#references.push(undefined, undefined, undefined)
    if (this.#slots * NUMBERS > this.#numbers.length) {
      const grown = new Int32Array(this.#numbers.length * 2)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    return slot
  }

  #free(slot: number): void {
    const at = slot * REFERENCES
    this.#references[at] = undefined
    this.#references[at + 1] = undefined
    this.#references[at + 2] = undefined
    this.#numbers[slot * NUMBERS] = -1
    this.#freeSlots.push(slot)
    this.#count(slot, -1)
  }

  /** Takes places out that are no longer any change's. */
  #closeUp(): void {
    const order = this.#order.filter((slot, place) => this.#placeOf(slot) === place)
    order.forEach((slot, place) => {
      this.#numbers[slot * NUMBERS] = place
    })
    this.#order = order
    this.#next = 0
  }

  #count(slot: number, changes: number): void {
    const bytes = changes * this.#numbers[slot * NUMBERS + 1]!
    this.#size += changes
    this.#bytes += bytes
    this.#budget.usedBytes += bytes
  }
}
