import { JoinWindows } from '../../../../src/dsl/join-windows.ts'
import type { SerdeState } from '../../../../src/dsl/serde-state.ts'
import type { Stream } from '../../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../../src/dsl/table.ts'
import { SessionWindows, TimeWindows } from '../../../../src/dsl/windows.ts'
import type { ValueTransformer } from '../../../../src/process/operators/table-transform.ts'
import type { StreamRecord } from '../../../../src/process/record.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { KeyValueStore, Windowed } from '../../../../src/state/store.ts'
import { stores } from '../../../../src/topology/stores.ts'
import { type Collect, type OperatorTopology, type Text, text } from './operator-topology.ts'

function show(
  out: Collect,
  table: Table<string, string, SerdeState, null> | Table<string, string, SerdeState, never>,
  label: string,
): void {
  out(table.toStream().mapValues((value: Text) => `${label} ${value}`))
}

/** Tells how often it was called for a key. */
function counting(): ValueTransformer<string, string, string> {
  let calls: KeyValueStore<string, string>
  return {
    init(context) {
      calls = context.stateStore('calls')
    },
    transform(value, key) {
      const before = calls.get(key)
      calls.put(key, String(Number(before ?? 0) + 1))
      return value === null ? null : value + String(before)
    },
  }
}

function selfJoins(builder: StreamsBuilder, out: Collect, graceMs: number): void {
  const stream = builder.stream('a', text)
  out(stream.join(stream, (l, r) => `${l}=${r}`, windows(8, 5, graceMs)))
  out(stream.outerJoin(stream, (l, r) => `${l}~${r}`, windows(-1, 6, graceMs)))
}

