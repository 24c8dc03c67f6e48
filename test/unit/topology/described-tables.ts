import { minutes } from '../../../src/dsl/durations.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'

const text = { key: serdes.string, value: serdes.string }
const first = (left: unknown): string => String(left)
const same = (value: string): string => value
const all = (): boolean => true
const last = (_one: string, two: string): string => two

function stream(builder: StreamsBuilder, topic: string): Stream<string, string> {
  return builder.stream(topic, text)
}

function table(builder: StreamsBuilder, topic: string): Table<string, string> {
  return builder.table(topic, text)
}

function versioned(store: string) {
  return { ...text, store, historyRetentionMs: minutes(10) }
}

/** The topologies of test/oracle/describe/DescribeTables.java. */
export const describedTables: Record<string, (builder: StreamsBuilder) => void> = {
  'versioned-tables': (builder) => {
    const rows = builder.table('rows', versioned('versions'))
    const graceMs = minutes(1)
    stream(builder, 'a').join(rows, first, { graceMs }).to('one', text)
    stream(builder, 'a')
      .selectKey(({ value }) => value)
      .leftJoin(rows.filter(all), first, { ...text, graceMs, name: 'late' })
      .to('two', text)
    rows.mapValues(same, versioned('mapped')).toStream().to('three')
    stream(builder, 'b')
      .groupByKey()
      .reduce(last, versioned('reduced'))
      .join(rows, first, versioned('joined'))
      .toStream()
      .to('four')
  },

  'foreign-key-joins': (builder) => {
    const left = table(builder, 'left')
    const right = table(builder, 'right')
    const foreignKey = same
    left.join(right, first, { foreignKey }).toStream().to('one', text)
    left
      .leftJoin(right, first, { ...text, foreignKey, store: 'kept' })
      .toStream()
      .to('two')
    left.join(right, first, { foreignKey, name: 'named' }).filter(all).toStream().to('three', text)
    left
      .leftJoin(right.filter(all), first, { ...text, foreignKey, name: 'both', store: 'stored' })
      .toStream()
      .to('four')
  },

  'global-tables': (builder) => {
    stream(builder, 'first').to('zero')
    const rows = builder.globalTable('rows', text)
    const people = builder.globalTable('people', { ...text, name: 'people', store: 'stored' })
    const keySelector = ({ key }: { readonly key: string }): string => key
    stream(builder, 'a')
      .join(rows, first, { keySelector })
      .leftJoin(people, first, { keySelector, name: 'left' })
      .groupByKey()
      .count()
      .toStream()
      .to('one')
    const own = stores.keyValue({ name: 'own', ...text, inMemory: true })
    builder.addGlobalStore(own, 'more', text, () => ({ process() {} }))
    stream(builder, 'b')
      .selectKey(({ value }) => value)
      .join(rows, first, { keySelector })
      .groupByKey(text)
      .count()
      .toStream()
      .to('two')
  },

  'foreign-key-joins-chained': (builder) => {
    const left = table(builder, 'left')
    const foreignKey = same
    const joined = left.join(table(builder, 'right'), first, { ...text, foreignKey })
    const reduced = stream(builder, 'a')
      .selectKey(({ value }) => value)
      .groupByKey(text)
      .reduce(last)
    joined.leftJoin(reduced, first, { foreignKey }).toStream().to('one', text)
    left.join(left, first, { foreignKey }).toStream().to('two', text)
    stream(builder, 'b').join(joined, first).to('three', text)
  },
}
