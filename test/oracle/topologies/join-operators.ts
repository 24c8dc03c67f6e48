import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { MaterializedOptions } from '../../../src/dsl/options.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { Table } from '../../../src/dsl/table.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { joined, type Value } from './functions.ts'
import { type Building, type Operator, rows, serdeOf } from './operators.ts'

type Text = string | null
type AnyStream = Stream<Text, Value>
type AnyTable = Table<string, string | number>
type TextRows = MaterializedOptions<string, string> & { readonly value: Serde<string> }

function windows(n: number): JoinWindows {
  if (n % 3 === 0) return JoinWindows.of({ timeDifferenceMs: 20 })
  return n % 3 === 1
    ? JoinWindows.of({ timeDifferenceMs: 50, graceMs: 40 })
    : JoinWindows.of({ beforeMs: 60, afterMs: 0, graceMs: 1000 })
}

const sides = ({ inputs }: Building) => inputs as [AnyStream, AnyStream]
const tables = ({ inputs }: Building) => inputs as [AnyTable, AnyTable]
const joiner =
  ({ step }: Building) =>
  (left: Value, right: Value, key: Text): Text =>
    joined(step.n, left, right, key)
const rowJoiner =
  ({ step }: Building) =>
  (left: Value, right: Value): Text =>
    joined(step.n, left, right, 't')
/** Named, its stores too, for some parameters; in memory for others. */
const known = ({ step, types }: Building) => ({
  key: serdes.string as Serde<Text>,
  value: serdeOf(types[0]!),
  otherValue: serdeOf(types[1]!),
  ...(step.n % 3 === 2 && { inMemory: true }),
  ...(step.n > 4 && { name: `join-${step.storeName}`, store: step.storeName }),
})

function streams(build: (building: Building) => unknown): Operator {
  return { takes: ['stream', 'stream'], gives: 'stream', build }
}

function ofTables(build: (building: Building) => unknown): Operator {
  return { takes: ['table', 'table'], gives: 'table', store: 'may', withoutStore: 'joined', build }
}

/** Joins of two streams, and of two tables. */
export const joinOperators: Readonly<Record<string, Operator>> = {
  joinStream: streams((b) => sides(b)[0].join(sides(b)[1], joiner(b), windows(b.step.n), known(b))),
  leftJoinStream: streams((b) => sides(b)[0].leftJoin(sides(b)[1], joiner(b), windows(b.step.n), known(b))),
  outerJoinStream: streams((b) => sides(b)[0].outerJoin(sides(b)[1], joiner(b), windows(b.step.n), known(b))),
  joinTables: ofTables((b) => tables(b)[0].join(tables(b)[1], rowJoiner(b), rows(b) as TextRows)),
  leftJoinTables: ofTables((b) => tables(b)[0].leftJoin(tables(b)[1], rowJoiner(b), rows(b) as TextRows)),
  outerJoinTables: ofTables((b) => tables(b)[0].outerJoin(tables(b)[1], rowJoiner(b), rows(b) as TextRows)),
}
