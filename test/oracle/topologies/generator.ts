import fc from 'fast-check'

import {
  type Description,
  historyMs,
  type InputRecord,
  type Kind,
  type Shape,
  type Step,
  type StoreMode,
} from './description.ts'
import { operators } from './operators.ts'

/** A step before it is known what it can be applied to. */
interface Wish {
  readonly op: string
  readonly on: readonly [number, number]
  readonly n: number
  readonly store: StoreMode
}

const STREAM_TOPICS = ['a', 'b']
const TABLE_TOPICS = ['c', 'd']
const GLOBAL_TOPICS = ['e', 'f']
const STEPS_MAX = 14
const EVENTS_MAX = 40

/** Operators with state more often: they can only follow others. */
const operatorNames = Object.entries(operators).flatMap(([name, { takes, store }]) => {
  if (name === 'to') return []
  const hasState = store !== undefined || takes.includes('table') || takes.includes('grouped')
  // Few tables have the history that they need.
  if (name.startsWith('grace')) return Array<string>(8).fill(name)
  return Array<string>(hasState ? 3 : 1).fill(name)
})

/** Which of the fitting steps, counted from the last: mostly a recent one, so that chains get long. */
const back = fc.oneof({ weight: 2, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(20) })

const wish: fc.Arbitrary<Wish> = fc.record({
  op: fc.constantFrom(...operatorNames),
  on: fc.tuple(back, back),
  n: fc.nat(6),
  store: fc.constantFrom<StoreMode>('none', 'with', 'as', 'memory', 'versioned'),
})

const maybe = (what: fc.Arbitrary<string>): fc.Arbitrary<string | null> =>
  fc.option(what, { freq: 7, nil: null })

/** A record whose topic is one of those that the topology reads, by a number. */
type LooseEvent = { readonly advanceMs: number } | (Omit<InputRecord, 'topic'> & { readonly topic: number })

const record: fc.Arbitrary<LooseEvent> = fc.record({
  topic: fc.nat(11),
  key: maybe(fc.nat(3).map((number) => `k${number}`)),
  value: maybe(fc.nat(9).map((number) => `v${number}`)),
  // Few of them, so that some are equal and many are out of order.
  timestamp: fc.nat(30).map((number) => number * 10),
  headers: fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.tuple(fc.constantFrom('h', 'i'), maybe(fc.constantFrom('x', ''))), {
        maxLength: 2,
      }),
    },
  ),
})

const event: fc.Arbitrary<LooseEvent> = fc.oneof(
  { weight: 12, arbitrary: record },
  { weight: 1, arbitrary: fc.record({ advanceMs: fc.nat(1_000) }) },
)

/** Topologies of Weir's operators, with records for their topics. They get smaller by having fewer steps and fewer records. */
export const descriptions: fc.Arbitrary<Description> = fc
  .record({
    caching: fc.boolean(),
    optimized: fc.boolean(),
    wishes: fc.noBias(fc.array(wish, { minLength: 1, maxLength: STEPS_MAX, size: 'max' })),
    events: fc.noBias(fc.array(event, { minLength: 1, maxLength: EVENTS_MAX, size: 'max' })),
  })
  .map(({ caching, optimized, wishes, events }) => ({ ...describe(caching, wishes, events), optimized }))

function describe(
  caching: boolean,
  wishes: readonly Wish[],
  events: readonly LooseEvent[],
): Omit<Description, 'optimized'> {
  const steps: Step[] = []
  const shapes: (Shape | null)[] = []
  const used = new Set<number>()
  const topicsOf: Record<string, string[]> = { table: [...TABLE_TOPICS], globalTable: [...GLOBAL_TOPICS] }
  const add = (op: string, inputs: readonly number[], details: Partial<Step> = {}): void => {
    const { gives, type = () => 'text' as const, store, never = () => false } = operators[op]!
    const shapesIn = inputs.map((index) => shapes[index]!)
    const resultType = type(shapesIn)
    for (const index of inputs) used.add(index)
    let mode: StoreMode = store === undefined ? 'none' : (details.store ?? 'none')
    // A store without options would have no cache here and one in Java; an aggregate's default serde is not its own.
    if (mode === 'none' && (store === 'aggregate with serdes' || (store === 'aggregate' && caching)))
      mode = 'with'
    const { n = 0 } = details
    if (never(mode, n)) mode = 'as'
    const storeName = `store-${steps.length}`
    steps.push({ op, in: inputs, topic: '', ...details, n, type: resultType, store: mode, storeName })
    shapes.push(gives === null ? null : { kind: gives, type: resultType, ...rowsOf(op, shapesIn, mode, n) })
  }
  const find = (kind: Kind, on: number): number | undefined => {
    const fitting = shapes.flatMap((shape, index) => (shape?.kind === kind ? [index] : []))
    return fitting.at(-1 - (on % Math.max(1, fitting.length)))
  }
  // There is always a stream.
  const make = (kind: Kind, on: number, n: number, store: StoreMode): number => {
    const source = kind === 'global' ? 'globalTable' : 'table'
    const topic = kind === 'grouped' ? undefined : topicsOf[source]!.shift()
    if (topic !== undefined) add(source, [], { topic, n, store })
    else if (kind === 'table') add('toTable', [find('stream', on)!], { n })
    else add(n % 2 === 0 ? 'groupByKey' : 'groupBy', [find('stream', on)!], { n })
    return steps.length - 1
  }
  add('stream', [], { topic: STREAM_TOPICS[0]! })
  for (const { op, on, n, store } of wishes) {
    if (op === 'stream') {
      add(op, [], { topic: STREAM_TOPICS[n % STREAM_TOPICS.length]! })
    } else if (op in topicsOf) {
      const topic = topicsOf[op]!.shift()
      if (topic !== undefined) add(op, [], { topic, n, store })
    } else {
      const { takes, accepts = () => true } = operators[op]!
      const inputs = takes.map(
        (kind, position) => find(kind, on[position]!) ?? make(kind, on[position]!, n, store),
      )
      if (
        accepts(
          inputs.map((index) => shapes[index]!),
          n,
        )
      )
        add(op, inputs, { n, store })
    }
  }
  // Every end is written to a topic.
  for (const [index, shape] of [...shapes.entries()]) {
    if (used.has(index) || shape === null || shape.kind === 'grouped' || shape.kind === 'global') continue
    let end = index
    if (shape.kind === 'table') {
      add('toStream', [end])
      end = steps.length - 1
    }
    add('to', [end], { topic: `out-${index}` })
  }
  const topics = [...new Set(steps.filter((step) => step.in.length === 0).map((step) => step.topic))]
  const piped = events.map((one) =>
    'advanceMs' in one ? one : { ...one, topic: topics[one.topic % topics.length]! },
  )
  return { caching, startMs: 1_000_000, steps, events: piped }
}

/** What is known of a table's rows. */
function rowsOf(
  op: string,
  inputs: readonly Shape[],
  mode: StoreMode,
  n: number,
): Pick<Shape, 'hasSerde' | 'historyMs'> {
  if (mode === 'versioned') return { hasSerde: true, historyMs: historyMs(n) }
  const { withoutStore } = operators[op]!
  if (mode !== 'none' || withoutStore === undefined) return { hasSerde: true, historyMs: undefined }
  const { hasSerde, historyMs: above } = inputs[0]!
  return {
    hasSerde: withoutStore === 'same' && hasSerde,
    historyMs: withoutStore === 'joined' ? undefined : above,
  }
}
