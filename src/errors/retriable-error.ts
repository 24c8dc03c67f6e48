/**
 * What a processor throws for a failure that may pass: a service that does not answer, a lock that somebody holds. The record is processed anew after a
 * pause, up to WEIR_TASK_TIMEOUT_MS after the first failure; then the processing handler decides. See docs/errors.md for what that means for
 * state that was already put. Kafka's RetriableException, with the bound of KIP-572.
 */
export class RetriableError extends Error {
  override readonly name = 'RetriableError'
}
