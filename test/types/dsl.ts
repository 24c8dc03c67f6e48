/** What the compiler must infer, and what it must refuse. Checked by tsc alone; nothing here runs. */
import type { KeyValueStore, Processor, Stream, Table, Windowed } from '../../src/index.ts'
import {
  BufferConfig,
  defineTopology,
  JoinWindows,
  minutes,
  SessionWindows,
  SlidingWindows,
  Suppressed,
  serdes,
  stores,
  TimeWindows,
  Topology,
  UnlimitedWindows,
} from '../../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function check<_T extends true>(): void

interface View {
  readonly page: string
  readonly durationMs: number
}

const views = { key: serdes.string, value: serdes.json<View>() }

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
  const counts = stream.groupByKey().count({ store: 'counts' })
  check<Equal<typeof counts, Table<string, number, 'known', never>>>()
  // A count is never deleted; what a filter leaves out, is.
  counts.toStream().mapValues((count) => count.toFixed())
  const large = counts.filter((count) => count > 3).toStream()
  // @ts-expect-error: the value may be null
  large.mapValues((count) => count.toFixed())
  counts.toStream().to('counts')
  const narrowed = builder
    .stream('maybe', { key: serdes.string, value: serdes.json<View | null>() })
    .filter((record): record is typeof record & { readonly value: View } => record.value !== null)
  check<Equal<typeof narrowed, Stream<string, View, 'known', 'known'>>>()

  // Nulls are dropped before a grouping and a join.
  const nullable = builder.stream<string | null, View | null>('nullable', {
    key: serdes.string,
    value: serdes.json<View>(),
  })
  nullable.groupByKey().reduce((longest, view, user) => (longest.durationMs > user.length ? longest : view))
  nullable.join(counts, (view, count, user) => `${view.page}${count.toFixed()}${user.length}`)
  nullable.leftJoin(counts, (view, count, user) => {
    check<Equal<[typeof view, typeof count, typeof user], [View, number | null, string | null]>>()
    return ''
  })
  // @ts-expect-error: the key of a record without one
  nullable.filter(({ key }) => key.length > 0)

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

  // Joins of tables.
  const names = builder.table('names', { key: serdes.string, value: serdes.string })
  const joined = counts.join(names, (count, name, user) => {
    check<Equal<[typeof count, typeof name, typeof user], [number, string, string]>>()
    return count > 3 ? name : null
  })
  check<Equal<typeof joined, Table<string, string, 'missing', null>>>()
  // @ts-expect-error: a joined table has no serde for its values
  joined.toStream().to('joined')
  const named = counts.leftJoin(names, (count, name) => `${count}${name?.length}`, { value: serdes.string })
  // A count is never deleted, so neither is what it is joined to.
  check<Equal<typeof named, Table<string, string, 'known', never>>>()
  counts.outerJoin(names, (count, name) => {
    check<Equal<[typeof count, typeof name], [number | null, string | null]>>()
    return 1
  })
  // @ts-expect-error: the other row may not be there
  counts.leftJoin(names, (_, name) => name.length)
  // @ts-expect-error: a store needs the values' serde
  counts.join(names, (count) => count, { store: 'joined' })
  // @ts-expect-error: a table of other keys
  names.join(builder.table('rows', { key: serdes.int32, value: serdes.string }), (name) => name)

  const lengths = names.transformValues(() => ({
    transform: (name, user) => {
      check<Equal<[typeof name, typeof user], [string | null, string]>>()
      return name === null ? null : name.length
    },
  }))
  check<Equal<typeof lengths, Table<string, number, 'missing'>>>()

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

class Pages implements Processor<string, View, string, string> {
  process(): void {}
}

class Durations implements Processor<string, View, string, number> {
  #store!: KeyValueStore<string, number>

  init(context: Parameters<NonNullable<Processor<string, View, string, number>['init']>>[0]): void {
    this.#store = context.stateStore('durations')
  }

  process(...[record, context]: Parameters<Processor<string, View, string, number>['process']>): void {
    const total = (this.#store.get(record.key) ?? 0) + record.value.durationMs
    this.#store.put(record.key, total)
    const { timestamp, headers } = record
    context.forward({ key: record.key, value: total, timestamp, headers })
    // @ts-expect-error: the processor forwards numbers
    context.forward({ key: record.key, value: 'total', timestamp, headers })
    // @ts-expect-error: the headers are not copied by a spread
    context.forward({ ...record, value: total })
  }
}

export const topology = new Topology()
  .addSource('views', { topics: 'page-views', ...views })
  .addProcessor('durations', () => new Durations(), {
    parents: 'views',
    preservesKey: true,
    readsByKey: ['durations'],
  })
  .addStateStore(
    stores.keyValue({ name: 'durations', key: serdes.string, value: serdes.float64 }),
    'durations',
  )
  .addSink('totals', { parents: 'durations', topic: 'totals', key: serdes.string, value: serdes.float64 })
