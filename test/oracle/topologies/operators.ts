import type { GroupedStream } from '../../../src/dsl/grouped-stream.ts'
import type { MaterializedOptions } from '../../../src/dsl/options.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Table } from '../../../src/dsl/table.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { cogroupOperators } from './cogroup-operators.ts'
import { historyMs, type Kind, type Shape, type Step, type StoreMode, type ValueType } from './description.ts'
import { combine, joined, keeps, newKey, newValue, several, shown, type Value } from './functions.ts'
import { joinOperators } from './join-operators.ts'
import { addPlainStore, Remembering, RememberingValues, remembered, transformer } from './processors.ts'
import { routingOperators } from './routing-operators.ts'
import { tableJoinOperators } from './table-join-operators.ts'
import { tableOperators } from './table-operators.ts'
import { windowOperators } from './window-operators.ts'

type Text = string | null
type AnyStream = Stream<Text, Value>
type AnyTable = Table<string, Value>
type AnyGrouped = GroupedStream<string, Value>

/** What a step is built from. */
export interface Building {
  readonly builder: StreamsBuilder
  readonly step: Step
  /** What its inputs have given, and the types of their values. */
  readonly inputs: readonly unknown[]
  readonly types: readonly ValueType[]
  readonly caching: boolean
}

/** The same operator is in RunTopologies.java, under the same name. */
export interface Operator {
  readonly takes: readonly Kind[]
  /** null: nothing, it ends a stream. */
  readonly gives: Kind | null
  /** Default: text. */
  readonly type?: (inputs: readonly Shape[]) => ValueType
  /** Whether it may keep its rows in a store, or has to. Default: neither. */
  readonly store?: 'may' | 'aggregate' | 'aggregate with serdes'
  /**
   * What a table without a store has of the table above: serde and history, the history alone as its values are others, or neither. Default: its serde is
   * known, and it has no history.
   */
  readonly withoutStore?: 'same' | 'mapped' | 'joined'
  /** Ways to keep rows that it does not have: they are kept by name then. Default: none. */
  readonly never?: (mode: StoreMode, n: number) => boolean
  /** Default: always. */
  readonly accepts?: (inputs: readonly Shape[], n: number) => boolean
  readonly build: (building: Building) => unknown
}

export function serdeOf(type: ValueType): Serde<Value> {
  return (type === 'number' ? serdes.int64 : serdes.string) as Serde<unknown> as Serde<Value>
}

const key = serdes.string as Serde<Text>
const stream = ({ inputs }: Building, index = 0): AnyStream => inputs[index] as AnyStream
const table = ({ inputs }: Building, index = 0): AnyTable => inputs[index] as AnyTable
const grouped = ({ inputs }: Building): AnyGrouped => inputs[0] as AnyGrouped
/** The serdes of the first input. */
const given = ({ types }: Building): { key: Serde<Text>; value: Serde<Value> } => ({
  key,
  value: serdeOf(types[0]!),
})
const same = (inputs: readonly Shape[]): ValueType => inputs[0]!.type

/** How the rows are kept; undefined where the step says nothing. */
export function rows({ step, caching }: Building): MaterializedOptions<string, Value> | undefined {
  if (step.store === 'none') return undefined
  return {
    key: serdes.string,
    value: serdeOf(step.type),
    ...keptAs(step),
    // A versioned store has no cache.
    ...(caching && step.store !== 'versioned' && { caching }),
  }
}

export function keptAs({ store, storeName, n }: Step): {
  store?: string
  inMemory?: boolean
  historyRetentionMs?: number
} {
  if (store === 'none' || store === 'with') return {}
  return {
    store: storeName,
    ...(store === 'memory' && { inMemory: true }),
    ...(store === 'versioned' && { historyRetentionMs: historyMs(n) }),
  }
}

