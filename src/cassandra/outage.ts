/** Without an answer for so long Cassandra is away: nobody waits for it any longer. */
export const AWAY_MS = 1_000

/** Whether Cassandra answers those who ask. Tells when it does not for a while, and when it does again. */
export class Outage {
  readonly #onAway: (reason: string | null) => void
  /** Since when nothing has succeeded of what was tried; null: the last has. */
  #failingSinceMs: number | null = null
  #isTold = false

  /** @param onAway Cassandra does not answer any more, for this reason; or answers again: null */
  constructor(onAway: (reason: string | null) => void) {
    this.#onAway = onAway
  }

  get isAway(): boolean {
    return this.#failingSinceMs !== null && Date.now() - this.#failingSinceMs >= AWAY_MS
  }

  failed(reason: string): void {
    this.#failingSinceMs ??= Date.now()
    if (!this.isAway) return
    if (!this.#isTold) this.#onAway(reason)
    this.#isTold = true
  }

  /** Something has succeeded, or nobody asks any more. */
  end(): void {
    this.#failingSinceMs = null
    if (!this.#isTold) return
    this.#isTold = false
    this.#onAway(null)
  }
}
