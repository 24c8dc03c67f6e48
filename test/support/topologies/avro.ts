/** Avro on every way: read, written, and in a store. AVRO_READER names the version of the events' schema that it is built with. */
import { defineTopology, serdes } from '../../../src/index.ts'
import { pageViewSchemas, totalSchema } from '../avro-schemas.ts'

interface PageView {
  readonly userId: string
  readonly durationMs: number
}

interface Total {
  readonly userId: string
  readonly views: number
  readonly durationMs: number
}

const { AVRO_READER = 'v1' } = process.env
const pageViews = serdes.avro<PageView>(pageViewSchemas[AVRO_READER as keyof typeof pageViewSchemas])
const totals = serdes.avro<Total>(totalSchema)

export default defineTopology((builder) => {
  const views = builder.stream('views', { key: serdes.string, value: pageViews })
  views.to('views-out')
  views
    .groupByKey()
    .aggregate({
      initializer: (): Total => ({ userId: '', views: 0, durationMs: 0 }),
      aggregator: (total, view) => ({
        userId: view.userId,
        views: total.views + 1,
        durationMs: total.durationMs + view.durationMs,
      }),
      store: 'totals',
      value: totals,
    })
    .toStream()
    .to('totals-out', { value: totals })
})
