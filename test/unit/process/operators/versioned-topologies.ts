import type { SerdeState } from '../../../../src/dsl/serde-state.ts'
import type { Stream } from '../../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../../src/dsl/table.ts'
import type { ValueTransformer } from '../../../../src/process/operators/table-transform.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { type Collect, type OperatorTopology, type Text, text } from './operator-topology.ts'

const strings = { key: serdes.string, value: serdes.string }

function show(
  out: Collect,
  table: Table<string, string, SerdeState, null> | Table<string, string, SerdeState, never>,
  label: string,
): void {
  out(table.toStream().mapValues((value: Text) => `${label} ${value}`))
}

function marking(): ValueTransformer<string, string, string> {
  return {
    transform: (value, key) => (value === null ? 'none' : value === 'v7' ? null : `${key}!${value}`),
  }
}

function versions(builder: StreamsBuilder, topic: string, historyRetentionMs: number): Table<string, string> {
  return builder.table(topic, { ...text, store: `${topic}-rows`, historyRetentionMs })
}

function kept(store: string, historyRetentionMs: number) {
  return { store, historyRetentionMs, ...strings }
}

function keyed(builder: StreamsBuilder): Stream<Text, Text> {
  return builder.stream('a', text).filter(({ key }) => key !== null)
}

const small = (value: string): boolean => value < 'v5'
const stream = (builder: StreamsBuilder): Stream<Text, Text> => builder.stream('a', text)

/** The topologies of test/oracle/operators/VersionedTopologies.java. */
export const versionedTopologies: Record<string, OperatorTopology> = {
  'versioned-table': (builder, out) => {
    const table = versions(builder, 'a', 20)
    show(out, table, 'all')
    show(out, table.filter(small), 'small')
    const mapped = table.mapValues((value) => (value === 'v7' ? null : `m${value}`))
    show(out, mapped, 'mapped')
    show(out, table.transformValues(marking), 'transformed')
    show(out, table.filter(small, { store: 'unversioned' }), 'unversioned')
    show(out, table.filter(small, strings), 'with')
    show(out, table.filter(small, kept('small', 12)), 'kept')
    const stored = table.mapValues((value) => (value === 'v3' ? null : `n${value}`), kept('mapped', 25))
    show(out, stored, 'kept')
    show(out, table.transformValues(marking, kept('transformed', 5)), 'kept')
    const both = table.mapValues((value) => `o${value}`).filterNot((value) => value === 'ov2')
    show(out, both, 'both')
  },

  'versioned-no-history': (builder, out) => {
    const table = versions(builder, 'a', 0)
    show(out, table, 'all')
    show(out, table.filter(small), 'small')
  },

  'versioned-table-join': (builder, out) => {
    const left = versions(builder, 'a', 25)
    const right = versions(builder, 'b', 15)
    const plain = right.filter(() => true, strings)
    const join = (l: Text, r: Text): string => `${l}+${r}`
    show(out, left.join(right, join), 'inner')
    show(out, left.leftJoin(right, join), 'left')
    show(out, left.outerJoin(right, join), 'outer')
    const mapped = right.mapValues((value) => `m${value}`)
    const computed = left.filter(small).outerJoin(mapped, (l, r) => `${l}-${r}`)
    show(out, computed, 'computed')
    const joined = plain.join(left, (l, r) => `${l}=${r}`)
    show(out, joined, 'plain')
    const stored = left.join(right, (l, r) => `${l}|${r}`, kept('joined', 10))
    const without1 = stored.filter((value) => !value.includes('v1'))
    show(out, without1, 'stored')
    out(left.toStream().leftJoin(stored, (l, r) => `${l}/${r}`))
    const both = left.outerJoin(right, (l, r) => `${l}&${r}`)
    const without2 = both.filter((value) => !value.includes('v2'))
    show(out, without2, 'unversioned')
    out(left.toStream().join(both, (l, r) => `${l}~${r}`))
  },

  'versioned-aggregates': (builder, out) => {
    const append = (aggregate: string, value: Text): Text => (aggregate.length > 4 ? null : aggregate + value)
    const a = builder.stream('a', text).groupByKey()
    const counts = a.count({ store: 'counts', historyRetentionMs: 10 })
    const reduced = builder
      .stream('b', text)
      .groupByKey()
      .reduce(append, { store: 'reduced', historyRetentionMs: 8 })
    const aggregated = builder
      .stream('a', text)
      .groupByKey()
      .aggregate({ initializer: () => 'i', aggregator: append, ...kept('aggregated', 18) })
    const counted = counts.mapValues(String)
    show(out, counted, 'count')
    show(out, reduced, 'reduced')
    const short = reduced.filter((value) => value.length < 5)
    show(out, short, 'short')
    show(out, aggregated, 'aggregated')
    const shorter = aggregated.filter((value) => value.length < 4)
    show(out, shorter, 'short')
    const joined = reduced.outerJoin(aggregated, (l, r) => `${l}+${r}`)
    show(out, joined, 'joined')
  },

  'versioned-to-table': (builder, out) => {
    const table = builder
      .stream('a', text)
      .mapValues((value) => (value === null ? null : `m${value}`))
      .toTable(kept('rows', 12))
    const few = table.filter((value) => value < 'mv5')
    show(out, few, 'small')
  },

  'versioned-stream-join': (builder, out) => {
    const table = versions(builder, 'b', 30)
    out(stream(builder).join(table, (l, r) => `${l}+${r}`))
    out(stream(builder).leftJoin(table, (l, r) => `${l}?${r}`))
    const computed = table.filter(small).mapValues((value) => `m${value}`)
    out(stream(builder).leftJoin(computed, (l, r) => `${l}<${r}`))
    out(stream(builder).leftJoin(table.transformValues(marking), (l, r) => `${l}!${r}`))
  },
}

for (const graceMs of [0, 6, 30]) {
  versionedTopologies[`versioned-grace-${graceMs}`] = (builder, out) => {
    const table = versions(builder, 'b', 30)
    out(stream(builder).join(table, (l, r) => `${l}+${r}`, { name: 'named', graceMs }))
    out(keyed(builder).leftJoin(table.filter(small), (l, r, key) => `${key}:${l}?${r}`, { graceMs }))
  }
}
