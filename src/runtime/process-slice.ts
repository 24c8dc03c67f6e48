/** Records of the first slice. */
const RECORDS_START = 256
/** Between two looks at the clock a thread processes for no longer than this, ms; and no longer than its commit interval. */
const DURATION_MS_MAX = 1_000

/**
 * How many records of a task are processed before the thread looks around: as many as fit into the time between two commits. A slow
 * processor would otherwise keep rebalances waiting, and a transaction open beyond its time-out. Kafka Streams' StreamThread does the like with its iterations.
 */
export class ProcessSlice {
  readonly #recordsMax: number
  readonly #durationMs: number
  #records: number

  /** @param recordsMax of one batch */
  constructor(recordsMax: number, commitIntervalMs: number) {
    this.#recordsMax = recordsMax
    this.#durationMs = Math.min(Math.max(commitIntervalMs, 1), DURATION_MS_MAX)
    this.#records = Math.min(RECORDS_START, recordsMax)
  }

  get records(): number {
    return this.#records
  }

  processed(records: number, durationMs: number): void {
    if (durationMs > this.#durationMs) this.#records = Math.max(1, Math.floor(this.#records / 2))
    // A slice that ended early says nothing of longer ones.
    else if (durationMs < this.#durationMs / 2 && records >= this.#records)
      this.#records = Math.min(this.#recordsMax, this.#records * 2)
  }
}
