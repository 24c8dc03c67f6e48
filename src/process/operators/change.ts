/**
 * What tables hand to each other: a row's new value, and its old one where somebody below asked for old values (else null). null is a row
 * that is not there. Kafka Streams' Change.
 */
export interface Change<V> {
  readonly newValue: V | null
  readonly oldValue: V | null
}
