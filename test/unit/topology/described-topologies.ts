/** The topologies of test/oracle/describe/DescribeTopologies.java, in the same order. */
import { defineTopology } from '../../../src/dsl/define-topology.ts'
import { days, hours, minutes } from '../../../src/dsl/durations.ts'
import type { Stream } from '../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../../../src/dsl/windows.ts'
import type { Processor } from '../../../src/process/processor.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { OPTIMIZATION_RULES } from '../../../src/topology/optimization.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Topology } from '../../../src/topology/topology.ts'
import type { TopologyModule } from '../../../src/topology/topology-module.ts'
import { describedAggregates } from './described-aggregates.ts'
import { describedDocumented } from './described-documented.ts'
import { describedJoins } from './described-joins.ts'
import { describedOptimizations } from './described-optimizations.ts'
import { describedPatterns } from './described-patterns.ts'
import { describedTables } from './described-tables.ts'

const text = { key: serdes.string, value: serdes.string }

function processor(): Processor<string, string, string, string> {
  return { process() {} }
}

function store(name: string): StoreDefinition {
  return stores.keyValue({ name, ...text })
}

function stream(builder: StreamsBuilder, topic: string): Stream<string, string> {
  return builder.stream(topic, text)
}

type Define = (builder: StreamsBuilder) => void

function source(name: string, ...topics: string[]): [string, { topics: string[] } & typeof text] {
  return [name, { topics, ...text }]
}

