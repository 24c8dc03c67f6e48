import { minutes } from '../../../src/dsl/durations.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { BufferConfig, Suppressed } from '../../../src/dsl/suppressed.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows } from '../../../src/dsl/windows.ts'
import { serdes } from '../../../src/serde/serdes.ts'

const text = { key: serdes.string, value: serdes.string }
const first = (left: unknown): string => String(left)
const all = (): boolean => true
const fresh = { initializer: () => '', value: serdes.string }
const swapped = (value: string, key: string) => ({ key: value, value: key })

function stream(builder: StreamsBuilder, topic: string): Stream<string, string> {
  return builder.stream(topic, text)
}

function table(builder: StreamsBuilder, topic: string): Table<string, string> {
  return builder.table(topic, text)
}

/** The topologies of test/oracle/describe/DescribeAggregates.java. */
export const describedAggregates: Record<string, (builder: StreamsBuilder) => void> = {
  'table-groups': (builder) => {
    const groups = table(builder, 'rows').groupBy(swapped, text)
    groups.count().toStream().to('counts')
    groups.reduce(first, first, { store: 'reduced' }).filter(all).toStream().to('reduced-out')
    groups
      .aggregate({
        initializer: () => '',
        adder: first,
        subtractor: first,
        value: serdes.string,
        name: 'named',
      })
      .toStream()
      .to('aggregated')
    stream(builder, 'a').mapValues(first).to('b', text)
  },

  'table-groups-named': (builder) => {
    const groups = stream(builder, 'a')
      .groupByKey()
      .reduce(first)
      .filter(all)
      .groupBy(swapped, { ...text, name: 'shared' })
    const counts = groups.count({ name: 'counter', store: 'counts' })
    const reduced = groups.reduce(first, first)
    table(builder, 'rows')
      .groupBy(swapped, text)
      .reduce(first, first, { name: 'reducer', store: 'kept' })
      .join(counts, first)
      .toStream()
      .to('joined', text)
    reduced.toStream().to('reduced')
  },

  suppressed: (builder) => {
    const rows = table(builder, 'rows')
    rows.suppress(Suppressed.untilTimeLimit(1, BufferConfig.unbounded())).toStream().to('one')
    const named = rows
      .filter(all)
      .suppress(Suppressed.untilTimeLimit(1, BufferConfig.maxRecords(1)), { name: 'hold' })
    named.mapValues(first).toStream().to('two', text)
    stream(builder, 'a').join(named, first).to('three', text)
    stream(builder, 'a')
      .groupByKey()
      .windowedBy(TimeWindows.of({ sizeMs: minutes(1) }))
      .count()
      .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
      .toStream()
      .selectKey(({ key }) => key.key)
      .to('four', { key: serdes.string })
    named.groupBy(swapped, text).count().toStream().to('five')
  },

  cogroup: (builder) => {
    const cogrouped = stream(builder, 'a')
      .groupByKey()
      .cogroup<string>(first)
      .cogroup(stream(builder, 'b').groupByKey(), first)
    cogrouped.aggregate(fresh).filter(all).toStream().to('one')
    cogrouped
      .aggregate({ ...fresh, name: 'named', store: 'kept' })
      .toStream()
      .to('two')
    cogrouped
      .windowedBy(TimeWindows.of({ sizeMs: minutes(1) }))
      .aggregate(fresh)
      .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
      .toStream()
      .selectKey(({ key }) => key.key)
      .to('three', text)
    cogrouped
      .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(1) }))
      .aggregate({ ...fresh, merger: first })
      .toStream()
      .selectKey(({ key }) => key.key)
      .to('four', text)
  },

  'cogroup-repartitioned': (builder) => {
    const one = stream(builder, 'a').groupBy(({ value }) => value, text)
    const other = stream(builder, 'b').groupBy(({ value }) => value, { ...text, name: 'shared' })
    const cogrouped = one
      .cogroup<string>(first)
      .cogroup(other, first)
      .cogroup(stream(builder, 'c').groupByKey(), first)
    cogrouped.aggregate(fresh).toStream().to('one')
    cogrouped
      .windowedBy(SlidingWindows.of({ timeDifferenceMs: minutes(1) }))
      .aggregate({ ...fresh, name: 'named' })
      .toStream()
      .selectKey(({ key }) => key.key)
      .to('two', text)
  },
}
