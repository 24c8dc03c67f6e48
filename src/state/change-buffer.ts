import type { CacheBudget } from './cache-budget.ts'
import type { CacheKey } from './value-cache.ts'

/** A key's change since the last flush: its row then, and what was put last. */
export interface PendingChange<K = unknown, V = unknown> {
  readonly cacheKey: CacheKey
  readonly key: K
  /** The value at the last flush, null when there was none. */
  oldValue: V | null
  newValue: V | null
  /** The new row's, ms. */
  timestamp: number
  /** Whatever the listener wants to know of the record that put last. */
  origin: unknown
  /** Later changes have higher ones. */
  sequence: number
  bytes: number
}

/** Who is told of changed keys when they are flushed. */
export interface FlushListener<K = unknown, V = unknown> {
  /** A key has changed. @returns what is to be kept of the record at work; `before` is what it returned last for this change */
  origin(before: unknown): unknown
  /** A changed key leaves the buffer. */
  flushed(change: PendingChange<K, V>): void
}

/** The heap that a change takes besides the row that it replaces: a Map slot, the change, what is kept of the record. */
const HEAP_BYTES_PER_CHANGE = 250
const HEAP_BYTES_PER_SERIALIZED_BYTE = 2

/**
 * What a caching store has not told yet: for each key that was changed since the last flush its old value and its new one. Told at a commit, or when
 * the buffer has its share of the cache, in the order of each key's last change. A key that was not there and is not there now is not told.
 * Kafka Streams' CachingKeyValueStore, of which Weir's caches do the rest for every store.
 *
 * A flush may be interrupted (`isFull`) and goes on where it was. A change that could not be told stays, so that a commit that comes
 * after fails too and loses nothing.
 */
export class ChangeBuffer<K, V> {
  readonly #budget: CacheBudget
  readonly #listener: FlushListener<K, V>
  readonly #changes = new Map<CacheKey, PendingChange<K, V>>()
  /** A flush under way: what it has still to tell, the last first. */
  readonly #flushing: PendingChange<K, V>[] = []
  #sequence = 0
  #bytes = 0

  constructor(budget: CacheBudget, listener: FlushListener<K, V>) {
    this.#budget = budget
    this.#listener = listener
  }

  get size(): number {
    return this.#changes.size
  }

  get bytes(): number {
    return this.#bytes
  }

  has(cacheKey: CacheKey): boolean {
    return this.#changes.has(cacheKey)
  }

  /** The first change of a key since the last flush. REQUIRES that `has` is false. @param oldBytes of the old row, serialised */
  add(cacheKey: CacheKey, key: K, oldValue: V | null, oldBytes: number): void {
    const bytes = HEAP_BYTES_PER_CHANGE + oldBytes * HEAP_BYTES_PER_SERIALIZED_BYTE
    const change: PendingChange<K, V> = {
      cacheKey,
      key,
      oldValue,
      newValue: null,
      timestamp: 0,
      origin: null,
      sequence: 0,
      bytes,
    }
    this.#changes.set(cacheKey, change)
    this.#count(bytes)
  }

  /** What was put. REQUIRES that `has` is true. */
  put(cacheKey: CacheKey, newValue: V | null, timestamp: number): void {
    const change = this.#changes.get(cacheKey)!
    change.newValue = newValue
    change.timestamp = timestamp
    change.origin = this.#listener.origin(change.origin)
    change.sequence = this.#sequence++
  }

  /**
   * Tells what has changed until `isFull`. @returns true when nothing is left
   * @throws what the listener throws
   */
  flush(isFull: () => boolean): boolean {
    const flushing = this.#flushing
    if (flushing.length === 0) {
      for (const change of this.#changes.values()) flushing.push(change)
      flushing.sort((a, b) => b.sequence - a.sequence)
    }
    for (let change = flushing.at(-1); change !== undefined; change = flushing.at(-1)) {
      if (isFull()) return false
      this.#tell(change)
      flushing.pop()
    }
    return this.#changes.size === 0
  }

  /** Told first, gone afterwards would lose what the listener's own work puts under the same key. */
  #tell(change: PendingChange<K, V>): void {
    this.#changes.delete(change.cacheKey)
    this.#count(-change.bytes)
    if (change.newValue === null && change.oldValue === null) return
    try {
      this.#listener.flushed(change)
    } catch (error) {
      const since = this.#changes.get(change.cacheKey)
      if (since === undefined) {
        this.#changes.set(change.cacheKey, change)
        this.#count(change.bytes)
      } else {
        since.oldValue = change.oldValue
        this.#flushing[this.#flushing.length - 1] = since
      }
      throw error
    }
  }

  /** Forgets everything untold. */
  clear(): void {
    this.#changes.clear()
    this.#flushing.length = 0
    this.#count(-this.#bytes)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#budget.usedBytes += bytes
  }
}
