const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 1_000
/** Of the pause, more or less: tasks that wait for the same thing do not all come at once. */
const JITTER = 0.2

/**
 * The attempts at one record, which failed with what may pass: when the next one is due, and until when there are any. The pauses are those of Kafka's
 * clients (retry.backoff.ms, retry.backoff.max.ms), the bound is task.timeout.ms from the first failure on, as KIP-572 counts it.
 */
export class RecordRetry {
  readonly #endMs: number
  #attempts = 0
  /** No attempt before, ms. */
  dueMs = 0

  /** @param nowMs of the first failure */
  constructor(nowMs: number, timeoutMs: number) {
    this.#endMs = nowMs + timeoutMs
  }

  /** False when the time is over. */
  isOpen(nowMs: number): boolean {
    return nowMs < this.#endMs
  }

  /** Another attempt has failed. The last pause ends with the time that there is. */
  failed(nowMs: number): void {
    const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.#attempts++)
    const pauseMs = Math.round(backoffMs * (1 - JITTER + 2 * JITTER * Math.random()))
    this.dueMs = Math.min(nowMs + pauseMs, Math.max(this.#endMs, nowMs + 1))
  }

  get attempts(): number {
    return this.#attempts
  }
}