const described: Record<string, Define> = {
  'word-count': (builder) =>
    stream(builder, 'lines')
      .flatMapValues((value) => value.split(' '))
      .groupBy(({ value }) => value, text)
      .count({ store: 'counts' })
      .toStream()
      .to('counted'),

  'every-step': (builder) =>
    stream(builder, 'a')
      .filter(() => true)
      .filterNot(() => false)
      .map((record) => record)
      .mapValues((value) => value)
      .flatMap((record) => [record])
      .flatMapValues((value) => [value])
      .selectKey(({ key }) => key)
      .peek(() => {})
      .process(processor)
      .processValues(processor as () => Processor<string, string, string, string>)
      .repartition(text)
      .forEach(() => {}),

  'named-steps': (builder) => {
    builder.addStateStore(store('kept'))
    const other = builder.stream('b', { ...text, name: 'other' })
    builder
      .stream('a', { ...text, name: 'in' })
      .filter(() => true, { name: 'filtered' })
      .mapValues((value) => value, { name: 'mapped' })
      .merge(other, { name: 'merged' })
      .process(processor, { name: 'processed', stores: ['kept'] })
      .selectKey(({ key }) => key, { name: 'rekeyed' })
      .repartition({ ...text, name: 'together', partitions: 3 })
      .groupByKey({ name: 'grouping' })
      .count({ name: 'counter', store: 'counts' })
      .filter(() => true, { name: 'large', store: 'large-counts' })
      .toStream({ name: 'stream' })
      .mapValues((value) => value)
      .to('out', { name: 'sink', value: serdes.int64 })
  },

  aggregates: (builder) => {
    const grouped = stream(builder, 'a').groupByKey()
    const keepAggregate = {
      initializer: () => '',
      aggregator: (aggregate: string) => aggregate,
      value: serdes.string,
    }
    grouped.count().toStream().to('count')
    grouped.count({ key: serdes.string, value: serdes.int64 }).toStream().to('count-with')
    grouped
      .reduce((_, value) => value)
      .toStream()
      .to('reduce')
    grouped
      .reduce((_, value) => value, { store: 'reduced' })
      .toStream()
      .to('reduce-as')
    grouped.aggregate(keepAggregate).toStream().to('aggregate')
    grouped
      .aggregate({ ...keepAggregate, store: 'aggregated' })
      .toStream()
      .to('aggregate-as')
  },

  'windowed-aggregates': (builder) => {
    const grouped = stream(builder, 'a').groupByKey()
    const keepAggregate = {
      initializer: () => '',
      aggregator: (aggregate: string) => aggregate,
      value: serdes.string,
    }
    const last = (_: string, value: string): string => value
    const time = grouped.windowedBy(
      TimeWindows.of({ sizeMs: minutes(5), advanceMs: minutes(1), graceMs: minutes(1) }),
    )
    const sliding = grouped.windowedBy(SlidingWindows.of({ timeDifferenceMs: minutes(5) }))
    const sessions = grouped.windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5) }))
    time.count().toStream().to('count')
    time.count({ key: serdes.string, value: serdes.int64 }).toStream().to('count-with')
    time.count({ name: 'counter', store: 'counts' }).toStream().to('count-as')
    time.reduce(last).toStream().to('reduce')
    time.aggregate(keepAggregate).toStream().to('aggregate')
    sliding.count().toStream().to('sliding-count')
    sliding.count({ key: serdes.string, value: serdes.int64 }).toStream().to('sliding-count-with')
    sliding.reduce(last).toStream().to('sliding-reduce')
    sliding
      .aggregate({ ...keepAggregate, store: 'slid' })
      .toStream()
      .to('sliding-aggregate')
    sessions.count().toStream().to('session-count')
    sessions.count({ key: serdes.string, value: serdes.int64 }).toStream().to('session-count-with')
    sessions.reduce(last, { name: 'reducer' }).toStream().to('session-reduce')
    sessions
      .aggregate({ ...keepAggregate, merger: (one) => one })
      .filter(() => true)
      .toStream()
      .to('session-aggregate')
    grouped.windowedBy(UnlimitedWindows.of()).count().toStream().to('unlimited')
    time.emitStrategy('on-window-close').count().toStream().to('closed')
    sliding.emitStrategy('on-window-close').count({ value: serdes.int64 }).toStream().to('sliding-closed')
    sessions.emitStrategy('on-window-close').reduce(last).toStream().to('session-closed')
  },

  'windowed-after-repartition': (builder) => {
    const grouped = stream(builder, 'a').groupBy(({ value }) => value, {
      key: serdes.string,
      name: 'by-value',
    })
    grouped
      .windowedBy(TimeWindows.of({ sizeMs: minutes(5) }))
      .count()
      .toStream()
      .to('count')
    grouped
      .windowedBy(SessionWindows.of({ inactivityGapMs: minutes(5) }))
      .count()
      .toStream()
      .to('sessions')
    grouped.count().toStream().to('all')
    const hourly = stream(builder, 'b')
      .selectKey(({ value }) => value)
      .groupByKey({ key: serdes.string })
      .windowedBy(TimeWindows.of({ sizeMs: hours(1) }))
      .count()
    hourly
      .toStream()
      .selectKey(({ key }) => key.key)
      .groupByKey({ key: serdes.string })
      .windowedBy(TimeWindows.of({ sizeMs: days(1) }))
      .reduce((sum, count) => sum + count)
      .toStream()
      .to('daily')
  },

  'repartition-for-each-aggregate': (builder) => {
    const grouped = stream(builder, 'a')
      .selectKey(({ value }) => value)
      .groupByKey({ key: serdes.string })
    grouped.count().toStream().to('count')
    grouped
      .reduce((_, value) => value, { store: 'reduced' })
      .toStream()
      .to('reduce')
    stream(builder, 'late').to('late-out')
  },

  'repartition-shared-by-name': (builder) => {
    const grouped = stream(builder, 'a').groupBy(({ value }) => value, {
      key: serdes.string,
      name: 'by-value',
    })
    grouped.count().toStream().to('count')
    stream(builder, 'between').to('between-out')
    grouped
      .reduce((_, value) => value, { store: 'reduced' })
      .toStream()
      .to('reduce')
  },

  'merged-sources': (builder) => {
    stream(builder, 'a')
      .filter(() => true)
      .to('first')
    stream(builder, 'b').to('second')
    stream(builder, 'a')
      .mapValues((value) => value)
      .to('third', text)
    builder.stream(['x', 'y', 'z', 'orders', 'payments'], text).to('fourth')
  },

  'merge-then-group': (builder) =>
    stream(builder, 'a')
      .merge(stream(builder, 'b').selectKey(({ value }) => value))
      .groupByKey({ key: serdes.string })
      .count()
      .toStream()
      .to('out'),

  'table-unread': (builder) => builder.table('rows', text).toStream().to('out'),

  'table-stored': (builder) => {
    const table = builder.table('rows', { ...text, store: 'stored' })
    table
      .filter(() => true)
      .mapValues((value) => value)
      .toStream()
      .to('out', text)
    table
      .mapValues((value) => value, { store: 'mapped', value: serdes.string })
      .filterNot(() => true)
      .toStream()
      .to('mapped-out')
    table
      .mapValues((value) => value, text)
      .toStream()
      .to('unnamed-out')
  },

  'stream-table-join': (builder) => {
    const table = builder.table('rows', { ...text, name: 'people' })
    stream(builder, 'a')
      .join(table, (left, right) => left + right)
      .to('joined', text)
    stream(builder, 'b')
      .leftJoin(
        table.mapValues((value) => value),
        (left) => left,
      )
      .to('left-joined', text)
  },

  'stream-table-join-repartitioned': (builder) => {
    const table = stream(builder, 't').groupByKey().count()
    const rekeyed = stream(builder, 'a').selectKey(({ value }) => value)
    const joiner = (left: string): string => left
    rekeyed.join(table, joiner, text).to('one', text)
    rekeyed.join(table, joiner, text).to('two', text)
    rekeyed.leftJoin(table, joiner, { ...text, name: 'named' }).to('three', text)
    rekeyed
      .map((record) => record)
      .leftJoin(
        table.filter((value) => value > 1),
        joiner,
        text,
      )
      .to('four', text)
  },

  'stores-shared': (builder) => {
    builder.addStateStore(store('one')).addStateStore(store('two'))
    stream(builder, 'a')
      .process(processor, { stores: ['one'] })
      .to('out-a', text)
    stream(builder, 'b').process(processor, { stores: ['two'] })
    stream(builder, 'c')
      .process(processor, { stores: ['one', 'two'] })
      .to('out-c', text)
    stream(builder, 'd').processValues(processor).to('out-d', text)
  },
}

