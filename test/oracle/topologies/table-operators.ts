import type { GroupedTable } from '../../../src/dsl/grouped-table.ts'
import type { MaterializedOptions } from '../../../src/dsl/options.ts'
import { BufferConfig, Suppressed } from '../../../src/dsl/suppressed.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { combine, newKey, shown, type Value } from './functions.ts'
import { type Building, type Operator, rows, serdeOf } from './operators.ts'

function grouped({ inputs, types, step }: Building): GroupedTable<string, NonNullable<Value>> {
  const { n, storeName } = step
  return (inputs[0] as Table<string, NonNullable<Value>>).groupBy(
    (value, key) => ({
      key: newKey(n, n % 2 === 0 ? key : '', value),
      value: n === 3 && shown(value).endsWith('2') ? null : value,
    }),
    {
      key: serdes.string,
      value: serdeOf(types[0]!) as never,
      ...(n > 4 && { name: `group-${storeName}` }),
    },
  )
}

const same: NonNullable<Operator['type']> = (inputs) => inputs[0]!.type

/** Takes a value out of an aggregate: the same one is in RunTopologies.java. */
function taken(n: number, aggregate: Value, value: Value): Value {
  return typeof aggregate === 'number'
    ? aggregate - (value as number)
    : combine(n + 1, aggregate, `-${value}`)
}

/** The same ones are in RunTopologies.java. */
function held(n: number): Suppressed<unknown> {
  switch (n % 4) {
    case 0:
      return Suppressed.untilTimeLimit(30, BufferConfig.unbounded())
    case 1:
      return Suppressed.untilTimeLimit(200, BufferConfig.maxRecords(2))
    case 2:
      return Suppressed.untilTimeLimit(200, BufferConfig.maxBytes(120))
    default:
      return Suppressed.untilTimeLimit(100, BufferConfig.maxRecords(3).withMaxBytes(300))
  }
}

/** Tables by another key, and tables that hold changes back. */
export const tableOperators: Readonly<Record<string, Operator>> = {
  countRows: {
    takes: ['table'],
    gives: 'table',
    type: () => 'number',
    store: 'aggregate',
    build: (b) => grouped(b).count(rows(b) as MaterializedOptions<string, number> | undefined),
  },
  reduceRows: {
    takes: ['table'],
    gives: 'table',
    type: same,
    store: 'aggregate',
    build: (b) =>
      grouped(b).reduce<never>(
        (aggregate, value) => combine(b.step.n, aggregate, value) as never,
        (aggregate, value) => taken(b.step.n, aggregate, value) as never,
        rows(b) as MaterializedOptions<string, NonNullable<Value>> | undefined,
      ),
  },
  aggregateRows: {
    takes: ['table'],
    gives: 'table',
    store: 'aggregate with serdes',
    build: (b) => {
      const groups = grouped(b)
      // Both through one topic when it has a name.
      if (b.step.n % 3 === 2) groups.count()
      return groups.aggregate<Value, Value>({
        initializer: () => `i${b.step.n}`,
        adder: (aggregate, value) => combine(b.step.n, aggregate, shown(value)),
        subtractor: (aggregate, value) => taken(b.step.n, aggregate, shown(value)),
        value: serdeOf('text'),
        ...rows(b),
        ...(b.step.n === 6 && { name: `named-${b.step.storeName}` }),
      })
    },
  },
  suppress: {
    takes: ['table'],
    gives: 'table',
    accepts: ([table]) => table!.historyMs === undefined,
    type: same,
    build: ({ inputs, types, step: { n, storeName } }) =>
      (inputs[0] as Table<string, NonNullable<Value>>).suppress(held(n), {
        key: serdes.string,
        value: serdeOf(types[0]!) as never,
        ...(n > 4 && { name: `hold-${storeName}` }),
      }),
  },
}
