import type { MetricSnapshot } from '../observe/metric-set.ts'

type Labels = Readonly<Record<string, string>>

/** One series of a metric. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** A histogram's counts since its thread began. */
export interface HistogramSample {
  readonly count: number
  /** Seconds. */
  readonly sum: number
  /** Upper bounds, seconds; the last is null: no bound. */
  readonly bounds: readonly (number | null)[]
  /** As many as bounds, each with those of the bounds before. */
  readonly counts: readonly number[]
}

interface Value {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  /** Of a histogram: `<name>_bucket`, `_sum` or `_count`. */
  readonly metricName?: string
}

interface Metric {
  readonly name: string
  readonly values: readonly Value[]
}

/** The metrics of all threads, by name. What no thread has is empty, or 0. */
export class Samples {
  readonly #values = new Map<string, Value[]>()

  constructor(snapshots: readonly MetricSnapshot[]) {
    for (const { name, values } of snapshots.flat() as unknown as Metric[]) {
      const known = this.#values.get(name)
      if (known === undefined) this.#values.set(name, [...values])
      else known.push(...values)
    }
  }

  /** A counter's or a gauge's series. */
  of(name: string): readonly Sample[] {
    return (this.#values.get(name) ?? []) as readonly Sample[]
  }

  sum(name: string): number {
    return this.of(name).reduce((total, { value }) => total + value, 0)
  }

  /** The series of a counter or a gauge, added up by one label. */
  by(name: string, label: string): Map<string, number> {
    const sums = new Map<string, number>()
    for (const { labels, value } of this.of(name)) {
      const of = labels[label]
      if (of !== undefined) sums.set(of, (sums.get(of) ?? 0) + value)
    }
    return sums
  }

  /** The series of a histogram, added up by one label. */
  histograms(name: string, label: string): Map<string, HistogramSample> {
    const built = new Map<string, HistogramBuilder>()
    for (const { labels, value, metricName } of this.#values.get(name) ?? []) {
      const of = labels[label]
      if (of === undefined) continue
      let histogram = built.get(String(of))
      if (histogram === undefined) {
        histogram = new HistogramBuilder()
        built.set(String(of), histogram)
      }
      if (metricName === `${name}_sum`) histogram.sum += value
      else if (metricName === `${name}_count`) histogram.count += value
      else histogram.add(labels.le, value)
    }
    return new Map([...built].map(([of, histogram]) => [of, histogram.build()]))
  }
}

class HistogramBuilder {
  sum = 0
  count = 0
  readonly #buckets = new Map<number, number>()

  add(le: string | number | undefined, count: number): void {
    const bound = le === '+Inf' ? Infinity : Number(le)
    this.#buckets.set(bound, (this.#buckets.get(bound) ?? 0) + count)
  }

  build(): HistogramSample {
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b)
    return {
      count: this.count,
      sum: this.sum,
      bounds: buckets.map(([bound]) => (Number.isFinite(bound) ? bound : null)),
      counts: buckets.map(([, count]) => count),
    }
  }
}
