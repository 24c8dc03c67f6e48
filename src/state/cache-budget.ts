import type { ValueCache } from './value-cache.ts'

/**
 * A stream thread's share of the state cache, over all stores of all its tasks. Caches count what they take into `usedBytes`; between batches
 * `trim` brings them back under the limit. A batch may overshoot it by the rows it reads.
 *
 * Every cache has the same share, and may have more while others have less: what a cache holds within its share, no other can push out.
 */
export class CacheBudget {
  readonly limitBytes: number
  usedBytes = 0
  readonly #caches = new Set<ValueCache>()

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  add(cache: ValueCache): void {
    this.#caches.add(cache)
  }

  remove(cache: ValueCache): void {
    this.#caches.delete(cache)
  }

  get caches(): ReadonlySet<ValueCache> {
    return this.#caches
  }

  /** What one of the caches is sure to have, bytes. */
  get shareBytes(): number {
    return this.limitBytes / Math.max(1, this.#caches.size)
  }

  /** Ages `cache` when it has filled what is free, and, while the sum is over the limit, whichever holds most that is old of those over their share. */
  trim(cache: ValueCache): void {
    if (cache.wantsRotation(this.limitBytes - this.usedBytes)) cache.rotate()
    while (this.usedBytes > this.limitBytes) {
      const goes = this.#largest(this.shareBytes) ?? this.#largest(0)
      if (goes === null) return
      goes.rotate()
    }
  }

  /** The cache with the most that is old, of those that hold more than `bytes`. None may be: what a batch needs stays. */
  #largest(bytes: number): ValueCache | null {
    let largest: ValueCache | null = null
    for (const cache of this.#caches) {
      if (!cache.canRotate || cache.youngBytes + cache.oldBytes <= bytes) continue
      if (cache.oldBytes > (largest?.oldBytes ?? 0)) largest = cache
    }
    return largest
  }
}
