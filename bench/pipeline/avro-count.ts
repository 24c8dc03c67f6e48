import { readFileSync } from 'node:fs'
import { defineTopology, serdes } from '../../src/index.ts'
import { topic } from './topic.ts'

interface PageView {
  readonly url: string
  readonly durationMs: number
  readonly revenue: number
}

interface ViewTotals {
  readonly views: number
  readonly durationMs: number
  readonly revenue: number
  readonly lastUrl: string
}

const schema = (name: string) => readFileSync(new URL(`schemas/${name}.avsc`, import.meta.url), 'utf8')
// The registry has them under their records' names.
const views = serdes.avro<PageView>(schema('PageView'), { subjectStrategy: 'record' })
const totals = serdes.avro<ViewTotals>(schema('ViewTotals'), { subjectStrategy: 'record' })

/** Page views added up by user, Avro in, in the store and out: the workload `avro-count` of the benches. */
export default defineTopology((builder) => {
  builder
    .stream(topic('input'), { key: serdes.string, value: views })
    .groupByKey()
    .aggregate({
      initializer: (): ViewTotals => ({ views: 0, durationMs: 0, revenue: 0, lastUrl: '' }),
      aggregator: (before, { url, durationMs, revenue }) => ({
        views: before.views + 1,
        durationMs: before.durationMs + durationMs,
        revenue: before.revenue + revenue,
        lastUrl: url,
      }),
      store: 'totals',
      caching: process.env.WEIR_BENCH_CACHING === 'true',
      value: totals,
    })
    .toStream()
    .to(topic('output'), { key: serdes.string, value: totals })
})
