/** How time is cut into windows. All throw a TopologyError for what cannot be. */
import { checkOptions } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { checkMs } from './check-ms.ts'

/** Windows of a fixed size: tumbling, or hopping when they begin more often. Kafka Streams' TimeWindows. A window's end lies outside of it. */
export class TimeWindows {
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number

  private constructor(sizeMs: number, advanceMs: number, graceMs: number) {
    this.sizeMs = sizeMs
    this.advanceMs = advanceMs
    this.graceMs = graceMs
  }

  /**
   * @param options.sizeMs from 1
   * @param options.advanceMs from one window's start to the next one's, 1 to `sizeMs`. Default: `sizeMs`
   * @param options.graceMs how long after its end a window takes late records. Default: 0
   */
  static of(options: {
    readonly sizeMs: number
    readonly advanceMs?: number
    readonly graceMs?: number
  }): TimeWindows {
    checkOptions('TimeWindows.of', options ?? null, ['sizeMs', 'advanceMs', 'graceMs'])
    const { sizeMs, advanceMs = sizeMs, graceMs = 0 } = options
    checkMs('TimeWindows.of', 'sizeMs', sizeMs, 1)
    checkMs('TimeWindows.of', 'advanceMs', advanceMs, 1)
    checkMs('TimeWindows.of', 'graceMs', graceMs, 0)
    if (advanceMs > sizeMs)
      throw new TopologyError(
        `TimeWindows.of: advanceMs is ${advanceMs}; allowed is up to sizeMs, which is ${sizeMs}`,
      )
    return new TimeWindows(sizeMs, advanceMs, graceMs)
  }

  /** @internal */
  firstStart(timestamp: number): number {
    const { sizeMs, advanceMs } = this
    return Math.floor(Math.max(0, timestamp - sizeMs + advanceMs) / advanceMs) * advanceMs
  }
}

/** One window without an end. Kafka Streams' UnlimitedWindows. Its `end` is Number.MAX_SAFE_INTEGER, and nothing in it is ever late. */
export class UnlimitedWindows {
  /** Records before it are left out. */
  readonly startMs: number
  /** @internal */
  readonly sizeMs = Number.MAX_SAFE_INTEGER
  /** @internal */
  readonly advanceMs = Number.POSITIVE_INFINITY
  readonly graceMs = 0

  private constructor(startMs: number) {
    this.startMs = startMs
  }

  /** @param options.startMs ms since 1970, from 0. Default: 0 */
  static of(options: { readonly startMs?: number } = {}): UnlimitedWindows {
    checkOptions('UnlimitedWindows.of', options, ['startMs'])
    const { startMs = 0 } = options
    checkMs('UnlimitedWindows.of', 'startMs', startMs, 0)
    return new UnlimitedWindows(startMs)
  }

  /** @internal */
  firstStart(): number {
    return this.startMs
  }
}

/** Windows that hold records of a key that are close in time, a new one for each set of records. Both ends belong to it. Kafka Streams' SlidingWindows. */
export class SlidingWindows {
  readonly timeDifferenceMs: number
  readonly graceMs: number

  private constructor(timeDifferenceMs: number, graceMs: number) {
    this.timeDifferenceMs = timeDifferenceMs
    this.graceMs = graceMs
  }

  /**
   * @param options.timeDifferenceMs records that are no further apart share a window; from 0
   * @param options.graceMs how long after its end a window takes late records. Default: 0
   */
  static of(options: { readonly timeDifferenceMs: number; readonly graceMs?: number }): SlidingWindows {
    checkOptions('SlidingWindows.of', options ?? null, ['timeDifferenceMs', 'graceMs'])
    const { timeDifferenceMs, graceMs = 0 } = options
    checkMs('SlidingWindows.of', 'timeDifferenceMs', timeDifferenceMs, 0)
    checkMs('SlidingWindows.of', 'graceMs', graceMs, 0)
    return new SlidingWindows(timeDifferenceMs, graceMs)
  }
}

/** Sessions: records of a key with no longer gap between them than `inactivityGapMs`. Both ends belong to a session. Kafka Streams' SessionWindows. */
export class SessionWindows {
  readonly inactivityGapMs: number
  readonly graceMs: number

  private constructor(inactivityGapMs: number, graceMs: number) {
    this.inactivityGapMs = inactivityGapMs
    this.graceMs = graceMs
  }

  /**
   * @param options.inactivityGapMs from 0
   * @param options.graceMs how long after its end and the gap a session takes late records. Default: 0
   */
  static of(options: { readonly inactivityGapMs: number; readonly graceMs?: number }): SessionWindows {
    checkOptions('SessionWindows.of', options ?? null, ['inactivityGapMs', 'graceMs'])
    const { inactivityGapMs, graceMs = 0 } = options
    checkMs('SessionWindows.of', 'inactivityGapMs', inactivityGapMs, 0)
    checkMs('SessionWindows.of', 'graceMs', graceMs, 0)
    return new SessionWindows(inactivityGapMs, graceMs)
  }
}

/**
 * `on-window-update`: every change of a window is forwarded. `on-window-close`: a window is forwarded once, after it has closed. Kafka Streams'
 * EmitStrategy, KIP-825.
 */
export type EmitStrategy = 'on-window-update' | 'on-window-close'

export function checkEmitStrategy(strategy: unknown): void {
  if (strategy !== 'on-window-update' && strategy !== 'on-window-close') {
    throw new TopologyError(
      `emitStrategy: the strategy is ${String(strategy)}; allowed: on-window-update, on-window-close`,
    )
  }
}
