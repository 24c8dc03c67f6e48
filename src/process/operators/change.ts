/**
 * What tables hand to each other: a row's new value, and its old one where somebody below asked for old values (else null). null is a row
 * that is not there. Kafka Streams' Change.
 */
export interface Change<V> {
  readonly newValue: V | null
  readonly oldValue: V | null
  /** false: a version of a versioned table that is not its key's latest. Not there otherwise. */
  readonly isLatest?: false
}

/** A change that comes of another: out of order when that one is. */
export function changeFrom<V>(
  { isLatest }: Change<unknown>,
  newValue: V | null,
  oldValue: V | null,
): Change<V> {
  return isLatest === undefined ? { newValue, oldValue } : { newValue, oldValue, isLatest }
}
