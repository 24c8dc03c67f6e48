import type { CogroupedStream } from '../../../src/dsl/cogrouped-stream.ts'
import type { GroupedStream } from '../../../src/dsl/grouped-stream.ts'
import { combine, shown, type Value } from './functions.ts'
import { type Building, type Operator, serdeOf, rows as tableRows } from './operators.ts'
import {
  neverForWindows,
  rows,
  sessionWindows,
  slidingWindows,
  timeWindows,
  told,
} from './window-operators.ts'

type Grouped = GroupedStream<string, Value, 'known', null>

function cogrouped({ inputs, step }: Building): CogroupedStream<string, Value> {
  const [one, other] = inputs as [Grouped, Grouped]
  return one
    .cogroup<Value>((aggregate, value) => combine(step.n, aggregate, shown(value)))
    .cogroup(other, (aggregate, value) => combine(step.n + 1, aggregate, `${shown(value)}.`))
}

const from = (b: Building, kept: typeof tableRows | typeof rows = rows) => ({
  initializer: () => `i${b.step.n}` as Value,
  ...kept(b),
  value: serdeOf('text'),
  ...(b.step.n === 4 && { name: `cogroup-${b.step.storeName}` }),
})

function operator(gives: 'table' | 'stream', build: Operator['build']): Operator {
  const never = gives === 'stream' ? { never: neverForWindows } : {}
  return { takes: ['grouped', 'grouped'], gives, store: 'aggregate with serdes', ...never, build }
}

/** Two streams in one table. */
export const cogroupOperators: Readonly<Record<string, Operator>> = {
  cogroup: operator('table', (b) => cogrouped(b).aggregate(from(b, tableRows) as never)),
  windowCogroup: operator('stream', (b) =>
    told(cogrouped(b).windowedBy(timeWindows(b.step.n)).aggregate(from(b))),
  ),
  slidingCogroup: operator('stream', (b) =>
    told(cogrouped(b).windowedBy(slidingWindows(b.step.n)).aggregate(from(b))),
  ),
  sessionCogroup: operator('stream', (b) =>
    told(
      cogrouped(b)
        .windowedBy(sessionWindows(b.step.n))
        .aggregate({ ...from(b), merger: (one, two) => combine(b.step.n, one, shown(two)) }),
    ),
  ),
}
