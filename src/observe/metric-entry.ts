/** Every metric that Weir adds to prom-client's process_* and nodejs_* ones. Named weir_<stage>_<what>_<unit>, counters with _total. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds, for a histogram. */
  readonly buckets?: readonly number[]
}
