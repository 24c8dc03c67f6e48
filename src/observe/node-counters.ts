import { ageSeconds, recordSeconds, seconds } from './buckets.ts'
import { TimeHistogram } from './time-histogram.ts'

/** Where the times of a sampled record are added up. */
export interface SampledClock {
  /** What the nodes below the one at work have taken so far, ms. */
  sampledBelowMs: number
  readonly systemTimeMs: () => number
}

/**
 * What the tasks of a stream thread have done at one node of the topology. Every record is counted; a few are timed (see Sampling), which are those for
 * which `time` is called.
 */
export class NodeCounters {
  records = 0
  /** The node's own time for a record, without that of the nodes below it. */
  readonly seconds = new TimeHistogram(recordSeconds)
  /** How old records are when the node is done with them. Of nodes that nothing is below. */
  readonly endToEnd = new TimeHistogram(ageSeconds)
  /** How long promises took. Of async processors. */
  readonly promises = new TimeHistogram(seconds)
  readonly #isLast: boolean

  /** @param isLast nothing is below the node */
  constructor(isLast: boolean) {
    this.#isLast = isLast
  }

  /** Runs the node for a sampled record, and everything below it. @param timestampMs the record's */
  time(clock: SampledClock, timestampMs: number, run: () => void): void {
    const before = clock.sampledBelowMs
    clock.sampledBelowMs = 0
    const started = performance.now()
    try {
      run()
    } finally {
      const tookMs = performance.now() - started
      this.seconds.observe(Math.max(0, tookMs - clock.sampledBelowMs) / 1000)
      clock.sampledBelowMs = before + tookMs
    }
    if (this.#isLast) this.endToEnd.observe(Math.max(0, clock.systemTimeMs() - timestampMs) / 1000)
  }
}
