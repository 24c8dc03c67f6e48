import { startsOf } from './task-starts.ts'

/** Between two records, us: as many starts of a task may be told apart while they write what they had not committed. */
const RECORD_SPACING_US = 16
/** Beyond this a record's timestamp is not believed: as microseconds it would not be a number that JavaScript has exactly. */
const RECORD_TIMESTAMP_MS_MAX = 9_000_000_000_000
/** Rows that are remembered to have been written at one reading. */
const ROWS_MAX = 10_000

/** What a task keeps with its committed offsets. */
const CLOCK = 'weir.cassandra.clock'

/**
 * The timestamps of what a task writes to Cassandra, in microseconds: of two writes to a row the one with the later timestamp stays, whatever the order in
 * which they arrive.
 *
 *   reading(record) = max(its own timestamp, reading(record before) + 16 us)
 *   timestamp(write) = reading + starts
 *
 * Invariants:
 * 1. A later record's reading is higher, also when its own timestamp is not. A second write to the same row at one reading moves the clock on, too.
 * 2. The reading goes with the committed offsets: a record that is processed again has the reading of the first time, if what is processed is the
 *    same. So it never beats a later record's write of the first time.
 * 3. `starts` grows with each start of the task, which is committed before the task processes anything: a record that is processed again has a higher timestamp than the
 *    first time, and with its whole row takes the place of the first one. No two different writes have the same timestamp.
 *
 * Used by one task.
 */
export class WriteClock {
  readonly #metadata: Map<string, number>
  readonly #starts: number
  #readingUs: number
  /** Rows that were written at this reading. */
  readonly #rows = new Set<string>()

  /**
   * @param metadata what is kept with the committed offsets, and changes with the clock. REQUIRES that the task's start was counted in it
   */
  constructor(metadata: Map<string, number>) {
    this.#metadata = metadata
    this.#readingUs = metadata.get(CLOCK) ?? 0
    this.#starts = startsOf(metadata)
  }

  /** The next record is processed. @param timestampMs its own */
  record(timestampMs: number): void {
    const ownUs = timestampMs <= RECORD_TIMESTAMP_MS_MAX ? timestampMs * 1_000 : 0
    this.#moveTo(Math.max(ownUs, this.#readingUs + RECORD_SPACING_US))
  }

  /** @param row tells the task's rows apart. @returns the timestamp of a write to it, us since 1970 */
  write(row: string): number {
    if (this.#rows.has(row) || this.#rows.size >= ROWS_MAX) this.#moveTo(this.#readingUs + RECORD_SPACING_US)
    this.#rows.add(row)
    return this.#readingUs + this.#starts
  }

  #moveTo(readingUs: number): void {
    this.#readingUs = readingUs
    this.#metadata.set(CLOCK, readingUs)
    if (this.#rows.size > 0) this.#rows.clear()
  }
}
