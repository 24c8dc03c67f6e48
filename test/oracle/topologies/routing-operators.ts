import type { MaterializedOptions } from '../../../src/dsl/options.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { keeps, newKey, newValue, type Value } from './functions.ts'
import { type Building, type Operator, rows, serdeOf } from './operators.ts'

type Text = string | null
type AnyStream = Stream<Text, Value>

const stream = ({ inputs }: Building): AnyStream => inputs[0] as AnyStream

/** The topics that toChosen writes to. */
const CHOSEN_TOPICS = ['chosen-0', 'chosen-1', 'chosen-2']

/** Three branches, which come together again: the first ones with other values. */
function split(b: Building): unknown {
  const { n } = b.step
  const branches = stream(b)
    .split({ name: `split-${b.step.storeName}` })
    .branch(({ key, value }) => keeps(n, key, value))
    .branch(({ key, value }) => keeps(n + 1, key, value), { name: 'second' })
  const { 1: first, second, 0: rest } = n > 4 ? branches.noDefaultBranch() : branches.defaultBranch()
  const both = first!
    .mapValues((value) => newValue(n, value))
    .merge(second.mapValues((value) => newValue(n, value)))
  return rest === undefined ? both : both.merge(rest.mapValues((value) => newValue(n + 1, value)))
}

/** Where records go: branches, topics that they choose, a table. */
export const routingOperators: Readonly<Record<string, Operator>> = {
  split: { takes: ['stream'], gives: 'stream', build: split },
  toChosen: {
    takes: ['stream'],
    gives: null,
    build: (b) =>
      stream(b).to(({ key, value }) => `chosen-${(newKey(b.step.n, key, value) ?? 'k2').charCodeAt(1) % 3}`, {
        key: serdes.string,
        value: serdeOf(b.types[0]!),
        topics: CHOSEN_TOPICS,
      } as never),
  },
  toTable: {
    takes: ['stream'],
    gives: 'table',
    type: (inputs) => inputs[0]!.type,
    store: 'aggregate with serdes',
    build: (b) => stream(b).toTable(rows(b) as MaterializedOptions<string, string | number> as never),
  },
}
