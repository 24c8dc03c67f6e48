/** How far a store's rows reflect its changelog. Written in the same atomic write as the rows. */
export interface StoreOffset {
  readonly store: string
  /** The next changelog offset to restore, -1 when the store has none yet. */
  readonly offset: number
  /** When the rows were as the changelog had them, ms since 1970: the wall clock of the write, or of the begin of a restore that did not end. */
  readonly writtenAtMs: number
  /** The changelog topic's id (a UUID as text) at the write, '' when unknown. */
  readonly topicId: string
}
