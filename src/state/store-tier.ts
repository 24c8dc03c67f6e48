/** A row of a tiered store as its second tier has it. */
export interface TierRow {
  /** The value, serialised. */
  readonly value: Buffer
  readonly timestampMs: number
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
