import type { StoreOffset } from './store-offset.ts'

/** A store as it is on disk. */
export interface InspectedStore {
  readonly name: string
  /** Counted, or RocksDB's estimate. */
  readonly keys: number
  readonly bytes: number
  readonly files: number
  /** null when it is empty. */
  readonly firstKey: Buffer | null
  readonly lastKey: Buffer | null
  /** null when none was written. */
  readonly offset: StoreOffset | null
  /** null for a store that is not cut into segments. */
  readonly segmented: {
    readonly streamTimeMs: number
    readonly intervalMs: number
    /** In order. Segment -1: the latest rows of a versioned store. `bytes` is estimated, `keys` null unless counted. */
    readonly segments: readonly {
      readonly segment: number
      readonly bytes: number
      readonly keys: number | null
    }[]
  } | null
}
