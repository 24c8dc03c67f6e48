/** Of a metric's series in Prometheus' text, all added up; NaN without any. */
export function sumOf(text: string, metric: string): number {
  const series = [...text.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)$`, 'gm'))]
  return series.length === 0 ? Number.NaN : series.reduce((sum, [, value]) => sum + Number(value), 0)
}