export const operators: Readonly<Record<string, Operator>> = {
  filter: {
    takes: ['stream'],
    gives: 'stream',
    type: same,
    build: (b) => stream(b).filter((record) => keeps(b.step.n, record.key, record.value)),
  },
  filterNot: {
    takes: ['stream'],
    gives: 'stream',
    type: same,
    build: (b) => stream(b).filterNot((record) => keeps(b.step.n, record.key, record.value)),
  },
  map: {
    takes: ['stream'],
    gives: 'stream',
    build: (b) =>
      stream(b).map((record) => ({
        key: newKey(b.step.n, record.key, record.value),
        value: newValue(b.step.n, record.value),
      })),
  },
  mapValues: {
    takes: ['stream'],
    gives: 'stream',
    build: (b) => stream(b).mapValues((value) => newValue(b.step.n, value)),
  },
  flatMap: {
    takes: ['stream'],
    gives: 'stream',
    build: (b) =>
      stream(b).flatMap((record) =>
        several(b.step.n, record.value).map((value) => ({ key: newKey(b.step.n, record.key, value), value })),
      ),
  },
  flatMapValues: {
    takes: ['stream'],
    gives: 'stream',
    build: (b) => stream(b).flatMapValues((value) => several(b.step.n, value)),
  },
  selectKey: {
    takes: ['stream'],
    gives: 'stream',
    type: same,
    build: (b) => stream(b).selectKey((record) => newKey(b.step.n, record.key, record.value)),
  },
  peek: { takes: ['stream'], gives: 'stream', type: same, build: (b) => stream(b).peek(() => {}) },
  merge: {
    takes: ['stream', 'stream'],
    gives: 'stream',
    type: same,
    accepts: ([left, right]) => left!.type === right!.type,
    build: (b) => stream(b).merge(stream(b, 1)),
  },
  repartition: {
    takes: ['stream'],
    gives: 'stream',
    type: same,
    build: (b) => stream(b).repartition(given(b)),
  },
  groupByKey: {
    takes: ['stream'],
    gives: 'grouped',
    type: same,
    build: (b) => stream(b).groupByKey(given(b)),
  },
  groupBy: {
    takes: ['stream'],
    gives: 'grouped',
    type: same,
    build: (b) => stream(b).groupBy((record) => newKey(b.step.n, record.key, record.value), given(b)),
  },
  count: {
    takes: ['grouped'],
    gives: 'table',
    type: () => 'number',
    store: 'aggregate',
    build: (b) => grouped(b).count(rows(b) as MaterializedOptions<string, number> | undefined),
  },
  reduce: {
    takes: ['grouped'],
    gives: 'table',
    type: same,
    store: 'aggregate',
    build: (b) => grouped(b).reduce((aggregate, value) => combine(b.step.n, aggregate, value), rows(b)),
  },
  aggregate: {
    takes: ['grouped'],
    gives: 'table',
    store: 'aggregate with serdes',
    build: (b) =>
      grouped(b).aggregate<Value, Value>({
        initializer: () => `i${b.step.n}`,
        aggregator: (aggregate, value) => combine(b.step.n, aggregate, shown(value)),
        value: serdeOf('text'),
        ...rows(b),
      }),
  },
  toStream: { takes: ['table'], gives: 'stream', type: same, build: (b) => table(b).toStream() },
  filterTable: {
    takes: ['table'],
    gives: 'table',
    type: same,
    store: 'may',
    withoutStore: 'same',
    build: (b) => table(b).filter((value, rowKey) => keeps(b.step.n, rowKey, value), rows(b)),
  },
  filterNotTable: {
    takes: ['table'],
    gives: 'table',
    type: same,
    store: 'may',
    withoutStore: 'same',
    build: (b) => table(b).filterNot((value, rowKey) => keeps(b.step.n, rowKey, value), rows(b)),
  },
  mapValuesTable: {
    takes: ['table'],
    gives: 'table',
    store: 'may',
    withoutStore: 'mapped',
    build: (b) =>
      table(b).mapValues(
        (value) => newValue(b.step.n, value),
        rows(b) as MaterializedOptions<string, string> & { value: Serde<string> },
      ),
  },
  joinTable: {
    takes: ['stream', 'table'],
    gives: 'stream',
    build: (b) =>
      stream(b).join(table(b, 1), (left, right, at) => joined(b.step.n, left, right, at), given(b)),
  },
  leftJoinTable: {
    takes: ['stream', 'table'],
    gives: 'stream',
    build: (b) =>
      stream(b).leftJoin(table(b, 1), (left, right, at) => joined(b.step.n, left, right, at), given(b)),
  },
  ...windowOperators,
  ...joinOperators,
  ...routingOperators,
  transformValuesTable: {
    takes: ['table'],
    gives: 'table',
    store: 'may',
    withoutStore: 'mapped',
    build: (b) => {
      const kept = rows(b) as MaterializedOptions<string, string> & { value: Serde<string> }
      // Without a store of its own one of a join would be asked for its rows, where Kafka Streams fails.
      const state = kept?.store === undefined ? null : addPlainStore(b, '-seen')
      return table(b).transformValues(transformer(b, state), {
        ...kept,
        ...(state !== null && { stores: [state] }),
      })
    },
  },
  ...tableOperators,
  ...cogroupOperators,
  ...tableJoinOperators,
  process: {
    takes: ['stream'],
    gives: 'stream',
    build: (b) => {
      const name = addPlainStore(b)
      return stream(b).process(() => new Remembering(name, b.step.n), remembered(b, name))
    },
  },
  processValues: {
    takes: ['stream'],
    gives: 'stream',
    build: (b) => {
      const name = addPlainStore(b)
      return stream(b).processValues(() => new RememberingValues(name, b.step.n), remembered(b, name))
    },
  },
  // Where topologies begin and end: placed by the generator.
  stream: {
    takes: [],
    gives: 'stream',
    build: ({ builder, step }) => builder.stream(step.topic, { key, value: serdeOf(step.type) }),
  },
  table: {
    takes: [],
    gives: 'table',
    store: 'may',
    build: (b) =>
      b.builder.table(b.step.topic, {
        key,
        value: serdeOf(b.step.type),
        ...(b.caching && b.step.store !== 'versioned' && { caching: true }),
        ...keptAs(b.step),
      }),
  },
  to: { takes: ['stream'], gives: null, type: same, build: (b) => stream(b).to(b.step.topic, given(b)) },
}