export const topologies: Record<string, () => TopologyModule> = {
  'processor-api': () =>
    new Topology()
      .addSource(...source('source-a', 'topic-a'))
      .addSource(...source('source-b', 'topic-b', 'topic-c'))
      .addProcessor('p1', processor, { parents: 'source-a' })
      .addProcessor('p2', processor, { parents: ['source-a', 'source-b'] })
      .addProcessor('p3', processor, { parents: 'source-b' })
      .addSource(...source('source-d', 'topic-d'))
      .addProcessor('p4', processor, { parents: 'source-d' })
      .addStateStore(store('s1'), 'p1', 'p2')
      .addStateStore(store('s2'), 'p3')
      .addStateStore(store('s3'), 'p3')
      .connectProcessorAndStateStores('p1', 's2')
      .addSink('sink-1', { topic: 'out-1', parents: ['p1', 'p3'], ...text })
      .addSink('sink-2', { topic: 'out-2', parents: 'p4', ...text }),

  'joined-by-a-late-store': () =>
    new Topology()
      .addSource(...source('s0', 't0'))
      .addProcessor('p0', processor, { parents: 's0' })
      .addSource(...source('s1', 't1'))
      .addProcessor('p1', processor, { parents: 's1' })
      .addSource(...source('s2', 't2'))
      .addProcessor('p2', processor, { parents: 's2' })
      .addStateStore(store('shared'), 'p2', 'p0'),
}

for (const [name, define] of Object.entries({
  ...described,
  ...describedJoins,
  ...describedAggregates,
  ...describedTables,
  ...describedPatterns,
  ...describedDocumented,
  ...describedOptimizations,
})) {
  topologies[name] = () => defineTopology(define)
  topologies[`${name}-optimized`] = () => defineTopology(define, { optimization: 'all' })
}
for (const [name, define] of Object.entries(describedOptimizations)) {
  for (const rule of OPTIMIZATION_RULES) {
    if (rule.startsWith(name.split('-')[0]!) || rule.endsWith(name.replaceAll('-', '.')))
      topologies[`${name}-${rule}`] = () => defineTopology(define, { optimization: [rule] })
  }
}
for (let seed = 1; seed <= 40; seed++) topologies[`random-${seed}`] = () => randomTopology(seed)

/** The generator of both sides: x' = (x * 1103515245 + 12345) mod 2^31, of which the upper bits are used. */
function generator(seed: number): (bound: number) => number {
  let state = BigInt(seed)
  return (bound) => {
    state = (state * 1103515245n + 12345n) & 0x7fffffffn
    return Number((state >> 8n) % BigInt(bound))
  }
}

function randomTopology(seed: number): Topology {
  const next = generator(seed)
  const topology = new Topology()
  const parents: string[] = []
  const processors: string[] = []
  const sources = 1 + next(4)
  for (let index = 0; index < sources; index++) {
    const topics = Array.from({ length: 1 + next(5) }, () => '')
    for (const topic of topics.keys()) topics[topic] = `topic-${index}-${next(100000)}-${topic}`
    topology.addSource(...source(`source-${index}`, ...topics))
    parents.push(`source-${index}`)
  }
  const nodes = 5 + next(40)
  for (let index = 0; index < nodes; index++) {
    const chosen = new Set<string>()
    const count = 1 + next(3)
    for (let parent = 0; parent < count; parent++) {
      chosen.add(parents[next(2) === 0 ? next(Math.min(3, parents.length)) : next(parents.length)]!)
    }
    const name = `node-${next(100000)}-${index}`
    if (next(5) === 0) {
      topology.addSink(name, { topic: `out-${index}`, parents: [...chosen], ...text })
    } else {
      topology.addProcessor(name, processor, { parents: [...chosen] })
      parents.push(name)
      processors.push(name)
    }
  }
  if (processors.length === 0) return topology
  const storeCount = next(6)
  for (let index = 0; index < storeCount; index++) {
    const users = new Set<string>()
    const count = 1 + next(3)
    for (let user = 0; user < count; user++) users.add(processors[next(processors.length)]!)
    topology.addStateStore(store(`store-${index}`), ...users)
  }
  return topology
}
