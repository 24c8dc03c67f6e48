import {
  processMetricCatalogue,
  queryMetricCatalogue,
  schemaMetricCatalogue,
  topologyMetricCatalogue,
} from './metric-catalogue.ts'
import type { MetricEntry } from './metric-entry.ts'
import { threadMetricCatalogue } from './thread-metric-catalogue.ts'

/** docs/metrics.md, from the catalogue that the metrics are made by. */
export function metricsDocument(): string {
  return `# Metrics

<!-- Made by scripts/docs.ts from src/observe/metric-catalogue.ts; npm run docs writes it anew. -->

\`/metrics\` (see \`WEIR_HTTP_PORT\`) answers in Prometheus' text format with what follows, and with prom-client's \`process_*\` and \`nodejs_*\` of the
main thread. Names are \`weir_<stage>_<what>_<unit>\`; what only grows ends with \`_total\`. Ratios are left to queries: the hit ratio of the state
cache is the rate of \`weir_state_cache_hits_total\` over that of hits and misses. What RocksDB has counted is of all databases of the process; what
it says of a store has the task and the store as labels, and is there while the task runs. Both are read when somebody asks.

How many series there are is bounded by the application, never by its data: labels are threads, the topics and partitions of the assigned tasks, tasks, stores, the topology's nodes, and words of this page. A histogram has a
series for each of its bounds, which are 11 to 17, and three more. A stream thread keeps the series of a task that went to another until it ends, and of topics likewise.

What Kafka Streams has as an average, a maximum or a ratio is a query: the average is the rate of \`_sum\` over that of \`_count\`; a maximum over time is \`histogram_quantile(1, ...)\` up to the bound; a task's
\`active-process-ratio\` is the rate of \`weir_process_task_seconds_total\` over the same summed by thread; a thread's rate of commits that of \`weir_commit_seconds_count\`.

## Stream threads

\`thread\` is the thread's number, from 0, or \`global\`: the thread that fills the global stores, whose task and state are \`global\` too. It has no group and no producer;
\`weir_restore_remaining_records\` is what it still has to read before the application joins the group.

${table(threadMetricCatalogue)}

## The topology

Of each node and each store by its name in the topology, all threads added up. Every record and every call is counted; times are those of samples, so a histogram's \`_count\` is the number of samples. A task
times the first record of a turn when 256 records, or 100 ms, have gone by since it did so last: its nodes, how late it is, and its age where it ends. A record that a filter takes out has no end.

${table(topologyMetricCatalogue)}

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
