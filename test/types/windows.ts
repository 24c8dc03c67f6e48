/** Windowed keys, and what windows let through. */
import type { Table, Windowed } from '../../src/index.ts'
import {
  BufferConfig,
  defineTopology,
  minutes,
  SessionWindows,
  SlidingWindows,
  Suppressed,
  serdes,
  TimeWindows,
  UnlimitedWindows,
} from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

export default defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  const nullable = builder.stream<string | null, View | null>('nullable', {
    key: serdes.string,
    value: serdes.json<View>(),
  })

  // Windows: keys are windowed, and null values reach the functions of those that do not drop them.
  const fiveMinutes = TimeWindows.of({ sizeMs: minutes(5), graceMs: minutes(1) })
  const windowed = stream
    .groupByKey()
    .windowedBy(fiveMinutes)
    .count({ retentionMs: minutes(10) })
  check<Equal<typeof windowed, Table<Windowed<string>, number, 'known', never>>>()
  windowed
    .toStream()
    .filter(({ key, value }) => key.key.length + key.window.start < value)
    .to('windows')
  const sessions = stream
    .groupByKey()
    .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5) }))
    .aggregate({
      initializer: () => 0,
      aggregator: (total, view, user) => {
        check<Equal<[typeof total, typeof view, typeof user], [number, View, string]>>()
        return total + view.durationMs
      },
      merger: (one, two) => one + two,
      value: serdes.float64,
    })
  // A session that goes up in another is deleted.
  check<Equal<typeof sessions, Table<Windowed<string>, number>>>()
  nullable
    .groupByKey()
    .windowedBy(UnlimitedWindows.of())
    .reduce((longest, view) => {
      check<Equal<[typeof longest, typeof view], [View, View | null]>>()
      return view ?? longest
    })
  nullable
    .groupByKey()
    .windowedBy(SlidingWindows.of({ timeDifferenceMs: 1 }))
    .reduce((longest, view) => {
      check<Equal<typeof view, View>>()
      return longest
    })
  builder
    .stream('windows', { key: serdes.timeWindowed(serdes.string, minutes(5)), value: serdes.string })
    .join(windowed, (text, count, { key, window }) => {
      check<
        Equal<[typeof text, typeof count, typeof key, typeof window.end], [string, number, string, number]>
      >()
      return text
    })
  const closed = stream.groupByKey().windowedBy(fiveMinutes).emitStrategy('on-window-close').count()
  check<Equal<typeof closed, typeof windowed>>()
  // @ts-expect-error: no strategy of that name
  stream.groupByKey().windowedBy(fiveMinutes).emitStrategy('on-close')
  const bySession = stream.groupByKey().windowedBy(SessionWindows.of({ inactivityGapMs: 1 }))
  // @ts-expect-error: sessions are merged
  bySession.aggregate({ initializer: () => 0, aggregator: (total) => total, value: serdes.float64 })
  // @ts-expect-error: a table without windows keeps everything
  stream.groupByKey().count({ retentionMs: minutes(10) })
  // @ts-expect-error: the keys are windowed
  windowed.toStream().to('windows', { key: serdes.string })
  const windowedPages = stream
    .mapValues((view) => view.page)
    .groupByKey()
    .windowedBy(fiveMinutes)
  // @ts-expect-error: a reduce keeps values
  windowedPages.reduce((_, page) => page)
  // @ts-expect-error: units are last
  TimeWindows.of({ size: minutes(5) })

  // Only windows close, and a buffer that emits early gives no final results.
  const changing = builder.table('changing', views)
  const held = changing.suppress(Suppressed.untilTimeLimit(minutes(1), BufferConfig.maxRecords(10)))
  check<Equal<typeof held, Table<string, View>>>()
  const finals = stream
    .groupByKey()
    .windowedBy(TimeWindows.of({ sizeMs: minutes(5) }))
    .count()
    .suppress(Suppressed.untilWindowCloses(BufferConfig.maxBytes(1_000).shutDownWhenFull()))
  check<Equal<typeof finals, Table<Windowed<string>, number, 'known', never>>>()
  // @ts-expect-error: the keys are no windows
  changing.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
  // @ts-expect-error: the buffer emits early
  Suppressed.untilWindowCloses(BufferConfig.maxRecords(10))
  const renamed = changing.mapValues((view) => view.page)
  // @ts-expect-error: the values' serde is not known
  renamed.suppress(Suppressed.untilTimeLimit(1, BufferConfig.unbounded()))
  renamed.suppress(Suppressed.untilTimeLimit(1, BufferConfig.unbounded()), { value: serdes.string })
})
