import { minutes } from '../../../src/dsl/durations.ts'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'

const text = { key: serdes.string, value: serdes.string }
const both = { ...text, otherValue: serdes.string }
const windows = JoinWindows.of({ timeDifferenceMs: minutes(5), graceMs: minutes(1) })
const first = (left: unknown): string => String(left)
const all = (): boolean => true

function stream(builder: StreamsBuilder, topic: string): Stream<string, string> {
  return builder.stream(topic, text)
}

function table(builder: StreamsBuilder, topic: string): Table<string, string> {
  return builder.table(topic, text)
}

/** The topologies of test/oracle/describe/DescribeJoins.java. */
export const describedJoins: Record<string, (builder: StreamsBuilder) => void> = {
  split: (builder) => {
    const branches = stream(builder, 'a').split().branch(all).branch(all, { name: '-named' }).defaultBranch()
    branches[1]!.to('one')
    branches['-named'].mapValues(first).to('two', text)
    branches[0]!.to('rest')
    const { only } = stream(builder, 'b')
      .split({ name: 'parted-' })
      .branch(all, { name: 'only' })
      .noDefaultBranch()
    only.to('only')
  },

  print: (builder) => {
    stream(builder, 'a').print()
    stream(builder, 'a').filter(all).print({ name: 'printer' })
  },

  'topic-chooser': (builder) => {
    const byValue = ({ value }: { readonly value: string }): string => value
    stream(builder, 'a').to(byValue, { topics: ['x', 'y'] })
    stream(builder, 'a').to(byValue, { topics: ['x', 'y'], name: 'named' })
  },

  'transform-values': (builder) => {
    builder.addStateStore(stores.keyValue({ name: 'used', ...text }))
    const rows = table(builder, 'rows')
    const transformer = () => ({ transform: (value: string | null) => value })
    rows
      .transformValues(transformer, { stores: ['used'] })
      .toStream()
      .to('one', text)
    rows
      .transformValues(transformer, { stores: ['used'], store: 'kept', value: serdes.string, name: 'named' })
      .toStream()
      .to('two')
    const joined = stream(builder, 'a')
    joined.join(rows.transformValues(transformer), first).to('three', text)
    rows.transformValues(transformer, text).filter(all).toStream().to('four')
  },

  'to-table': (builder) => {
    stream(builder, 'a').toTable().toStream().to('unread')
    stream(builder, 'b').toTable({ store: 'kept' }).filter(all).toStream().to('kept-out')
    const rekeyed = stream(builder, 'c')
      .selectKey(({ value }) => value)
      .toTable({ ...text, name: 'rekeyed' })
    const other = stream(builder, 'd')
      .map((record) => record)
      .toTable(text)
    rekeyed.join(other, first).toStream().to('joined', text)
  },

  'table-joins': (builder) => {
    const left = table(builder, 'left')
    const right = table(builder, 'right')
    const inner = left.join(right, first)
    left.leftJoin(right, first).toStream().to('left-out', text)
    left.outerJoin(right, first, { store: 'outer', value: serdes.string }).toStream().to('outer-out')
    inner.filter(all).toStream().to('filtered', text)
    stream(builder, 'stream').join(inner, first).to('stream-out', text)
  },

  'table-joins-named': (builder) => {
    const left = table(builder, 'left')
    const right = table(builder, 'right')
    left.join(right, first, { name: 'together' }).toStream().to('one', text)
    left.leftJoin(right, first, text).toStream().to('two')
    left
      .outerJoin(right.mapValues(first), first, { name: 'both', store: 'kept', value: serdes.string })
      .join(left, first)
      .toStream()
      .to('three', text)
    left.join(left, first).toStream().to('four', text)
  },

  'stream-joins': (builder) => {
    const left = stream(builder, 'left')
    const right = stream(builder, 'right')
    left.join(right, first, windows).to('inner', text)
    left.leftJoin(right, first, windows).to('left-out', text)
    left.outerJoin(right, first, windows).to('outer', text)
  },

  'stream-joins-named': (builder) => {
    const left = stream(builder, 'left')
    const right = stream(builder, 'right')
    left.join(right, first, windows, { name: 'met' }).to('one', text)
    left.leftJoin(right, first, windows, { store: 'kept' }).to('two', text)
    left.outerJoin(right, first, windows, { name: 'both', store: 'all' }).to('three', text)
    left.leftJoin(right, first, windows, { name: 'named' }).to('four', text)
    left.mapValues(first).to('five', text)
  },

  'stream-joins-repartitioned': (builder) => {
    const left = stream(builder, 'left').selectKey(({ value }) => value)
    const right = stream(builder, 'right').map((record) => record)
    left.join(right, first, windows, both).to('inner', text)
    left.leftJoin(right, first, windows, both).to('left-out', text)
    left.outerJoin(right, first, windows, { ...both, name: 'named' }).to('outer', text)
    stream(builder, 'third').join(right, first, windows, both).groupByKey().count().toStream().to('counts')
  },

  'stream-join-self': (builder) => {
    const self = stream(builder, 'a')
    self.join(self, first, windows).to('one', text)
    self.outerJoin(stream(builder, 'a'), first, windows).to('two', text)
  },

  'joins-chained': (builder) => {
    const counts = stream(builder, 'counted').groupByKey().count()
    // Steps are numbered in the order in which they are made.
    const left = stream(builder, 'left')
    const met = left.leftJoin(stream(builder, 'right'), first, windows).join(counts, first)
    const outer = met.outerJoin(stream(builder, 'third'), first, windows, text)
    outer.leftJoin(table(builder, 'rows').join(counts, first), first).to('out', text)
  },
}
