/** What the example's topics carry; schemas.ts has it as Avro. */

/** In `events`, by user. */
export interface UserEvent {
  readonly user: string
  /** What the user did: `page-view`, `add-to-cart`, `purchase`. */
  readonly type: string
  /** An amount, where the type has one. */
  readonly value: number | null
  /** Where: `web`, `app`, `shop`. */
  readonly channel: string
  /** Ms since 1970; also the record's timestamp. */
  readonly timestamp: number
}

/**
 * In `rules`, by id: users with at least `minCount` events of `type` within the last `windowMs` are in
 * `segment`. Each rule has a window of its own. A null value removes the rule.
 */
export interface Rule {
  readonly id: string
  readonly segment: string
  readonly type: string
  /** From 1. */
  readonly minCount: number
  /** From 1. */
  readonly windowMs: number
}

/** In `segment-changes`, by user. */
export interface SegmentChange {
  readonly user: string
  readonly segment: string
  /** The rule's id. */
  readonly rule: string
  readonly change: 'entered' | 'left'
  /**
   * When, ms since 1970: for an entry the stream time of the event, for an expiry the moment at which too few
   * events were left in the window.
   */
  readonly at: number
}
