import { minutes } from '../../../src/dsl/durations.ts'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { TimeWindows } from '../../../src/dsl/windows.ts'
import type { Processor } from '../../../src/process/processor.ts'
import { serdes } from '../../../src/serde/serdes.ts'

const text = { key: serdes.string, value: serdes.string }
const both = { ...text, otherValue: serdes.string }
const windows = JoinWindows.of({ timeDifferenceMs: minutes(5), graceMs: minutes(1) })
const first = (one: unknown): string => String(one)
const second = (_: string, two: string): string => two
const all = (): boolean => true
const byValue = ({ value }: { value: string }): string => value
const same = <R>(record: R): R => record

function stream(builder: StreamsBuilder, topic: string): Stream<string, string> {
  return builder.stream(topic, text)
}

function table(builder: StreamsBuilder, topic: string): Table<string, string> {
  return builder.table(topic, text)
}

function processor(): Processor<string, string, string, string> {
  return { process() {} }
}

/** The topologies of test/oracle/describe/DescribeOptimizations.java. */
export const describedOptimizations: Record<string, (builder: StreamsBuilder) => void> = {
  'merge-two-aggregates': (builder) => {
    const grouped = stream(builder, 'a').selectKey(byValue).groupByKey(text)
    grouped.count().toStream().to('counts')
    grouped.reduce(second).toStream().to('reduced')
  },

  'merge-of-each-stream': (builder) => {
    const rekeyed = stream(builder, 'a').map(same)
    rekeyed.groupByKey(text).count({ store: 'one' }).toStream().to('counts')
    rekeyed.filter(all).groupByKey(text).count({ store: 'two' }).toStream().to('filtered')
    rekeyed
      .peek(() => {})
      .toTable(text)
      .toStream()
      .to('table')
    rekeyed.filterNot(all).to('plain', text)
  },

  'merge-named': (builder) => {
    const rekeyed = stream(builder, 'a').selectKey(byValue)
    rekeyed
      .groupByKey({ ...text, name: 'first-name' })
      .count()
      .toStream()
      .to('counts')
    rekeyed
      .groupByKey({ ...text, name: 'second-name' })
      .reduce(second)
      .toStream()
      .to('reduced')
  },

  'merge-of-flat-map': (builder) => {
    const rekeyed = stream(builder, 'a').flatMap((record) => [record])
    rekeyed
      .groupByKey(text)
      .windowedBy(TimeWindows.of({ sizeMs: minutes(1) }))
      .count()
      .toStream()
      .to('windowed')
    rekeyed.groupByKey(text).count().toStream().to('counts')
    rekeyed.groupBy(byValue, text).count().toStream().to('regrouped')
  },

  'merge-not-over-values': (builder) => {
    const rekeyed = stream(builder, 'a').selectKey(byValue)
    rekeyed
      .mapValues((value) => `${value}!`)
      .groupByKey(text)
      .count()
      .toStream()
      .to('mapped')
    rekeyed
      .flatMapValues((value) => [value])
      .groupByKey(text)
      .count()
      .toStream()
      .to('flat-mapped')
    rekeyed.groupByKey(text).count().toStream().to('counts')
  },

  'merge-not-over-processors': (builder) => {
    const rekeyed = stream(builder, 'a').selectKey(byValue)
    rekeyed.process(processor).groupByKey(text).count().toStream().to('processed')
    rekeyed.groupByKey(text).count().toStream().to('counts')
  },

  'merge-not-of-explicit': (builder) => {
    const rekeyed = stream(builder, 'a').selectKey(byValue)
    rekeyed.repartition(text).groupByKey().count().toStream().to('explicit')
    rekeyed.groupByKey(text).count().toStream().to('counts')
    rekeyed.groupByKey(text).reduce(second).toStream().to('reduced')
  },

  'merge-with-joins': (builder) => {
    const left = stream(builder, 'left').selectKey(byValue)
    const right = stream(builder, 'right').map(same)
    const rows = table(builder, 'rows')
    left.join(right, first, windows, both).to('joined', text)
    left.leftJoin(rows, first, text).to('enriched', text)
    left.groupByKey(text).count().toStream().to('left-counts')
    right.groupByKey(text).count().toStream().to('right-counts')
  },

  'merge-node-of-changers': (builder) => {
    const one = stream(builder, 'a').selectKey(byValue)
    const two = stream(builder, 'b').map(same)
    const merged = one.merge(two)
    merged.groupByKey(text).count().toStream().to('counts')
    merged.filter(all).groupByKey(text).reduce(second).toStream().to('reduced')
  },

  'merge-node-of-one-changer': (builder) => {
    const merged = stream(builder, 'a').selectKey(byValue).merge(stream(builder, 'b'))
    merged.groupByKey(text).count().toStream().to('counts')
    merged.groupByKey(text).reduce(second).toStream().to('reduced')
  },

  'reuse-of-tables': (builder) => {
    const kept = builder.table('kept', { ...text, store: 'kept-store' })
    const joined = table(builder, 'joined')
    kept
      .filter(all)
      .join(
        joined.mapValues((value) => value),
        first,
      )
      .toStream()
      .to('out', text)
    stream(builder, 'stream').toTable({ store: 'converted' }).toStream().to('converted-out')
    table(builder, 'unread').toStream().to('unread-out')
  },

  'self-join': (builder) => {
    const self = stream(builder, 'a')
    self.join(self, first, windows).to('out', text)
  },

  'self-joins': (builder) => {
    const self = stream(builder, 'a').filter(all)
    self.join(self, first, windows).to('one', text)
    self.leftJoin(self, first, windows, { name: 'named', store: 'kept' }).to('two', text)
    self
      .mapValues((value) => value)
      .join(self, first, windows, both)
      .to('three', text)
  },

  'self-join-repartitioned': (builder) => {
    const self = stream(builder, 'a').selectKey(byValue)
    self.join(self, first, windows, both).to('out', text)
    self.groupByKey(text).count().toStream().to('counts')
  },
}
