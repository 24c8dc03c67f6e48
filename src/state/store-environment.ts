import type { TaskDatabase } from '../native.ts'
import type { StoreCounters } from '../observe/store-counters.ts'
import type { CacheBudget } from './cache-budget.ts'
import type { OverlayWriter } from './overlay-writer.ts'

/** What a store needs of its task. */
export interface StoreEnvironment {
  readonly database: TaskDatabase
  /** The store's index in the database. */
  readonly index: number
  /** Of a tiered store, and of it alone: the index of the store in the database that has what came from the second tier. */
  readonly lowerIndex?: number
  /** Of a tiered store: where rows were that its cache did not have. Default: nobody counts. */
  readonly tierReads?: { disk: number; cassandra: number }
  /** What the store is asked for. Default: nobody looks at it. */
  readonly operations?: StoreCounters
  readonly budget: CacheBudget
  readonly overlayWriter: OverlayWriter
  /** The timestamp of what is being processed, ms: the changelog timestamp of a plain store's change. */
  readonly recordTimestamp: () => number
  /** The wall clock, ms. Default: Date.now. */
  readonly systemTimeMs?: () => number
  /** Told the database's overlay bytes whenever changes were applied. */
  readonly onOverlayBytes: (bytes: number) => void
  /** A row was put that had expired already: it is dropped. */
  readonly onExpired?: () => void
}
