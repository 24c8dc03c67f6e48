/** Which metrics a worker must have shown, and where those are seen that need more than a broker. */
import assert from 'node:assert/strict'

import {
  mainThreadCatalogue,
  queryMetricCatalogue,
  schemaMetricCatalogue,
  streamThreadCatalogue,
} from '../../src/observe/metric-catalogue.ts'
import type { WeirProcess } from './weir-process.ts'

/** All of docs/metrics.md. */
export const allMetrics: readonly string[] = [
  ...new Set([
    ...Object.keys(streamThreadCatalogue),
    ...Object.keys(mainThreadCatalogue),
    ...Object.keys(queryMetricCatalogue),
    ...Object.keys(schemaMetricCatalogue),
  ]),
]

/** Of a worker with a schema registry. Seen in test/broker/avro.test.ts. */
export const schemaMetrics: readonly string[] = Object.keys(schemaMetricCatalogue)

/** Of a worker with tiered stores. Seen in test/broker/tiered-state.test.ts. */
export const cassandraMetrics: readonly string[] = allMetrics.filter((name) =>
  /^weir_(cassandra|tiered)_/.test(name),
)

/** What of these names has no sample. A histogram is there when its samples are. */
export function missing(samples: ReadonlyMap<string, number>, names: readonly string[]): string[] {
  const seen = new Set([...samples.keys()].map((series) => series.replace(/\{.*/, '')))
  return names.filter((name) => !seen.has(name) && !seen.has(`${name}_count`))
}

/** Fails when the worker does not show all of these. */
export async function assertShown(worker: WeirProcess, names: readonly string[]): Promise<void> {
  assert.deepEqual(missing(await worker.metrics(), names), [])
}
