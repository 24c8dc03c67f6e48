/** What choosing needs of an input. */
export interface QueuedInput {
  /** True when the head record can be processed now. */
  readonly hasRecord: boolean
  /** Records are on their way: read ahead with their keys still being fetched, or known to be at the broker. */
  readonly isAwaited: boolean
  /** REQUIRES hasRecord. */
  readonly headTimestamp: number
}

/**
 * A task's inputs, and the order of their records: by timestamp, as far as `max.task.idle.ms` waits for an input that is empty. Owns since
 * when the task idles. Kafka Streams' PartitionGroup.
 */
export class PartitionGroup<T extends QueuedInput> {
  readonly #inputs: readonly T[]
  readonly #maxTaskIdleMs: number
  readonly #systemTimeMs: () => number
  /** Since when some inputs have records and others may still get them, ms; -1 when not idling. */
  #idleSinceMs = -1

  constructor(inputs: readonly T[], maxTaskIdleMs: number, systemTimeMs: () => number) {
    this.#inputs = inputs
    this.#maxTaskIdleMs = maxTaskIdleMs
    this.#systemTimeMs = systemTimeMs
  }

  /**
   * The input whose head has the smallest timestamp; among equals the first; null when none has a record, or one has to be waited for. With
   * `maxTaskIdleMs` 0 an empty input is waited for only while the broker is known to have records for it; above 0 that long besides; with -1
   * never.
   */
  choose(): T | null {
    let best: T | null = null
    let bestTimestamp = 0
    let missing = false
    let awaited = false
    for (const input of this.#inputs) {
      if (!input.hasRecord) {
        missing = true
        awaited ||= input.isAwaited
      } else {
        const timestamp = input.headTimestamp
        if (best === null || timestamp < bestTimestamp) {
          best = input
          bestTimestamp = timestamp
        }
      }
    }
    if (best === null || !missing || this.#maxTaskIdleMs < 0) {
      this.#idleSinceMs = -1
      return best
    }
    if (awaited) {
      this.#idleSinceMs = -1
      return null
    }
    if (this.#maxTaskIdleMs === 0) return best
    const now = this.#systemTimeMs()
    if (this.#idleSinceMs < 0) this.#idleSinceMs = now
    return now - this.#idleSinceMs >= this.#maxTaskIdleMs ? best : null
  }
}
