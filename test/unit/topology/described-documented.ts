import { days, hours, minutes, seconds } from '../../../src/dsl/durations.ts'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows } from '../../../src/dsl/windows.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'

const text = { key: serdes.string, value: serdes.string }
const counts = { key: serdes.string, value: serdes.int64 }

function stream(builder: StreamsBuilder, topic: string): Stream<string, string> {
  return builder.stream(topic, text)
}

function table(builder: StreamsBuilder, topic: string): Table<string, string> {
  return builder.table(topic, text)
}

const words = (line: string): string[] => line.split(/\W+/)
const swap = ({ key, value }: { key: string; value: string }) => ({ key: value, value: key })
const DOC_BRANCHES = ['A', 'B', 'C'] as const
const all = (): boolean => true
const both = (one: string | null, two: string | null): string => `${one}${two}`
const left = (one: unknown): string => String(one)
const sum = {
  initializer: () => 0,
  aggregator: (total: number) => total + 1,
  value: serdes.int64,
}

/** The topologies of test/oracle/describe/DescribeDocumented.java: those of Kafka's own documentation and demos. */
export const describedDocumented: Record<string, (builder: StreamsBuilder) => void> = {
  'doc-pipe': (builder) => stream(builder, 'streams-plaintext-input').to('streams-pipe-output'),

  'doc-line-split': (builder) =>
    stream(builder, 'streams-plaintext-input').flatMapValues(words).to('streams-linesplit-output', text),

  'doc-word-count': (builder) =>
    stream(builder, 'streams-plaintext-input')
      .flatMapValues(words)
      .groupBy(({ value }) => value, text)
      .count({ store: 'counts-store' })
      .toStream()
      .to('streams-wordcount-output'),

  'doc-page-view-region': (builder) => {
    const views = stream(builder, 'streams-pageview-input')
    const users = table(builder, 'streams-userprofile-input')
    views
      .leftJoin(users, left)
      .map(({ value }) => ({ key: value, value }))
      .groupByKey(text)
      .windowedBy(TimeWindows.of({ sizeMs: days(7), advanceMs: seconds(1), graceMs: days(1) }))
      .count()
      .toStream()
      .map(({ key, value }) => ({ key: key.key, value }))
      .to('streams-pageviewstats-output', counts)
  },

  'doc-temperature': (builder) =>
    stream(builder, 'iot-temperature')
      .selectKey(() => 'temp')
      .groupByKey({ key: serdes.string })
      .windowedBy(TimeWindows.of({ sizeMs: seconds(5) }))
      .reduce((one, two) => (one > two ? one : two))
      .toStream()
      .filter(({ value }) => value.length > 2)
      .map(({ key, value }) => ({ key: String(key), value }))
      .to('iot-temperature-max', text),

  'doc-branch': (builder) => {
    const branches = stream(builder, 'orders')
      .split({ name: 'Branch-' })
      .branch(({ key }) => key.startsWith('A'), { name: 'A' })
      .branch(({ key }) => key.startsWith('B'), { name: 'B' })
      .defaultBranch({ name: 'C' })
    // Java hands them out in the order of a hash map.
    for (const name of DOC_BRANCHES) branches[name].to(`out-Branch-${name}`)
  },

  'doc-transformations': (builder) => {
    const lines = stream(builder, 'lines')
    lines
      .filter(all)
      .filterNot(() => false)
      .flatMap(({ value }) => [{ key: value, value }])
      .peek(() => {})
      .merge(stream(builder, 'more'))
      .to('merged', text)
    lines.map(swap).groupByKey(text).count().toStream().to('counted')
    lines.repartition({ partitions: 10 }).to('spread')
  },

  'doc-aggregations': (builder) => {
    const grouped = stream(builder, 'values').groupByKey()
    grouped
      .aggregate({ ...sum, store: 'aggregated-stream-store' })
      .toStream()
      .to('sums')
    grouped.count().toStream().to('counts')
    grouped.reduce(both).toStream().to('reduced')
  },

  'doc-windowed-aggregations': (builder) => {
    const grouped = stream(builder, 'values').groupByKey()
    grouped
      .windowedBy(TimeWindows.of({ sizeMs: minutes(5) }))
      .aggregate({ ...sum, store: 'time-windowed-store' })
    grouped
      .windowedBy(SlidingWindows.of({ timeDifferenceMs: minutes(5), graceMs: minutes(30) }))
      .aggregate({ ...sum, store: 'sliding-windowed-store' })
    grouped
      .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5) }))
      .aggregate({ ...sum, merger: (one, two) => one + two, store: 'sessionized-store' })
  },

  'doc-windows-in-order': (builder) => {
    const grouped = stream(builder, 'visits').groupBy(({ value }) => value, text)
    const windows = {
      tumbling: TimeWindows.of({ sizeMs: minutes(5), graceMs: minutes(1) }),
      hopping: TimeWindows.of({ sizeMs: minutes(5), advanceMs: minutes(1), graceMs: minutes(5) }),
    }
    for (const [name, window] of Object.entries(windows)) {
      grouped
        .windowedBy(window)
        .count()
        .toStream()
        .map(({ key, value }) => ({ key: key.key, value }))
        .to(name, counts)
    }
    grouped
      .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5) }))
      .count()
      .toStream()
      .map(({ key, value }) => ({ key: key.key, value: value ?? 0 }))
      .to('sessions', counts)
  },

  'doc-stream-stream-joins': (builder) => {
    const one = stream(builder, 'left')
    const two = stream(builder, 'right')
    const windows = JoinWindows.of({ timeDifferenceMs: minutes(5) })
    one.join(two, both, windows).to('inner', text)
    one.leftJoin(two, both, windows).to('left-joined', text)
    one.outerJoin(two, both, windows).to('outer', text)
  },

  'doc-table-table-joins': (builder) => {
    const one = table(builder, 'left')
    const two = table(builder, 'right')
    one.join(two, both).toStream().to('inner', text)
    one.leftJoin(two, both).toStream().to('left-joined', text)
    one.outerJoin(two, both).toStream().to('outer', text)
  },

  'doc-stream-table-joins': (builder) => {
    const one = stream(builder, 'left')
    const two = table(builder, 'right')
    one.join(two, both).to('inner', text)
    one.leftJoin(two, both).to('left-joined', text)
  },

  'doc-naming': (builder) =>
    builder
      .stream('input', { ...text, name: 'Customer_transactions_input_topic' })
      .filter(({ value }) => value !== 'invalid_txn', { name: 'filter_out_invalid_txns' })
      .mapValues((value) => value.slice(0, 5), { name: 'Map_values_to_first_6_characters' })
      .to('output', { ...text, name: 'Mapped_transactions_output_topic' }),

  'doc-naming-aggregation': (builder) =>
    stream(builder, 'input')
      .selectKey(({ value }) => value)
      .groupByKey({ key: serdes.string, name: 'Purchase_count' })
      .count({ store: 'purchase-counts' })
      .toStream()
      .to('output'),

  'doc-naming-join': (builder) => {
    const rekeyed = stream(builder, 'input').selectKey(({ value }) => value)
    const other = stream(builder, 'other').filter(({ value }) => value.length > 2)
    rekeyed
      .join(other, left, JoinWindows.of({ timeDifferenceMs: hours(1) }), {
        ...text,
        name: 'Join',
        store: 'join-store',
      })
      .to('joined', text)
    rekeyed
      .groupByKey({ ...text, name: 'count' })
      .count({ store: 'counted' })
      .toStream()
      .to('counts')
  },

  'doc-optimization': (builder) => {
    const mapped = stream(builder, 'input').map(swap)
    mapped
      .filter(({ key }) => key === 'B')
      .mapValues((value) => value)
      .forEach(() => {})
    const counted = mapped.groupByKey(text).count({ store: 'count-store' }).toStream()
    counted.to('counts')
    mapped
      .groupByKey(text)
      .aggregate({ ...sum, key: serdes.string })
      .toStream()
      .to('aggregated')
    mapped
      .filter(({ key }) => key === 'A')
      .peek(() => {})
      .groupByKey(text)
      .reduce((one) => one)
      .toStream()
      .peek(() => {})
      .to('reduced')
    mapped
      .filter(({ key }) => key === 'A')
      .join(counted, left, JoinWindows.of({ timeDifferenceMs: seconds(5) }), text)
      .to('joined', text)
  },

  'doc-to-table': (builder) =>
    stream(builder, 'rows').toTable({ store: 'stream-converted-to-table' }).toStream().to('changes'),

  'doc-session-clicks': (builder) =>
    stream(builder, 'clicks')
      .groupByKey(text)
      .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5), graceMs: minutes(1) }))
      .count({ store: 'clicks-per-session' })
      .toStream()
      .filter(({ value }) => value !== null)
      .selectKey(({ key }) => key.key)
      .to('sessions', { key: serdes.string, value: serdes.int64 as Serde<number | null> }),
}
