import { checkOptions } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { checkMs } from './check-ms.ts'

const OPTIONS = ['timeDifferenceMs', 'beforeMs', 'afterMs', 'graceMs']

/**
 * Which records of two streams meet: those of the right one whose timestamps lie between `beforeMs` before the left one's and `afterMs` after it,
 * both ends included. Kafka Streams' JoinWindows.
 */
export class JoinWindows {
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number

  private constructor(beforeMs: number, afterMs: number, graceMs: number) {
    this.beforeMs = beforeMs
    this.afterMs = afterMs
    this.graceMs = graceMs
  }

  /**
   * Either `timeDifferenceMs`, or both `beforeMs` and `afterMs`, is needed; one of these besides `timeDifferenceMs` counts in its place.
   *
   * @param options.timeDifferenceMs from 0: both `beforeMs` and `afterMs`
   * @param options.beforeMs how much earlier a right record may be. May be negative: right records are later then
   * @param options.afterMs how much later a right record may be. May be negative; not below -beforeMs
   * @param options.graceMs how long after its window's end a record still finds late ones. A record that found none waits for as long
   *   before it is a result of a left or outer join. Default: 0
   * @throws TopologyError for a window of negative length, a negative grace, or no whole numbers
   */
  static of(options: {
    readonly timeDifferenceMs?: number
    readonly beforeMs?: number
    readonly afterMs?: number
    readonly graceMs?: number
  }): JoinWindows {
    const where = 'JoinWindows.of'
    checkOptions(where, options ?? null, OPTIONS)
    const { timeDifferenceMs, beforeMs = timeDifferenceMs, afterMs = timeDifferenceMs, graceMs = 0 } = options
    if (timeDifferenceMs !== undefined) checkMs(where, 'timeDifferenceMs', timeDifferenceMs, 0)
    checkMs(where, 'beforeMs', beforeMs)
    checkMs(where, 'afterMs', afterMs)
    checkMs(where, 'graceMs', graceMs, 0)
    if (beforeMs + afterMs < 0)
      throw new TopologyError(
        `${where}: the window is ${beforeMs + afterMs} ms long; beforeMs and afterMs together must be 0 or more`,
      )
    return new JoinWindows(beforeMs, afterMs, graceMs)
  }

  /** Length, both sides together. */
  get sizeMs(): number {
    return this.beforeMs + this.afterMs
  }
}
