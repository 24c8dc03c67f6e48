import type { CacheKey } from './value-cache.ts'

/** The keys of a store with a limited number of rows, from the one used longest ago to the one used last. */
export class Recency {
  readonly #entriesMax: number
  /** A Set keeps the order of insertion. */
  readonly #keys = new Set<CacheKey>()
  isLoaded = false

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** Takes in the rows that are there, in the order of their timestamps. */
  load(rows: { readonly key: CacheKey; readonly timestamp: number }[]): void {
    rows.sort((a, b) => a.timestamp - b.timestamp)
    for (const { key } of rows) this.#keys.add(key)
    this.isLoaded = true
  }

  /** A row that is there was used. */
  touch(key: CacheKey): void {
    this.#keys.delete(key)
    this.#keys.add(key)
  }

  delete(key: CacheKey): void {
    this.#keys.delete(key)
  }

  /** @returns the key whose row must go, undefined when there are not too many */
  excess(): CacheKey | undefined {
    if (this.#keys.size <= this.#entriesMax) return undefined
    return this.#keys.values().next().value
  }

  clear(): void {
    this.#keys.clear()
    this.isLoaded = false
  }
}
