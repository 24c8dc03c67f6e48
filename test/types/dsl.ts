/** What the compiler must infer, and what it must refuse. Checked by tsc alone; nothing here runs. */
import type { KeyValueStore, Processor, Stream, Table, Windowed } from '../../src/index.ts'
import {
  defineTopology,
  minutes,
  SessionWindows,
  SlidingWindows,
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
