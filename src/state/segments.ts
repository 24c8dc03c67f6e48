import type { Observed, SegmentOptions } from '../native.ts'
import type { StoreDefinition, WindowsDefinition } from '../topology/definition.ts'

/** A window's key ends with start(8) sequence(4). Kafka Streams' WindowKeySchema. */
export const WINDOW_SUFFIX_BYTES = 12
/** A session's key ends with end(8) start(8). Kafka Streams' SessionKeySchema. */
export const SESSION_SUFFIX_BYTES = 16

/** A versioned store's rows lie under their segment and the key alone. */
const VERSIONED_SUFFIX_BYTES = 0

/** What the database has to know of a store that is cut into segments; nothing for another store. */
export function segmentOptions({ type, windows, versions }: StoreDefinition): {
  readonly segments?: SegmentOptions
} {
  if (versions !== undefined) {
    const { historyRetentionMs, segmentIntervalMs } = versions
    return {
      segments: {
        retentionMs: historyRetentionMs,
        intervalMs: segmentIntervalMs,
        suffixBytes: VERSIONED_SUFFIX_BYTES,
      },
    }
  }
  if (windows === undefined) return {}
  const suffixBytes = type === 'session' ? SESSION_SUFFIX_BYTES : WINDOW_SUFFIX_BYTES
  return {
    segments: { retentionMs: windows.retentionMs, intervalMs: windows.segmentIntervalMs, suffixBytes },
  }
}

/**
 * Which part of a segmented store is alive: time is cut into segments, of which the oldest go whole as stream time passes. Kafka Streams'
 * AbstractSegments and the observed stream time of AbstractRocksDBSegmentedBytesStore.
 *
 * Written is what lies in a live segment; seen is what lies within the retention. Stream time outlasts a restart: it is kept with the rows.
 */
export class Segments {
  readonly #retentionMs: number
  readonly #intervalMs: number
  readonly #observed: () => Observed
  readonly #readAtClose: boolean
  readonly #caching: boolean
  #streamTimeMs = -1
  #sequence = 0
  #known = false

  /**
   * @param observed as of the last commit or restore; asked before the first use, and again after `forget`
   * @param caching what has expired is seen until its segment goes, and of windows that are read when they close whatever is still there:
   *   Kafka Streams' cache shows what has expired in the store below it
   */
  constructor(
    { retentionMs, segmentIntervalMs, readAtClose = false }: WindowsDefinition,
    observed: () => Observed,
    caching = false,
  ) {
    this.#readAtClose = readAtClose
    this.#caching = caching
    this.#retentionMs = retentionMs
    this.#intervalMs = segmentIntervalMs
    this.#observed = observed
  }

  /** The highest time of a row ever put, ms; -1 before the first. */
  get streamTimeMs(): number {
    if (!this.#known) this.#learn()
    return this.#streamTimeMs
  }

  /** The earliest time that is seen. */
  get visibleFromMs(): number {
    if (this.#caching) return this.#readAtClose ? 0 : this.liveFromMs
    const expiredMs = this.streamTimeMs - this.#retentionMs
    return this.#readAtClose ? expiredMs : expiredMs + 1
  }

  /** The start of the oldest live segment. */
  get liveFromMs(): number {
    return this.startOf(this.segmentOf(this.streamTimeMs - this.#retentionMs))
  }

  segmentOf(timeMs: number): number {
    return Math.floor(timeMs / this.#intervalMs)
  }

  startOf(segment: number): number {
    return segment * this.#intervalMs
  }

  /** A row of this time is put. @returns false when it has expired */
  advance(timeMs: number): boolean {
    if (timeMs > this.streamTimeMs) this.#streamTimeMs = timeMs
    return this.segmentOf(timeMs) >= this.segmentOf(this.#streamTimeMs - this.#retentionMs)
  }

  /** The number that tells a row from others of its key and window; it goes round at 2^31, and lasts over restarts. */
  nextSequence(): number {
    if (!this.#known) this.#learn()
    this.#sequence = (this.#sequence + 1) & 0x7fffffff
    return this.#sequence
  }

  /** The last one given out. */
  get sequence(): number {
    if (!this.#known) this.#learn()
    return this.#sequence
  }

  /** What was not committed is gone. */
  forget(): void {
    this.#known = false
  }

  #learn(): void {
    const { streamTimeMs, sequence } = this.#observed()
    this.#streamTimeMs = streamTimeMs
    this.#sequence = sequence
    this.#known = true
  }
}
