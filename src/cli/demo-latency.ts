import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

export interface LatencySummary {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Latencies since the start and since the last reading, in ms. */
export class Latencies {
  readonly #total = createHistogram()
  #recent = createHistogram()

  add(latencyMs: number): void {
    // A histogram counts from 1; a clock that was set back must not stop the demo.
    const value = Math.max(1, Math.round(latencyMs))
    this.#total.record(value)
    this.#recent.record(value)
  }

  /** Those since the last call; null when there are none. */
  takeRecent(): LatencySummary | null {
    const summary = summarize(this.#recent)
    this.#recent = createHistogram()
    return summary
  }

  get total(): LatencySummary | null {
    return summarize(this.#total)
  }
}

function summarize(histogram: RecordableHistogram): LatencySummary | null {
  if (histogram.count === 0) return null
  return {
    count: histogram.count,
    p50Ms: histogram.percentile(50),
    p99Ms: histogram.percentile(99),
    maxMs: histogram.max,
  }
}
