import type { MetricObjectWithValues, MetricValue } from 'prom-client'

import type { MetricEntry } from './metric-entry.ts'
import { Counter, Gauge, Histogram, Registry } from './prometheus.ts'
import { TimeHistogram } from './time-histogram.ts'

export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>[]

type Labels = Readonly<Record<string, string>>

/** A histogram's sample, whose name is not that of its metric. */
type NamedValue = MetricValue<string> & { readonly metricName: string }

interface ShownHistogram {
  readonly name: string
  readonly labels: Labels
  readonly histogram: TimeHistogram
}

/**
 * The metrics of a catalogue in a registry of their own. Counters are given as totals, as the code that counts keeps them, and turned into what
 * was added since the last time. Histograms are kept in plain fields, which cost less to add to than prom-client's.
 */
export class MetricSet<Name extends string> {
  readonly registry = new Registry()
  readonly #metrics = new Map<Name, Counter | Gauge | Histogram>()
  readonly #totals = new Map<string, number>()
  readonly #catalogue: Readonly<Record<Name, MetricEntry>>
  readonly #histograms = new Map<string, ShownHistogram>()

  constructor(catalogue: Readonly<Record<Name, MetricEntry>>) {
    this.#catalogue = catalogue
    for (const [name, entry] of Object.entries(catalogue) as [Name, MetricEntry][]) {
      const options = { name, help: entry.help, labelNames: [...entry.labels], registers: [this.registry] }
      if (entry.type === 'counter') this.#metrics.set(name, new Counter(options))
      else if (entry.type === 'gauge') this.#metrics.set(name, new Gauge(options))
      else this.#metrics.set(name, new Histogram({ ...options, buckets: [...(entry.buckets ?? [])] }))
    }
  }

  /** A gauge's value. */
  set(name: Name, labels: Labels, value: number): void {
    const metric = this.#metrics.get(name)
    if (!(metric instanceof Gauge)) throw new Error(`${name} is no gauge`)
    metric.set(labels, value)
  }

  /** A counter's total. One that is smaller than before began anew: it counts from there. */
  total(name: Name, labels: Labels, total: number): void {
    const metric = this.#metrics.get(name)
    if (!(metric instanceof Counter)) throw new Error(`${name} is no counter`)
    const key = `${name} ${JSON.stringify(labels)}`
    metric.inc(labels, Math.max(0, total - (this.#totals.get(key) ?? 0)))
    this.#totals.set(key, total)
  }

  /** Adds one to a counter that is given no totals. */
  count(name: Name, labels: Labels): void {
    const metric = this.#metrics.get(name)
    if (!(metric instanceof Counter)) throw new Error(`${name} is no counter`)
    metric.inc(labels)
  }

  /** A histogram, to observe many values with the same labels. */
  histogram(name: Name, labels: Labels): TimeHistogram {
    const histogram = new TimeHistogram(this.#catalogue[name].buckets ?? [])
    return this.show(name, labels, histogram)
  }

  /** Shows a histogram that is kept elsewhere, unless there is one with these labels. @returns the one that is shown */
  show(name: Name, labels: Labels, histogram: TimeHistogram): TimeHistogram {
    if (this.#catalogue[name].type !== 'histogram') throw new Error(`${name} is no histogram`)
    const key = `${name} ${JSON.stringify(labels)}`
    const shown = this.#histograms.get(key)
    if (shown !== undefined) return shown.histogram
    this.#histograms.set(key, { name, labels, histogram })
    return histogram
  }

  /** Forgets a gauge's series: those that no longer exist must not keep their last value. */
  clear(name: Name): void {
    this.#metrics.get(name)?.reset()
  }

  /** What can cross to another thread. */
  async snapshot(): Promise<MetricSnapshot> {
    const snapshot: MetricSnapshot = await this.registry.getMetricsAsJSON()
    const shown = Map.groupBy(this.#histograms.values(), ({ name }) => name)
    for (const metric of snapshot)
      for (const one of shown.get(metric.name) ?? []) metric.values.push(...samplesOf(one))
    return snapshot
  }
}

/** As prom-client's own histograms give them. */
function samplesOf({ name, labels, histogram }: ShownHistogram): NamedValue[] {
  const { bounds, counts, sum } = histogram
  const samples: NamedValue[] = []
  let count = 0
  for (let bucket = 0; bucket < counts.length; bucket++) {
    count += counts[bucket]!
    const le = bounds[bucket] ?? '+Inf'
    samples.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: count })
  }
  samples.push({ metricName: `${name}_sum`, labels, value: sum })
  samples.push({ metricName: `${name}_count`, labels, value: count })
  return samples
}
