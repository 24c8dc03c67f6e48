/** What flows through the steps of a stream, and what it is written with. */
import type { Stream, Table } from '../../src/index.ts'
import { defineTopology, minutes, serdes } from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  check<Equal<typeof stream, Stream<string, View, 'known', 'known'>>>()

  // Inference, end to end.
  stream
    .filter((view) => view.value.durationMs > minutes(1))
    .mapValues((view, user) => `${user} ${view.page}`)
    .peek(({ key, value, timestamp, headers }) => {
      check<Equal<[typeof key, typeof value, typeof timestamp], [string, string, number]>>()
      headers.last('trace')?.value?.length
    })
    .to('pages', { value: serdes.string })
  stream
    .groupBy(({ value }) => value.page, { key: serdes.string })
    .aggregate({
      initializer: () => ({ total: 0 }),
      aggregator: (aggregate, view, page) => {
        check<Equal<[typeof aggregate.total, typeof view, typeof page], [number, View, string]>>()
        return { total: aggregate.total + view.durationMs }
      },
      value: serdes.json<{ total: number }>(),
    })
    .toStream()
    .mapValues((durations) => durations.total)
    .to('durations', { value: serdes.float64 })

  const narrowed = builder
    .stream('maybe', { key: serdes.string, value: serdes.json<View | null>() })
    .filter((record): record is typeof record & { readonly value: View } => record.value !== null)
  check<Equal<typeof narrowed, Stream<string, View, 'known', 'known'>>>()

  // Keys and values may be null.
  const nullable = builder.stream<string | null, View | null>('nullable', {
    key: serdes.string,
    value: serdes.json<View>(),
  })
  // @ts-expect-error: the key of a record without one
  nullable.filter(({ key }) => key.length > 0)

  // Branches, by name.
  const branches = nullable
    .split()
    .branch((record): record is typeof record & { readonly value: View } => record.value !== null, {
      name: 'views',
    })
    .branch(({ key }) => key === null)
    .defaultBranch({ name: 'rest' })
  check<Equal<typeof branches.views, Stream<string | null, View, 'known', 'known'>>>()
  check<Equal<typeof branches.rest, Stream<string | null, View | null, 'known', 'known'>>>()
  branches[2]?.to('keyless')
  // @ts-expect-error: there is no such branch
  branches.others

  // A stream as a table.
  const pages = stream.mapValues((view) => view.page)
  check<Equal<ReturnType<typeof nullable.toTable>, Table<string, View>>>()
  // @ts-expect-error: the values have changed
  pages.toTable()
  pages.toTable({ value: serdes.string })
  stream.print({ format: ({ value }) => value.page })

  // Topics that are chosen.
  stream.to(({ value }) => value.page, { topics: ['home', 'search'] })
  // @ts-expect-error: what may be chosen is missing
  stream.to(({ value }) => value.page)
  // @ts-expect-error: the values have changed
  pages.to(({ value }) => value, { topics: ['home', 'search'] })
  stream.to('pages', { partitioner: (_topic, _user, { page }) => (page === '' ? [] : [0, 1]) })

  // What a spread of a record loses.
  // @ts-expect-error: the value is not copied by a spread
  stream.map((record) => ({ ...record, key: 'other' }))
  stream.map((record) => ({ ...record, value: 'other' }))
})
