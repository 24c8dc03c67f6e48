/** What aggregates are made of, and what they make. */
import type { Table } from '../../src/index.ts'
import { defineTopology, SessionWindows, serdes } from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  const nullable = builder.stream<string | null, View | null>('nullable', {
    key: serdes.string,
    value: serdes.json<View>(),
  })

  const counts = stream.groupByKey().count({ store: 'counts' })
  check<Equal<typeof counts, Table<string, number, 'known', never>>>()
  // A count is never deleted; what a filter leaves out, is.
  counts.toStream().mapValues((count) => count.toFixed())
  const large = counts.filter((count) => count > 3).toStream()
  // @ts-expect-error: the value may be null
  large.mapValues((count) => count.toFixed())
  counts.toStream().to('counts')

  // Nulls are dropped before a grouping.
  nullable.groupByKey().reduce((longest, view, user) => (longest.durationMs > user.length ? longest : view))

  // Rows by another key: the selector says what the groups' keys and values are.
  const groups = builder
    .table('views', views)
    .groupBy((view, user) => ({ key: view.page, value: view.durationMs + user.length }), {
      key: serdes.string,
      value: serdes.float64,
    })
  check<Equal<ReturnType<typeof groups.count>, Table<string, number, 'known', never>>>()
  const longest = groups.reduce(
    (one, other) => Math.max(one, other),
    (one, other) => (one > other ? one : null),
  )
  check<Equal<typeof longest, Table<string, number>>>()
  // @ts-expect-error: the serde of other values
  builder.table('views', views).groupBy((view) => ({ key: view.page, value: 1 }), views)

  // Each stream's values go to its own aggregator; nulls as they may come.
  const cogrouped = stream
    .groupByKey()
    .cogroup<number>((total, view, user) => {
      check<Equal<[typeof total, typeof view, typeof user], [number, View, string]>>()
      return total + view.durationMs
    })
    .cogroup(nullable.groupByKey(), (total, view) => {
      check<Equal<typeof view, View | null>>()
      return view === null ? null : total
    })
  const cogroupedTotals = cogrouped.aggregate({ initializer: () => 0, value: serdes.float64 })
  check<Equal<typeof cogroupedTotals, Table<string, number>>>()
  // @ts-expect-error: the aggregate is a number
  cogrouped.aggregate({ initializer: () => '', value: serdes.string })
  const inSessions = cogrouped.windowedBy(SessionWindows.of({ inactivityGapMs: 1 }))
  // @ts-expect-error: sessions are merged
  inSessions.aggregate({ initializer: () => 0, value: serdes.float64 })
  const byDuration = stream.groupBy(({ value }) => value.durationMs, { key: serdes.float64 })
  // @ts-expect-error: other keys
  cogrouped.cogroup(byDuration, (total) => total)
})
