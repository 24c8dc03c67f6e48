import type { ValueCache } from './value-cache.ts'

/**
 * A stream thread's share of the state cache, over all stores of all its tasks. Caches count what they take into `usedBytes`; between batches
 * `trim` brings them back under the limit. A batch may overshoot it by the rows it reads.
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

  /** Ages `cache` when it has filled its share, and whichever holds most that is old while the sum is over the limit. */
  trim(cache: ValueCache): void {
    if (cache.wantsRotation(this.limitBytes - this.usedBytes)) cache.rotate()
    while (this.usedBytes > this.limitBytes) {
      let largest: ValueCache | null = null
      for (const candidate of this.#caches) {
        if (candidate.canRotate && candidate.oldBytes > (largest?.oldBytes ?? 0)) largest = candidate
      }
      if (largest === null) return
      largest.rotate()
    }
  }
}
