import type { SerdeState } from '../../../src/dsl/serde-state.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../src/dsl/table.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { Collect, OperatorTopology } from '../process/operators/operator-topology.ts'

type Text = string | null

const nullable = serdes.string as Serde<Text>
const text = { key: nullable, value: nullable }
const strings = { key: serdes.string, value: serdes.string }

function show(
  out: Collect,
  table: Table<string, string, SerdeState, null> | Table<string, string, SerdeState, never>,
  label: string,
): void {
  out(table.toStream().mapValues((value: Text) => `${label} ${value}`))
}

function versions(builder: StreamsBuilder, topic: string, historyRetentionMs: number): Table<string, string> {
  return builder.table(topic, { ...text, store: `${topic}-rows`, historyRetentionMs })
}

/** One of k0, k1, k2 and none. */
function foreignKey(value: string): string | null {
  const digit = Number(value.at(-1))
  return digit % 4 === 3 ? null : `k${digit % 4}`
}

/** The topologies of test/oracle/topics/ForeignKeyTopologies.java. */
export const foreignKeyTopologies: Record<string, OperatorTopology> = {
  'foreign-key-inner': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    const joined = left.join(right, (l, r) => (r === 'v7' ? null : `${l}+${r}`), { foreignKey })
    show(out, joined, 'inner')
  },

  'foreign-key-left': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    show(
      out,
      left.leftJoin(right, (l, r) => `${l}?${r}`, { foreignKey }),
      'left',
    )
  },

  'foreign-key-stored': (builder, out, rows) => {
    const stored = { ...rows, value: serdes.string }
    const left = builder.table('a', { ...text, ...rows, store: 'left' })
    const right = builder
      .table('b', { ...text, ...rows })
      .mapValues((value) => `m${value}`, { ...stored, store: 'right' })
    const inner = left.join(right, (l, r) => `${l}+${r}`, {
      ...stored,
      foreignKey,
      name: 'named',
      store: 'joined',
    })
    show(out, inner, 'inner')
    const small = inner.filter((value) => value < 'v5')
    show(out, small, 'small')
    const leftJoined = left.leftJoin(right, (l, r) => `${l}?${r}`, {
      ...stored,
      foreignKey: (value, key) => (key === 'k1' ? null : foreignKey(value)),
      store: 'left-joined',
    })
    const filtered = leftJoined.filter((value) => !value.includes('v1'), { ...rows, store: 'filtered' })
    show(out, filtered, 'left')
  },

  'foreign-key-computed': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const some = left.filter((value) => value < 'v7')
    const right = builder
      .stream('b', text)
      .groupByKey()
      .reduce((aggregate, value) => (aggregate.length > 6 ? null : aggregate + value), rows)
    // Its rows are read below: Kafka Streams has the default serde for them.
    const joined = some.join(right, (l, r) => `${l}+${r}`, { ...rows, foreignKey, value: serdes.string })
    const again = joined.leftJoin(left, (l, r) => `${l} of ${r}`)
    show(out, again, 'again')
    out(left.toStream().join(joined, (l, r) => `${l}/${r}`))
  },

  'foreign-key-self': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows })
    const inner = table.join(table, (l, r) => `${l}=${r}`, { foreignKey })
    show(out, inner, 'self')
    const left = table.leftJoin(table, (l, r) => `${l}-${r}`, { foreignKey })
    show(out, left, 'self left')
  },

  'foreign-key-chained': (builder, out, rows) => {
    const table = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    const first = table.join(right, (l, r) => l + r, { ...rows, ...strings, foreignKey })
    const second = first.leftJoin(table, (l, r) => `${l},${r}`, { foreignKey })
    show(out, second, 'second')
  },

  'foreign-key-versioned': (builder, out) => {
    const left = versions(builder, 'a', 100)
    const right = versions(builder, 'b', 80)
    show(
      out,
      left.join(right, (l, r) => `${l}+${r}`, { foreignKey }),
      'inner',
    )
    show(
      out,
      left.leftJoin(right, (l, r) => `${l}?${r}`, { foreignKey }),
      'left',
    )
  },

  'foreign-key-partitioned': (builder, out, rows) => {
    const left = builder.table('a', { ...text, ...rows })
    const right = builder.table('b', { ...text, ...rows })
    const joined = left.join(right, (l, r) => `${l}+${r}`, {
      foreignKey,
      partitioner: () => [0],
      otherPartitioner: () => null,
    })
    show(out, joined, 'inner')
  },
}
