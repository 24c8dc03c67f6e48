import type { StateStore } from './state-store.ts'

/** A row of a tiered store as its second tier has it. */
export interface TierRow {
  /** The value, serialised. */
  readonly value: Buffer
  readonly timestampMs: number
}

/** One of the rows of a prefix. */
export interface TierPrefixRow extends TierRow {
  /** The rest of its key, serialised. */
  readonly rest: Buffer
}

/** Where a tiered store's rows are that are not in its task's database: all that were committed. */
export interface StoreTier {
  /** Changes are written next, each key once: later than all that were written before. */
  beginWrites(): void
  /** null deletes. A commit waits until it is written. The bytes are not copied */
  write(key: Buffer, value: Buffer | null, timestampMs: number): void
  /** Tries for as long as it takes. @returns null when there is none. @throws when it is closed, and for a key that can have no row */
  read(key: Buffer): Promise<TierRow | null>
  /** Nothing is wanted any more. */
  close(): void
}

/** Of a store whose rows lie together by prefix. */
export interface PrefixTier extends StoreTier {
  /**
   * All rows of a prefix, as `read`. @param prefix without its length
   *
   * @returns null when there are more than may be loaded
   */
  readPrefix(prefix: Buffer): Promise<readonly TierPrefixRow[] | null>
}

/** A store that has a second tier. */
export interface TieredStateStore extends StateStore {
  /** From now on rows that are not here are there, or nowhere. Without one, what is not here is nowhere. */
  connect(tier: PrefixTier): void
  /** Just after a commit: what was loaded is about to be emptied, and maybe what was put, too. */
  evicting?(): void
}

export function isTieredStateStore(store: StateStore): store is TieredStateStore {
  return 'connect' in store
}
