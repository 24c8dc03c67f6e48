import type { GroupedStream } from '../../../src/dsl/grouped-stream.ts'
import type { WindowedMaterializedOptions } from '../../../src/dsl/options.ts'
import { BufferConfig, Suppressed } from '../../../src/dsl/suppressed.ts'
import type { Table } from '../../../src/dsl/table.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../../../src/dsl/windows.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { Windowed } from '../../../src/state/store.ts'
import type { StoreMode } from './description.ts'
import { combine, shown, type Value } from './functions.ts'
import { type Building, type Operator, serdeOf } from './operators.ts'

type Grouped = GroupedStream<string, Value, 'known', null>

const grouped = ({ inputs }: Building): Grouped => inputs[0] as Grouped

export function timeWindows(n: number): TimeWindows {
  if (n % 3 === 0) return TimeWindows.of({ sizeMs: 50 })
  return n % 3 === 1
    ? TimeWindows.of({ sizeMs: 60, advanceMs: 20, graceMs: 30 })
    : TimeWindows.of({ sizeMs: 100, advanceMs: 70, graceMs: 1000 })
}

export function slidingWindows(n: number): SlidingWindows {
  return SlidingWindows.of({ timeDifferenceMs: [20, 50, 10][n % 3]!, graceMs: [0, 40, 1000][n % 3]! })
}

export function sessionWindows(n: number): SessionWindows {
  return SessionWindows.of({ inactivityGapMs: [10, 30, 60][n % 3]!, graceMs: [0, 40, 1000][n % 3]! })
}

const strategy = (n: number) => (n > 4 ? 'on-window-close' : 'on-window-update')

export function rows({ step, caching }: Building): WindowedMaterializedOptions<string, Value> | undefined {
  if (step.store === 'none') return undefined
  return {
    key: serdes.string,
    value: serdeOf(step.type),
    ...(step.store !== 'with' && { store: step.storeName }),
    ...(step.store === 'memory' && { inMemory: true }),
    ...(caching && { caching }),
  }
}

/** The changes of a windowed table, under keys of text. */
export function told(table: unknown): unknown {
  return (table as Table<Windowed<string>, Value>).toStream().selectKey(({ key }) => shownWindow(key))
}

/** The same one is in RunTopologies.java. */
export function shownWindow({ key, window: { start, end } }: Windowed<unknown>): string {
  return `${String(key)}@${start}-${end >= Number.MAX_SAFE_INTEGER ? 'end' : end}`
}

/** Not versioned; and what is told when windows close not in memory, where Kafka Streams tells sessions in another order. */
export function neverForWindows(mode: StoreMode, n: number): boolean {
  return mode === 'versioned' || (mode === 'memory' && n > 4)
}

function windowOperator(
  type: Operator['type'],
  store: NonNullable<Operator['store']>,
  build: (building: Building) => unknown,
): Operator {
  return {
    takes: ['grouped'],
    gives: 'stream',
    store,
    never: neverForWindows,
    ...(type !== undefined && { type }),
    build: (building) => told(build(building)),
  }
}

const number = (): 'number' => 'number'
const same: NonNullable<Operator['type']> = (inputs) => inputs[0]!.type
const counts = (b: Building) => rows(b) as WindowedMaterializedOptions<string, number> | undefined
const reducer =
  ({ step }: Building) =>
  (aggregate: Value, value: Value): Value =>
    combine(step.n, aggregate, value ?? (typeof aggregate === 'number' ? 1 : null))
const aggregates = (b: Building) => ({
  initializer: () => `i${b.step.n}` as Value,
  aggregator: (aggregate: Value, value: Value): Value => combine(b.step.n, aggregate, shown(value)),
  ...rows(b),
  value: serdeOf('text'),
})

const untilClosed = Suppressed.untilWindowCloses(BufferConfig.unbounded())

const windowed = {
  window: (b: Building) => grouped(b).windowedBy(timeWindows(b.step.n)).emitStrategy(strategy(b.step.n)),
  unlimited: (b: Building) => grouped(b).windowedBy(UnlimitedWindows.of({ startMs: b.step.n * 10 })),
  sliding: (b: Building) => grouped(b).windowedBy(slidingWindows(b.step.n)).emitStrategy(strategy(b.step.n)),
  session: (b: Building) => grouped(b).windowedBy(sessionWindows(b.step.n)).emitStrategy(strategy(b.step.n)),
}

/** Windowed aggregates, as streams of their changes. */
export const windowOperators: Readonly<Record<string, Operator>> = {
  windowCount: windowOperator(number, 'aggregate', (b) => windowed.window(b).count(counts(b))),
  windowReduce: windowOperator(same, 'aggregate', (b) => windowed.window(b).reduce(reducer(b), rows(b))),
  windowAggregate: windowOperator(undefined, 'aggregate with serdes', (b) =>
    windowed.window(b).aggregate<Value, Value>(aggregates(b)),
  ),
  unlimitedCount: windowOperator(number, 'aggregate', (b) => windowed.unlimited(b).count(counts(b))),
  unlimitedReduce: windowOperator(same, 'aggregate', (b) =>
    windowed.unlimited(b).reduce(reducer(b), rows(b)),
  ),
  unlimitedAggregate: windowOperator(undefined, 'aggregate with serdes', (b) =>
    windowed.unlimited(b).aggregate<Value, Value>(aggregates(b)),
  ),
  windowSuppress: windowOperator(number, 'aggregate', (b) =>
    windowed.window(b).count(counts(b)).suppress(untilClosed),
  ),
  slidingSuppress: windowOperator(undefined, 'aggregate with serdes', (b) =>
    windowed.sliding(b).aggregate<Value, Value>(aggregates(b)).suppress(untilClosed),
  ),
  sessionSuppress: windowOperator(number, 'aggregate', (b) =>
    windowed.session(b).count(counts(b)).suppress(untilClosed),
  ),
  slidingCount: windowOperator(number, 'aggregate', (b) => windowed.sliding(b).count(counts(b))),
  slidingReduce: windowOperator(same, 'aggregate', (b) => windowed.sliding(b).reduce(reducer(b), rows(b))),
  slidingAggregate: windowOperator(undefined, 'aggregate with serdes', (b) =>
    windowed.sliding(b).aggregate<Value, Value>(aggregates(b)),
  ),
  sessionCount: windowOperator(number, 'aggregate', (b) => windowed.session(b).count(counts(b))),
  sessionReduce: windowOperator(same, 'aggregate', (b) => windowed.session(b).reduce(reducer(b), rows(b))),
  sessionAggregate: windowOperator(undefined, 'aggregate with serdes', (b) =>
    windowed.session(b).aggregate<Value, Value>({
      ...aggregates(b),
      merger: (one, other) => combine(b.step.n, one, shown(other)),
    }),
  ),
}
