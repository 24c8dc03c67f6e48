import { AggregatorRegistry, Registry } from 'prom-client'

import type { MetricSnapshot } from './metric-set.ts'

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE

/** The text that Prometheus reads, of all threads' snapshots: series with the same labels are added up. */
export function renderMetrics(snapshots: readonly MetricSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics()
}
