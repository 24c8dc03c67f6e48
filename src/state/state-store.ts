import type { Store, StoreIterator } from './store.ts'
import type { ValueCache } from './value-cache.ts'

/** What a task does with each of its stores, whatever their kind. */
export interface StateStore extends Store {
  readonly cache: ValueCache
  /** The scans left open: the task closes them at the end of a record. */
  readonly openScans: ReadonlySet<StoreIterator<unknown, unknown>>
  closeScans(): void
  /** What a commit would write besides the cache's dirty rows, bytes. Default: nothing. */
  readonly uncommittedBytes?: number
  /** Changes that a caching store has not told those downstream, and the memory that they take. */
  readonly pendingChanges: { readonly size: number; readonly bytes: number }
  /** Tells them until `isFull`. @returns true when nothing is left */
  flushChanges(isFull: () => boolean): boolean
  /** A commit begins: hands every change since the last one to the overlay. */
  flush(): void
  /** Forgets what was not committed. */
  discard(): void
  close(): void
}

/** Of a store that keeps no changes back. */
export const NO_CHANGES = { size: 0, bytes: 0 } as const