/** The topologies of test/oracle/operators/JoinTopologies.java. */
export const joinTopologies: Record<string, OperatorTopology> = {
  'table-join': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    const join = (l: Text, r: Text): string => `${l}+${r}`
    show(out, left.join(right, join), 'inner')
    show(out, left.leftJoin(right, join), 'left')
    show(out, left.outerJoin(right, join), 'outer')
    show(
      out,
      left.join(left, (l, r) => `${l}=${r}`),
      'self',
    )
  },

  'table-join-unread': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    show(
      out,
      left.join(right, (l, r) => (r === 'v7' ? null : `${l}+${r}`)),
      'inner',
    )
  },

  'table-join-stored': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    const stored = { ...rows, value: serdes.string }
    const inner = left.join(right, (l, r) => (r === 'v7' ? null : `${l}+${r}`), { ...stored, store: 'inner' })
    const outer = left.outerJoin(right, (l, r) => `${l}-${r}`, { ...stored, store: 'outer' })
    show(out, inner, 'inner')
    const small = (value: string): boolean => value < 'v5'
    show(out, inner.filter(small), 'small')
    show(out, outer.filter(small, { ...rows, store: 'small-outer' }), 'small outer')
    out(left.toStream().join(inner, (l, r) => `stream ${l}/${r}`))
  },

  'table-join-computed': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    const some = left.mapValues((value) => (value === 'v3' ? null : `m${value}`))
    const few = right.filter((value) => value < 'v5')
    const joined = some.leftJoin(few, (l, r) => `${l}+${r}`)
    const both = some.outerJoin(few, (l, r) => `${l}|${r}`)
    show(
      out,
      joined.filter((value) => !value.includes('v1')),
      'joined',
    )
    show(
      out,
      both.filter((value) => !value.includes('v2')),
      'both',
    )
    show(
      out,
      joined.join(both, (l, r) => `${l} and ${r}`),
      'nested',
    )
    const stream = left.toStream()
    out(stream.leftJoin(both, (l, r) => `stream ${l}/${r}`))
    out(stream.join(joined, (l, r) => `inner stream ${l}/${r}`))
  },

  'table-join-aggregates': (builder, out, rows) => {
    const left = builder.stream('a', text).groupByKey().count(rows)
    const right = builder
      .stream('b', text)
      .groupByKey()
      .reduce((aggregate, value) => (aggregate.length > 8 ? null : aggregate + value), rows)
    show(
      out,
      left.join(right, (l, r) => `${l}+${r}`),
      'inner',
    )
    show(
      out,
      left.outerJoin(right, (l, r) => `${l}+${r}`).filter((value) => value.length < 8),
      'outer',
    )
  },

  'table-join-windowed': (builder, out, rows) => {
    const times = TimeWindows.of({ sizeMs: 20, graceMs: 30 })
    const sessions = SessionWindows.of({ inactivityGapMs: 3, graceMs: 40 })
    const left = builder.stream('a', text).groupByKey()
    const right = builder.stream('b', text).groupByKey()
    const byWindow = ({ key }: { readonly key: Windowed<string> }): string => `${key.key}@${key.window.start}`
    const outer = left
      .windowedBy(times)
      .count(rows)
      .outerJoin(right.windowedBy(times).count(rows), (l, r) => `${l}+${r}`)
    out(outer.toStream().selectKey(byWindow))
    const joined = left
      .windowedBy(sessions)
      .count(rows)
      .leftJoin(right.windowedBy(sessions).count(rows), (l, r) => `${l}~${r}`)
    out(joined.toStream().selectKey(byWindow))
  },

  'stream-split': (builder, out) => {
    const branches = builder
      .stream('a', text)
      .split({ name: 'split-' })
      .branch((record): record is StreamRecord<Text, null> => record.value === null, { name: 'deleted' })
      .branch(({ value }) => value! < 'v3')
      .branch(({ value }) => value! < 'v5', { name: 'middle' })
      .defaultBranch({ name: 'rest' })
    const { deleted, middle, rest } = branches
    const all = { deleted, 2: branches[2]!, middle, rest }
    for (const name of ['deleted', '2', 'middle', 'rest'] as const)
      out((all[name] as Stream<Text, Text>).mapValues((value) => `${name} ${value}`))
    const { 1: keyed } = builder
      .stream('a', text)
      .split()
      .branch(({ key }) => key !== null)
      .noDefaultBranch()
    out(keyed!)
  },

  'table-transform': (builder, out, rows) => {
    builder.addStateStore(
      stores.keyValue({ name: 'calls', key: serdes.string, value: serdes.string, inMemory: true }),
    )
    const table = builder.table('a', { ...text, ...rows })
    show(out, table.transformValues(counting, { stores: ['calls'] }), 'counted')
    const stored = { ...rows, store: 'stored', value: serdes.string, stores: ['calls'] }
    show(
      out,
      table.transformValues(counting, stored).filter((value) => value.length < 8),
      'stored',
    )
    const plain = table.transformValues(() => ({
      transform: (value: Text, key: string) =>
        value === null ? 'none' : value === 'v7' ? null : `${key}!${value}`,
    }))
    show(
      out,
      plain.filter((value) => !value.includes('v3')),
      'plain',
    )
    const other = builder.table('b', { ...text, ...rows })
    show(
      out,
      other.leftJoin(plain, (l, r) => `${l}+${r}`),
      'joined',
    )
  },

  'to-table': (builder, out, rows) => {
    const table = builder
      .stream('a', text)
      .mapValues((value) => (value === null ? null : `m${value}`))
      .toTable({ ...rows, value: serdes.string })
    show(out, table, 'table')
    show(
      out,
      builder
        .stream('b', text)
        .toTable(rows)
        .leftJoin(table, (l, r) => `${l}+${r}`),
      'joined',
    )
    show(
      out,
      table.filter((value) => value < 'mv5'),
      'small',
    )
  },

  'stream-join-self': (builder, out) => {
    const stream = builder.stream('a', text)
    out(stream.join(stream, (l, r) => `${l}=${r}`, windows(4, 2, 3)))
    const mapped = stream.mapValues((value) => (value === null ? null : `m${value}`))
    out(
      stream.outerJoin(mapped, (l, r) => `${l}~${r}`, windows(-1, 3, 0), {
        otherValue: text.value,
      }),
    )
  },

  'optimized-self-join-0': (builder, out) => selfJoins(builder, out, 0),
  'optimized-self-join-30': (builder, out) => selfJoins(builder, out, 30),

  'stream-join-chained': (builder, out) => {
    const right = builder.stream('b', text)
    const joined = builder.stream('a', text).leftJoin(right, (l, r) => `${l}+${r}`, windows(6, 6, 10))
    const other = right.mapValues((value) => (value === null ? null : `n${value}`))
    out(
      joined.outerJoin(other, (l, r) => `${l}|${r}`, windows(3, 8, 4), {
        value: serdes.string,
        otherValue: text.value,
      }),
    )
  },
}

function windows(beforeMs: number, afterMs: number, graceMs: number): JoinWindows {
  return JoinWindows.of({ beforeMs, afterMs, graceMs })
}

const streamWindows = {
  throttled: windows(10, 10, 5),
  'throttled-at-once': windows(0, 0, 0),
  even: windows(10, 10, 5),
  before: windows(25, 3, 2),
  after: windows(2, 30, 0),
  ahead: windows(-3, 20, 30),
  'same-time': windows(0, 0, 0),
  back: windows(12, -12, 0),
}

for (const [name, times] of Object.entries(streamWindows)) {
  const show = (left: Text, right: Text, key: Text): string => `${key}:${left}+${right}`
  joinTopologies[`stream-join-inner-${name}`] = (builder, out) =>
    out(builder.stream('a', text).join(builder.stream('b', text), show, times))
  joinTopologies[`stream-join-left-${name}`] = (builder, out) =>
    out(builder.stream('a', text).leftJoin(builder.stream('b', text), show, times))
  joinTopologies[`stream-join-outer-${name}`] = (builder, out) =>
    out(builder.stream('a', text).outerJoin(builder.stream('b', text), show, times))
}
