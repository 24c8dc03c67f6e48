import type { Store, StoreIterator } from './store.ts'
import type { ValueCache } from './value-cache.ts'

/** What a task does with each of its stores, whatever their kind. */
export interface StateStore extends Store {
  readonly cache: ValueCache
  /** The scans left open: the task closes them at the end of a record. */
  readonly openScans: ReadonlySet<StoreIterator<unknown, unknown>>
  closeScans(): void
  /** A commit begins: hands every change since the last one to the overlay. */
  flush(): void
  /** Forgets what was not committed. */
  discard(): void
  close(): void
}
