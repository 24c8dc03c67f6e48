import { queryMetricCatalogue } from './metric-catalogue.ts'
import { MetricSet, type MetricSnapshot } from './metric-set.ts'

/** What is asked of the stores. Main thread only. */
export class QueryMetrics {
  readonly #set = new MetricSet(queryMetricCatalogue)
  readonly #seconds = this.#set.histogram('weir_query_seconds', {})
  #forwarded = 0

  answered(durationMs: number): void {
    this.#set.count('weir_query_requests_total', { outcome: 'answered' })
    this.#seconds.observe(durationMs / 1000)
  }

  /** @param reason as of QueryError */
  refused(reason: string): void {
    this.#set.count('weir_query_requests_total', { outcome: reason })
  }

  forwarded(): void {
    this.#forwarded++
  }

  collect(): Promise<MetricSnapshot> {
    this.#set.total('weir_query_forwarded_total', {}, this.#forwarded)
    return this.#set.snapshot()
  }
}
