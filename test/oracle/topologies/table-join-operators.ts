import type { GlobalTable } from '../../../src/dsl/global-table.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { Table } from '../../../src/dsl/table.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { Shape } from './description.ts'
import { joined, newKey, type Value } from './functions.ts'
import { type Building, keptAs, type Operator, rows, serdeOf } from './operators.ts'

type Text = string | null
type AnyStream = Stream<Text, Value>
type AnyTable = Table<string, string | number>
type AnyGlobalTable = GlobalTable<string, string | number>
interface Row {
  readonly key: Text
  readonly value: Value
}

const key = serdes.string as Serde<Text>

function selected(n: number, { key, value }: Row): Text {
  return newKey(n, n % 2 === 0 ? key : '', value)
}

const joiner =
  ({ step: { n } }: Building) =>
  (left: Value, right: Value, at: Text): Text =>
    joined(n, left, right, at)

function foreignKeyJoin(method: 'join' | 'leftJoin'): Operator {
  return {
    takes: ['table', 'table'],
    gives: 'table',
    store: 'may',
    accepts: (inputs) => inputs.every(({ hasSerde }) => hasSerde),
    build: (b) => {
      const [left, right] = b.inputs as [AnyTable, AnyTable]
      const { n, storeName } = b.step
      const options = {
        // Where the rows are read below Kafka Streams has a store nevertheless, with its default serde and a cache.
        ...(rows(b) ?? { value: serdes.string, ...(b.caching && { caching: true }) }),
        foreignKey: (value: string | number, rowKey: string) => selected(n, { key: rowKey, value }),
        ...(n > 4 && { name: `foreign-${storeName}` }),
      }
      const join = (l: Value, r: Value): Text => joined(n, l, r, 'f')
      return method === 'join'
        ? left.join(right, join as never, options as never)
        : left.leftJoin(right, join as never, options as never)
    },
  }
}

/** As in TableJoinOperators.java. */
const graceMs = (n: number): number => [0, 20, 80][n % 3]!

function graceJoin(method: 'join' | 'leftJoin'): Operator {
  return {
    takes: ['stream', 'table'],
    gives: 'stream',
    accepts: ([, table]: readonly Shape[], n) => (table!.historyMs ?? -1) >= graceMs(n),
    build: (b) => {
      const [stream, table] = b.inputs as [AnyStream, AnyTable]
      const { n, storeName } = b.step
      const options = {
        key,
        value: serdeOf(b.types[0]!),
        graceMs: graceMs(n),
        ...(n > 4 && { name: `grace-${storeName}` }),
      }
      return method === 'join'
        ? stream.join(table, joiner(b), options)
        : // Kafka Streams fails for a record without a key.
          stream.filter((record) => record.key !== null).leftJoin(table, joiner(b), options)
    },
  }
}

function globalJoin(method: 'join' | 'leftJoin'): Operator {
  return {
    takes: ['stream', 'global'],
    gives: 'stream',
    build: (b) => {
      const [stream, table] = b.inputs as [AnyStream, AnyGlobalTable]
      const keySelector = (record: Row) => selected(b.step.n, record)
      return method === 'join'
        ? stream.join(table, joiner(b), { keySelector })
        : stream.leftJoin(table, joiner(b), { keySelector })
    },
  }
}

/** Joins by foreign key, to versioned tables with a grace, and to global tables. */
export const tableJoinOperators: Readonly<Record<string, Operator>> = {
  foreignKeyJoin: foreignKeyJoin('join'),
  foreignKeyLeftJoin: foreignKeyJoin('leftJoin'),
  graceJoin: graceJoin('join'),
  graceLeftJoin: graceJoin('leftJoin'),
  globalTable: {
    takes: [],
    gives: 'global',
    store: 'may',
    build: ({ builder, step }) =>
      builder.globalTable(step.topic, { key, value: serdeOf(step.type), ...keptAs(step) }),
    never: (mode) => mode === 'versioned',
  },
  globalJoin: globalJoin('join'),
  globalLeftJoin: globalJoin('leftJoin'),
}
