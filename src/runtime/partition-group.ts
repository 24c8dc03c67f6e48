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
 * when each input is empty. Kafka Streams' PartitionGroup (KIP-353, KIP-695).
 *
 * Where Java leaves it to hash tables, it is settled here: of equal timestamps the first input's record is next, and empty inputs are waited for
 * together, not one after the other.
 */
export class PartitionGroup<T extends QueuedInput> {
  readonly #inputs: readonly T[]
  readonly #maxTaskIdleMs: number
  readonly #systemTimeMs: () => number
  readonly #counters: { recordsEnforced: number }
  /** For each input, since when it is empty and nothing is known to come, ms; -1 when that is not so. */
  readonly #emptySinceMs: number[]
  /** When `choose` is worth asking again though no record has come, ms; Infinity when it is not. */
  waitsUntilMs = Number.POSITIVE_INFINITY

  /** @param inputs more may be added at its end. @param counters of records that are chosen while an input is empty that was waited for long enough */
  constructor(
    inputs: readonly T[],
    maxTaskIdleMs: number,
    systemTimeMs: () => number,
    counters: { recordsEnforced: number } = { recordsEnforced: 0 },
  ) {
    this.#inputs = inputs
    this.#maxTaskIdleMs = maxTaskIdleMs
    this.#systemTimeMs = systemTimeMs
    this.#counters = counters
    this.#emptySinceMs = inputs.map(() => -1)
  }

  /**
   * The input whose head has the smallest timestamp; among equals the first; null when none has a record, or one has to be waited for. With
   * `maxTaskIdleMs` 0 an empty input is waited for only while the broker is known to have records for it; above 0 for so long after that, and
   * then not again before it has had a record; with -1 never.
   */
  choose(): T | null {
    const inputs = this.#inputs
    let best: T | null = null
    let bestTimestamp = 0
    let waits = false
    let isShort = false
    this.waitsUntilMs = Number.POSITIVE_INFINITY
    for (let index = 0; index < inputs.length; index++) {
      const input = inputs[index]!
      if (input.hasRecord) {
        this.#emptySinceMs[index] = -1
        const timestamp = input.headTimestamp
        if (best === null || timestamp < bestTimestamp) {
          best = input
          bestTimestamp = timestamp
        }
      } else if (this.#maxTaskIdleMs >= 0) {
        isShort = true
        if (this.#waitsFor(input, index)) waits = true
      }
    }
    if (waits) return null
    if (isShort && best !== null) this.#counters.recordsEnforced++
    return best
  }

  #waitsFor(input: T, index: number): boolean {
    if (input.isAwaited) {
      this.#emptySinceMs[index] = -1
      return true
    }
    if (this.#maxTaskIdleMs === 0) return false
    const now = this.#systemTimeMs()
    if ((this.#emptySinceMs[index] ?? -1) < 0) this.#emptySinceMs[index] = now
    const untilMs = this.#emptySinceMs[index]! + this.#maxTaskIdleMs
    if (now >= untilMs) return false
    this.waitsUntilMs = Math.min(this.waitsUntilMs, untilMs)
    return true
  }
}
