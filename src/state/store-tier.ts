/** A row of a tiered store as its second tier has it. */
export interface TierRow {
  /** The value, serialised. */
  readonly value: Buffer
  readonly timestampMs: number
}

/** Where a tiered store's rows are that are not in its task's database: all that were committed, some of them on their way. */
export interface StoreTier {
  /** Up to where the second tier has what the changelog says. */
  readonly watermark: number
  /** Changes since the last commit. */
  readonly changed: number
  /** null deletes. Written some time after the next commit. The bytes are not copied */
  write(key: Buffer, row: TierRow | null): void
  /** @returns what was written of a key and is on its way: a row, or null for a deletion; undefined: nothing is */
  onItsWay(key: Buffer): TierRow | null | undefined
  /** What was written since the last commit is committed; the changelog ends at `end` with it. */
  committed(end: number): void
  /** Resolves when nothing that is committed is on its way any more. */
  settled(): Promise<void>
  /** What was written since the last commit is not committed. */
  discard(): void
  /** What is on its way, or there. Tries for as long as it takes. @returns null when there is none. @throws when it is closed, and for a key that can have no row */
  read(key: Buffer): Promise<TierRow | null>
  /** Nothing is wanted any more. */
  close(): void
}
