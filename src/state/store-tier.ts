import type { StateStore } from './state-store.ts'

/** A row of a tiered store as its second tier has it. */
export interface TierRow {
  /** The value, serialised. */
  readonly value: Buffer
  readonly timestampMs: number
}

/** A change on its way to the second tier; null deletes. */
export interface TierChange {
  readonly key: Buffer
  readonly row: TierRow | null
}

/** One of the rows of a prefix. */
export interface TierPrefixRow extends TierRow {
  /** The rest of its key, serialised. */
  readonly rest: Buffer
}

/** Where a tiered store's rows are that are not in its task's database: all that were committed, some of them on their way. */
export interface StoreTier {
  /** Up to where the second tier has what the changelog says. */
  readonly watermark: number
  /** Changes since the last commit. */
  readonly changed: number
  /** A row was put, and is in the task's database until a commit at least. @param id its key as latin1 */
  put(id: string): void
  /** @returns what is committed of a key and on its way: a row, or null for a deletion; undefined: nothing is */
  onItsWay(key: Buffer): TierRow | null | undefined
  /**
   * What was put since the last commit is committed; the changelog ends at `end` with it. Written some time from now on.
   *
   * @param rowOf what the task's database has of a key; null: it was deleted
   */
  committed(end: number, rowOf: (key: Buffer) => TierRow | null): void
  /** Resolves when nothing that is committed is on its way any more. */
  settled(): Promise<void>
  /** What was put since the last commit is not committed. */
  discard(): void
  /** Nothing is wanted any more. */
  close(): void
}

/** Of a store whose rows are read by their keys. */
export interface RowTier extends StoreTier {
  /** Tells keys apart that different nodes have. */
  nodeOf(key: Buffer): string
  /**
   * What is on its way, or there, of keys that one node has. Tries for as long as it takes.
   *
   * @returns for each key its row; null when there is none; an error when it can have none
   * @throws when the tier is closed, or can do no more
   */
  readSome(keys: readonly Buffer[]): Promise<readonly (TierRow | null | Error)[]>
}

/** Of a store whose rows lie together by prefix. */
export interface PrefixTier extends StoreTier {
  /**
   * All rows of a prefix, on their way or there. Tries for as long as it takes. @param prefix without its length
   *
   * @returns null when there are more than may be loaded
   * @throws when the tier is closed, or can do no more
   */
  readPrefix(prefix: Buffer): Promise<readonly TierPrefixRow[] | null>
  /** What is committed of a prefix's rows and on its way, by their keys as latin1. @param frame the prefix with its length */
  prefixOnItsWay(frame: Buffer): Iterable<readonly [key: string, change: TierChange]>
}

/** A store that has a second tier. */
export interface TieredStateStore extends StateStore {
  /** From now on rows that are not here are there, or nowhere. Without one, what is not here is nowhere. */
  connect(tier: RowTier & PrefixTier): void
  /** null: there is none. */
  readonly tier: StoreTier | null
  /** Just after a commit: what was loaded is about to be emptied, and maybe what was put, too. */
  evicting?(): void
}

export function isTieredStateStore(store: StateStore): store is TieredStateStore {
  return 'connect' in store
}
