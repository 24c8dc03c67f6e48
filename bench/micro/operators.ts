import { Bench } from 'tinybench'

import {
  defineTopology,
  type Processor,
  type ProcessorContext,
  type Stream,
  type StreamRecord,
  type StreamsBuilder,
  serdes,
  stores,
  type TimestampedKeyValueStore,
} from '../../src/index.ts'
import { TaskGraph } from '../../test/support/task-graph.ts'

const RECORDS = 1_000
const KEYS = 100

type Records = Stream<string, number>
type Record = StreamRecord<string, number>
type Context = ProcessorContext<string, number>

let received = 0

/** The end of every topology. */
class Sum implements Processor<string, number, never, never> {
  process({ value }: Record): void {
    received += value
  }
}

/** One step of the Processor API, as its user would write it. */
function step(
  work: (record: Record, context: Context) => void,
): () => Processor<string, number, string, number> {
  return () => ({ process: work })
}

const keep = step((record, context) => {
  if (record.value >= 0) context.forward(record)
})
const increment = step(({ key, value, timestamp, headers }, context) => {
  context.forward({ key, value: value + 1, timestamp, headers })
})

const keepAndIncrement = step(({ key, value, timestamp, headers }, context) => {
  let result = value
  for (let index = 0; index < 4; index++) {
    if (result < 0) return
    result++
  }
  context.forward({ key, value: result, timestamp, headers })
})
const sum = (): Processor<string, number, never, never> => new Sum()

class Counting implements Processor<string, number, string, number> {
  #counts!: TimestampedKeyValueStore<string, number>

  init(context: Context): void {
    this.#counts = context.stateStore('counts')
  }

  process({ key, timestamp, headers }: Record, context: Context): void {
    const before = this.#counts.get(key)
    const value = (before?.value ?? 0) + 1
    const at = Math.max(timestamp, before?.timestamp ?? 0)
    this.#counts.put(key, { value, timestamp: at })
    context.forward({ key, value, timestamp: at, headers })
  }
}

class Joining implements Processor<string, number, string, number> {
  #rows!: TimestampedKeyValueStore<string, number>

  init(context: Context): void {
    this.#rows = context.stateStore('rows')
  }

  process({ key, value, timestamp, headers }: Record, context: Context): void {
    const row = this.#rows.get(key)
    if (row !== null) context.forward({ key, value: value + row.value, timestamp, headers })
  }
}

const options = { key: serdes.string, value: serdes.int32 }
const rowStore = (name: string) => stores.timestampedKeyValue({ name, ...options, logging: false })

/** Adds everything between the source and the end, and the end. */
type Build = (records: Records, builder: StreamsBuilder) => void

/** The same work: by DSL operators, and by processors of the Processor API. */
interface Pair {
  readonly name: string
  /** How many operators the DSL's side has, the end apart. */
  readonly operators: number
  readonly dsl: Build
  readonly processors: Build
}

const isKept = ({ value }: Record): boolean => value >= 0
const next = (value: number): number => value + 1

const stateless: Build = (records) => {
  records
    .filter(isKept)
    .mapValues(next)
    .filter(isKept)
    .mapValues(next)
    .filter(isKept)
    .mapValues(next)
    .filter(isKept)
    .mapValues(next)
    .process(sum)
}

const pairs: readonly Pair[] = [
  {
    name: 'filter and mapValues four times, a processor for each',
    operators: 8,
    dsl: stateless,
    processors: (records) => {
      records
        .process(keep)
        .process(increment)
        .process(keep)
        .process(increment)
        .process(keep)
        .process(increment)
        .process(keep)
        .process(increment)
        .process(sum)
    },
  },
  {
    name: 'filter and mapValues four times, one processor for all',
    operators: 7,
    dsl: stateless,
    processors: (records) => {
      records.process(keepAndIncrement).process(sum)
    },
  },
  {
    name: 'count',
    // count and toStream.
    operators: 2,
    dsl: (records) => {
      records
        .groupByKey()
        .count({ store: 'counts', value: serdes.int32, logging: false })
        .toStream()
        .process(sum)
    },
    processors: (records, builder) => {
      builder.addStateStore(rowStore('counts'))
      records.process(() => new Counting(), { stores: ['counts'], readsByKey: ['counts'] }).process(sum)
    },
  },
  {
    name: 'join with a table',
    operators: 1,
    dsl: (records, builder) => {
      const rows = builder.table('rows', { ...options, store: 'rows', logging: false })
      records.join(rows, (left, right) => left + right).process(sum)
    },
    processors: (records, builder) => {
      builder.table('rows', { ...options, store: 'rows', logging: false })
      records.process(() => new Joining(), { stores: ['rows'], readsByKey: ['rows'] }).process(sum)
    },
  },
]

const taskName = ({ name }: Pair, side: 'dsl' | 'processors'): string =>
  `${name}: ${side === 'dsl' ? 'DSL' : 'Processor API'}, 1,000 records`

async function openGraph(build: Build, rows: boolean): Promise<TaskGraph> {
  const topology = defineTopology((builder) => {
    build(builder.stream('records', options), builder)
  })
  const graph = await TaskGraph.open(topology.build())
  if (rows) for (let key = 0; key < KEYS; key++) graph.pipe('rows', `user-${key}`, key, 0)
  return graph
}

/** What DSL operators cost over the same work by processors: graphs of real nodes and stores, without Kafka. */
export default async function operatorsBench(): Promise<Bench> {
  const bench = new Bench({ name: 'operators', time: 2_000 })
  const keys = Array.from({ length: RECORDS }, (_, index) => `user-${(index * 7_919) % KEYS}`)
  const graphs: TaskGraph[] = []
  for (const pair of pairs) {
    for (const side of ['processors', 'dsl'] as const) {
      const graph = await openGraph(pair[side], pair.name.includes('table'))
      graphs.push(graph)
      bench.add(taskName(pair, side), () => {
        for (let index = 0; index < RECORDS; index++) graph.pipe('records', keys[index]!, index, 1_000)
      })
    }
  }
  bench.addEventListener('complete', async () => {
    if (received <= 0) throw new Error('nothing came through')
    for (const graph of graphs) await graph[Symbol.asyncDispose]()
  })
  return bench
}

export function findings(medianNs: (task: string) => number): string[] {
  return pairs.map((pair) => {
    const added = (medianNs(taskName(pair, 'dsl')) - medianNs(taskName(pair, 'processors'))) / RECORDS
    const each = added / pair.operators / 1_000
    return `${pair.name}: a DSL operator adds ${each.toFixed(3)} us a record over the Processor API`
  })
}
