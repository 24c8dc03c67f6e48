/** No more than one of so many records is timed where there are many, */
const RECORDS_PER_SAMPLE = 256
/** and, where there are few, no more than one in so long, ms. */
const SAMPLE_INTERVAL_MS = 100

/** Which of a task's records are timed: now and then the first of a turn. */
export class Sampling {
  #records = -RECORDS_PER_SAMPLE
  #sampledMs = 0

  /** Asked once a turn that has records. @param records that the task has processed so far */
  isDue(records: number, systemTimeMs: () => number): boolean {
    if (records - this.#records < RECORDS_PER_SAMPLE) {
      const nowMs = systemTimeMs()
      if (nowMs - this.#sampledMs < SAMPLE_INTERVAL_MS) return false
      this.#sampledMs = nowMs
    }
    this.#records = records
    return true
  }
}
