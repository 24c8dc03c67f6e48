import type { MetricObjectWithValues, MetricValue } from 'prom-client'

import type { MetricEntry } from './metric-catalogue.ts'
import { Counter, Gauge, Histogram, Registry } from './prometheus.ts'

export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>[]

type Labels = Readonly<Record<string, string>>

/**
 * The metrics of a catalogue in a registry of their own. Counters are given as totals, as the code that counts keeps them, and turned into what
 * was added since the last time.
 */
export class MetricSet<Name extends string> {
  readonly registry = new Registry()
  readonly #metrics = new Map<Name, Counter | Gauge | Histogram>()
  readonly #totals = new Map<string, number>()

  constructor(catalogue: Readonly<Record<Name, MetricEntry>>) {
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
  histogram(name: Name, labels: Labels): { observe(value: number): void } {
    const metric = this.#metrics.get(name)
    if (!(metric instanceof Histogram)) throw new Error(`${name} is no histogram`)
    metric.zero(labels)
    const child = metric.labels(labels)
    return { observe: (value) => child.observe(value) }
  }

  /** Forgets a gauge's series: those that no longer exist must not keep their last value. */
  clear(name: Name): void {
    this.#metrics.get(name)?.reset()
  }

  /** What can cross to another thread. */
  snapshot(): Promise<MetricSnapshot> {
    return this.registry.getMetricsAsJSON()
  }
}
