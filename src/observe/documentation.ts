import {
  type MetricEntry,
  processMetricCatalogue,
  queryMetricCatalogue,
  schemaMetricCatalogue,
  threadMetricCatalogue,
} from './metric-catalogue.ts'

/** docs/metrics.md, from the catalogue that the metrics are made by. */
export function metricsDocument(): string {
  return `# Metrics

<!-- Made by scripts/docs.ts from src/observe/metric-catalogue.ts; npm run docs writes it anew. -->

\`/metrics\` (see \`WEIR_HTTP_PORT\`) answers in Prometheus' text format with what follows, and with prom-client's \`process_*\` and \`nodejs_*\` of the
main thread. Names are \`weir_<stage>_<what>_<unit>\`; what only grows ends with \`_total\`. Ratios are left to queries: the hit ratio of the state
cache is the rate of \`weir_state_cache_hits_total\` over that of hits and misses. What RocksDB has counted is of all databases of the process; what
it says of a store has the task and the store as labels, and is there while the task runs. Both are read when somebody asks.

## Stream threads

\`thread\` is the thread's number, from 0, or \`global\`: the thread that fills the global stores, whose task and state are \`global\` too. It has no group and no producer;
\`weir_restore_remaining_records\` is what it still has to read before the application joins the group.

${table(threadMetricCatalogue)}

## The process

${table(processMetricCatalogue)}

## Queries

See [queries.md](queries.md). An \`outcome\` other than \`answered\` is the code of the error that the caller gets.

${table(queryMetricCatalogue)}

## The schema registry

There where the topology uses one. An \`outcome\` is \`answered\`, \`missing\` (404), \`refused\` (any other answer from 400 on, credentials among them), or \`failed\`: no answer in time,
one that is none of the API, or 408, 425, 429 and 5xx. After a failed request the next URL is asked; when all have failed, the attempt is made again after a pause.

${table(schemaMetricCatalogue)}

## Probes

\`/healthz\` answers 503 when the process should be started anew (an error stopped the application, or a stream thread stands still), \`/readyz\`
while not every task that was assigned to it runs: at the start, in a rebalance, while state is restored. Both say why.
`
}

function table(catalogue: Readonly<Record<string, MetricEntry>>): string {
  const rows = Object.entries(catalogue).map(([name, { type, labels, help }]) => {
    const labelled = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${labelled} | ${help} |`
  })
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
