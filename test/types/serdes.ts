/** A serde that is missing where it is needed, or is of the wrong type; an option that there is none of. */
import type { Processor } from '../../src/index.ts'
import { defineTopology, serdes } from '../../src/index.ts'
import { type View, views } from './check.ts'

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  const counts = stream.groupByKey().count()

  // A serde that is missing where it is needed.
  // @ts-expect-error: the values have changed
  stream.mapValues((view) => view.page).to('pages')
  // @ts-expect-error: keys and values have changed
  stream.map(({ value }) => ({ key: value.page, value: 1 })).to('pages', { value: serdes.int32 })
  stream
    .map(({ value }) => ({ key: value.page, value: 1 }))
    .to('pages', { key: serdes.string, value: serdes.int32 })
  // @ts-expect-error: the keys have changed
  stream.selectKey(({ value }) => value.page).groupByKey()
  // @ts-expect-error: the values have changed too
  stream.map((record) => record).groupByKey({ key: serdes.string })
  // @ts-expect-error: a grouping by a new key needs its serde
  stream.groupBy(({ value }) => value.page)
  const pages = stream.mapValues((view) => view.page)
  // @ts-expect-error: a reduce keeps values
  pages.groupByKey().reduce((_, page) => page)
  pages.groupByKey({ value: serdes.string }).reduce((_, page) => page)
  stream
    .mapValues((view) => view.page)
    .groupByKey()
    .count()
  // @ts-expect-error: a join after the keys have changed needs their serde
  stream.selectKey(({ value }) => value.page).join(counts, (view) => view)
  stream.selectKey(({ value }) => value.page).join(counts, (view) => view, { key: serdes.string })
  // @ts-expect-error: the processor may have changed both
  stream.process(() => new Pages()).to('pages', { key: serdes.string })
  // @ts-expect-error: one of the merged streams has no serde for its values
  stream.merge(stream.mapValues((view) => view)).to('merged')
  stream.merge(stream).to('merged')
  // @ts-expect-error: a table's store needs the values' serde
  counts.mapValues(String, { store: 'texts' })

  // A serde of the wrong type, an unknown option.
  // @ts-expect-error: the values are views
  stream.to('pages', { value: serdes.string })
  // @ts-expect-error: the store counts
  stream.groupByKey().count({ value: serdes.string })
  // @ts-expect-error: misspelled
  stream.groupByKey().count({ storename: 'counts' })
  // @ts-expect-error: misspelled
  builder.stream('page-views', { ...views, offsetreset: 'latest' })
  // @ts-expect-error: a table of other keys
  stream.join(builder.table('rows', { key: serdes.int32, value: serdes.string }), (view) => view)
})

class Pages implements Processor<string, View, string, string> {
  process(): void {}
}
