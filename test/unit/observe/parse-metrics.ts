import { parseSamples } from '../../../src/observe/parse-metrics.ts'

/** Prometheus' text as a map from a series, its labels sorted, to its value. */
export function parseMetrics(text: string): Map<string, number> {
  return new Map(
    parseSamples(text).map(({ name, labels, value }) => {
      const sorted = Object.entries(labels).map(([label, of]) => `${label}=${JSON.stringify(of)}`)
      return [sorted.length === 0 ? name : `${name}{${sorted.sort().join(',')}}`, value]
    }),
  )
}
