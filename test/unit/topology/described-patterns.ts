import { minutes } from '../../../src/dsl/durations.ts'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { serdes } from '../../../src/serde/serdes.ts'

const text = { key: serdes.string, value: serdes.string }
const first = (left: string): string => left

/** The topologies of test/oracle/describe/DescribePatterns.java. */
export const describedPatterns: Record<string, (builder: StreamsBuilder) => void> = {
  pattern: (builder) =>
    builder
      .stream(/topic-\d/, text)
      .filter(() => true)
      .to('out'),

  'patterns-beside-topics': (builder) => {
    const one = builder.stream(/one-.+/, text)
    const named = builder.stream(['b', 'a'], text)
    const two = builder.stream(/(two|three)\.[a-z]{2,}/, { ...text, offsetReset: 'latest', name: 'later' })
    one.merge(named).merge(two).groupByKey(text).count().toStream()
    builder.stream(/apart.*/, text).to('out')
  },

  'pattern-twice': (builder) => {
    builder.stream(/t.*/, text).to('one')
    builder
      .stream(/t.*/, text)
      .mapValues((value) => value)
      .to('two', text)
    builder.stream(/u.*/, text).to('three')
  },

  'pattern-repartitioned': (builder) => {
    builder
      .stream(/t.*/, text)
      .selectKey(({ value }) => value)
      .groupByKey(text)
      .count()
      .toStream()
  },

  'pattern-joined': (builder) => {
    const windows = JoinWindows.of({ timeDifferenceMs: minutes(1) })
    const stream = builder.stream(/t.*/, text)
    stream.join(builder.table('rows', text), first).to('one', text)
    stream.join(builder.stream(/u.*/, text), first, windows).to('two', text)
  },
}
