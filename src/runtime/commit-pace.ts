const MiB = 2 ** 20

/** Nothing is processed during a commit: this is how long one should take at the most, ms. */
const PAUSE_MS = 250
/** What a thread begins with, and never goes below: less would be commits for their own sake. */
const BYTES_MIN = 8 * MiB

/**
 * How many uncommitted bytes a thread gathers before it commits early: as many as its commits write in PAUSE_MS, on this disk and this broker. Few
 * large commits would put less on the wire for keys that change often, but stop the thread for seconds.
 */
export class CommitPace {
  readonly #bytesMax: number
  #bytes: number

  /** @param bytesMax the memory that there is for them */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#bytes = Math.min(BYTES_MIN, bytesMax)
  }

  /** Beyond this many a thread commits. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * @param bytes what was written
   * @param durationMs how long nothing was processed for it
   */
  committed(bytes: number, durationMs: number): void {
    // A commit for another reason, with little to write, says nothing of large ones.
    if (bytes < this.#bytes / 2) return
    const inTime = (bytes * PAUSE_MS) / Math.max(durationMs, 1)
    this.#bytes = Math.min(Math.max(Math.min(inTime, 2 * this.#bytes), BYTES_MIN), this.#bytesMax)
  }
}
