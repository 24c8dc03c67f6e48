/**
 * Avro on every way: read, written, and in a store. AVRO_VERSION names the version of the schemas that it is built with, AVRO_PREFIX begins the names of
 * its topics.
 */
import { defineTopology, serdes } from '../../../src/index.ts'
import { pageViewSchemas, totalSchemas } from '../avro-schemas.ts'

interface PageView {
  readonly userId: string
  readonly durationMs: number
  readonly referrer?: string | null
  readonly source?: string | null
}

interface Total {
  readonly userId: string
  readonly views: number
  readonly durationMs: number
  readonly lastReferrer?: string | null
}

const { AVRO_VERSION = 'v1', AVRO_PREFIX = '' } = process.env
const version = AVRO_VERSION as keyof typeof pageViewSchemas
const pageViews = serdes.avro<PageView>(pageViewSchemas[version])
const totals = serdes.avro<Total>(totalSchemas[version])

export default defineTopology((builder) => {
  const views = builder.stream(`${AVRO_PREFIX}views`, { key: serdes.string, value: pageViews })
  views.to(`${AVRO_PREFIX}views-out`)
  views
    .groupByKey()
    .aggregate({
      initializer: (): Total => ({ userId: '', views: 0, durationMs: 0 }),
      aggregator: (total, view) => ({
        userId: view.userId,
        views: total.views + 1,
        durationMs: total.durationMs + view.durationMs,
        lastReferrer: view.referrer ?? view.source ?? total.lastReferrer ?? null,
      }),
      store: 'totals',
      value: totals,
    })
    .toStream()
    .to(`${AVRO_PREFIX}totals-out`, { value: totals })
})
