/** What streams are joined with: tables, other streams, ranges of rows, global tables. */
import type { Stream } from '../../src/index.ts'
import { defineTopology, JoinWindows, minutes, serdes } from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  const counts = stream.groupByKey().count()
  const pages = stream.mapValues((view) => view.page)
  const nullable = builder.stream<string | null, View | null>('nullable', {
    key: serdes.string,
    value: serdes.json<View>(),
  })

  // Nulls are dropped before a join.
  nullable.join(counts, (view, count, user) => `${view.page}${count.toFixed()}${user.length}`)
  nullable.leftJoin(counts, (view, count, user) => {
    check<Equal<[typeof view, typeof count, typeof user], [View, number | null, string | null]>>()
    return ''
  })

  // Joins of streams.
  const windows = JoinWindows.of({ timeDifferenceMs: minutes(1) })
  const clicks = builder.stream('clicks', { key: serdes.string, value: serdes.int32 })
  const met = stream.join(
    clicks,
    (view, click, user) => {
      check<Equal<[typeof view, typeof click, typeof user], [View, number, string]>>()
      return view.page
    },
    windows,
  )
  check<Equal<typeof met, Stream<string, string, 'known', 'missing'>>>()
  nullable.leftJoin(
    clicks,
    (view, click, user) => {
      check<Equal<[typeof view, typeof click, typeof user], [View, number | null, string | null]>>()
      return ''
    },
    windows,
  )
  clicks.outerJoin(
    nullable,
    (click, view) => {
      check<Equal<[typeof click, typeof view], [number | null, View | null]>>()
      return ''
    },
    windows,
  )
  // @ts-expect-error: a join of streams needs windows
  stream.join(clicks, (view) => view)
  // @ts-expect-error: the values have changed
  stream.join(pages, (view) => view, windows)
  stream.join(pages, (view) => view, windows, { otherValue: serdes.string })
  const rekeyed = stream.selectKey(() => '')
  const rekeyedClicks = clicks.selectKey(() => '')
  // @ts-expect-error: neither stream knows how to write its keys
  rekeyed.join(rekeyedClicks, () => '', windows)
  rekeyed.join(clicks, () => '', windows)
  rekeyed.join(rekeyedClicks, () => '', windows, { key: serdes.string })
  // @ts-expect-error: a stream of other keys
  stream.join(builder.stream('rows', { key: serdes.int32, value: serdes.string }), (view) => view, windows)
  // @ts-expect-error: misspelled
  stream.join(clicks, (view) => view, windows, { storeName: 'views' })

  // Joins with ranges of rows.
  const orders = builder.table('orders', {
    key: serdes.json<{ user: string; time: number }>(),
    value: serdes.int32,
  })
  const ranged = stream.joinRange(
    orders,
    (view, rows, user) => {
      check<Equal<[typeof view, typeof user], [View, string]>>()
      let sum = 0
      for (const { key, value, timestamp } of rows) sum += value + key.time + timestamp
      return sum
    },
    {
      range: ({ key, value }) => ({
        from: { user: key, time: 0 },
        to: { user: key, time: value.durationMs },
      }),
    },
  )
  check<Equal<typeof ranged, Stream<string, number, 'known', 'missing'>>>()
  // @ts-expect-error: bounds are keys of the rows
  stream.joinRange(orders, () => 1, { range: ({ key }) => ({ from: key, to: key }) })
  // @ts-expect-error: the keys have changed
  rekeyed.joinRange(orders, () => 1, { range: () => null })
  rekeyed.joinRange(orders, () => 1, { key: serdes.string, range: () => null })
  stream.joinRange(orders, () => 1, { range: ({ key }) => ({ prefix: key }), prefix: serdes.string })

  // Global tables.
  const global = builder.globalTable('global', { key: serdes.int32, value: serdes.string })
  const chosen = stream.join(global, (view, text, user) => `${user} ${view.page} ${text}`, {
    keySelector: ({ value, key }) => value.durationMs + key.length,
  })
  check<Equal<typeof chosen, Stream<string, string, 'known', 'missing'>>>()
  // @ts-expect-error: the row may not be there
  stream.leftJoin(global, (_view, text) => text.length, { keySelector: ({ value }) => value.durationMs })
  // @ts-expect-error: the table has numbers for keys
  stream.join(global, (_view, text) => text, { keySelector: ({ value }) => value.page })
})
