import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Processor } from '../../../src/process/processor.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type {
  ProcessorDefinition,
  SourceDefinition,
  TopologyDefinition,
} from '../../../src/topology/definition.ts'
import { prefetchPlan } from '../../../src/topology/prefetch-plan.ts'
import { stores } from '../../../src/topology/stores.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'
import { isTopologyModule } from '../../../src/topology/topology-module.ts'

const text = { key: serdes.string, value: serdes.string }
const processor = (): Processor<string, string, string, string> => ({ process() {} })

function build(define: (builder: StreamsBuilder) => void): TopologyDefinition {
  return defineTopology(define).build()
}

function nodesOf(
  topology: TopologyDefinition,
): Map<string, TopologyDefinition['subtopologies'][0]['nodes'][0]> {
  return new Map(topology.subtopologies.flatMap(({ nodes }) => nodes.map((node) => [node.name, node])))
}

test('a module is defined when it is first needed, and once', () => {
  let calls = 0
  const module = defineTopology((builder) => {
    calls++
    builder.stream('in', text).to('out')
  })
  assert.ok(isTopologyModule(module))
  assert.ok(!isTopologyModule({ ...module.build() }))
  assert.equal(module.build(), module.build())
  assert.match(module.describe(), /^Topologies:\n {3}Sub-topology: 0\n/)
  assert.equal(calls, 1)
})

describe('what cannot be is refused with one line', () => {
  const refused: Readonly<
    Record<string, readonly [define: (builder: StreamsBuilder) => unknown, message: string | RegExp]>
  > = {
    'no topic': [
      (b) => b.stream([], text),
      'stream: a topic, a list of topics or a pattern is expected, not a list',
    ],
    'no options': [
      (b) => b.stream('in', undefined as never),
      /^stream in: the options must be an object with key, value, name/,
    ],
    'a misspelled option': [
      (b) => b.stream('in', { ...text, offsetrest: 'latest' } as never),
      'stream in: unknown option offsetrest; allowed: key, value, name, offsetReset, timestampExtractor',
    ],
    'no value serde': [
      (b) => b.stream('in', { key: serdes.string } as never),
      'stream in: value must be a serde, not undefined',
    ],
    'a filter without a function': [
      (b) => b.stream('in', text).filter('x' as never),
      'filter: the first argument must be a function, not a string',
    ],
    'a misspelled option of a step': [
      (b) => b.stream('in', text).mapValues((value) => value, { nam: 'x' } as never),
      'mapValues: unknown option nam; allowed: name',
    ],
    'a name with a blank': [
      (b) => b.stream('in', text).peek(() => {}, { name: 'a b' }),
      "peek: name is \"a b\"; allowed are letters, digits, '.', '_' and '-'",
    ],
    'a name twice': [
      (b) =>
        b
          .stream('in', text)
          .peek(() => {}, { name: 'p' })
          .peek(() => {}, { name: 'p' }),
      'processor p: there is a processor of that name already',
    ],
    'no serde after the values changed': [
      (b) => (b.stream('in', text).mapValues(Number) as never as ReturnType<typeof b.stream>).to('out'),
      'to out: no value serde is known here, because the values have changed: give { value }',
    ],
    'no serde before a repartition topic': [
      (b) =>
        (b.stream('in', text).map((record) => record) as never as ReturnType<typeof b.stream>).groupByKey(),
      'groupByKey: no key serde is known here, because the keys have changed: give { key }',
    ],
    'merged streams with different serdes': [
      (b) =>
        b
          .stream('in', text)
          .merge(b.stream('other', { key: serdes.string, value: { ...serdes.string } }))
          .to('out'),
      'to out: no value serde is known here, because the values have changed: give { value }',
    ],
    'a store twice': [
      (b) => {
        b.stream('in', text).groupByKey().count({ store: 'counts' })
        b.stream('other', text).groupByKey().count({ store: 'counts' })
      },
      'store counts is added twice',
    ],
    'a store that is not there': [
      (b) => b.stream('in', text).process(processor, { stores: ['none'] }),
      'processor KSTREAM-PROCESSOR-0000000001: there is no store none',
    ],
    'a repartition topic twice': [
      (b) => {
        b.stream('in', text).repartition({ name: 'together' })
        b.stream('other', text).repartition({ name: 'together' })
      },
      'repartition topic together-repartition is made twice: give one of them another name',
    ],
    'a repartition topic without partitions': [
      (b) => b.stream('in', text).repartition({ partitions: 0 }),
      'repartition: partitions is 0; allowed is a whole number from 1',
    ],
    'streams of overlapping topics': [
      (b) => {
        b.stream(['a', 'b'], text)
        b.stream(['b', 'c'], text)
      },
      'streams of a, b and of b, c overlap; allowed are the same topics, or none in common',
    ],
    'streams of one topic that differ': [
      (b) => {
        b.stream('a', text)
        b.stream('a', { key: serdes.string, value: serdes.json() })
      },
      'two streams of a differ in value; use one stream, or the same value for both',
    ],
    'a stream and a table of one topic': [
      (b) => {
        b.stream('a', text)
        b.table('a', text)
      },
      'source KSTREAM-SOURCE-0000000002: topic a is read by source KSTREAM-SOURCE-0000000000 already',
    ],
    'an aggregate without its function': [
      (b) =>
        b
          .stream('a', text)
          .groupByKey()
          .aggregate({ initializer: () => 1, value: serdes.int32 } as never),
      'aggregate: aggregator must be a function, not undefined',
    ],
    "a table's store without a serde": [
      (b) => b.table('a', text).mapValues(Number, { store: 'numbers' } as never),
      'mapValues numbers: no value serde is known here, because the values have changed: give { value }',
    ],
    'steps after the low-level topology': [
      (b) => {
        const stream = b.stream('a', text)
        b.topology.addSource('low', { topics: 'low', ...text })
        stream.to('out')
      },
      'KSTREAM-SINK-0000000001: the topology is complete: streams and tables come before builder.topology',
    ],
  }
  for (const [what, [define, message]] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(
        () => build(define),
        (error: Error) => {
          assert.ok(error instanceof TopologyError, error.stack)
          if (typeof message === 'string') assert.equal(error.message, message)
          else assert.match(error.message, message)
          return true
        },
      )
    })
  }
})

test('nodes of the Processor API go below those of the DSL', () => {
  const topology = build((builder) => {
    builder.addStateStore(stores.keyValue({ name: 'kept', ...text }))
    builder.stream('in', { ...text, name: 'in' }).peek(() => {}, { name: 'seen' })
    builder.topology
      .addProcessor('low', processor, { parents: 'seen', stores: ['kept'] })
      .addSink('out', { parents: 'low', topic: 'out', ...text })
  })
  assert.deepEqual(
    topology.subtopologies.map(({ nodes }) => nodes.map(({ name }) => name)),
    [['in', 'seen', 'low', 'out']],
  )
})

test('rows are fetched ahead where a store is read by the key of the source', () => {
  const topology = build((builder) => {
    const stream = builder.stream('in', { ...text, name: 'in' })
    const table = builder.table('rows', { ...text, name: 'rows' })
    stream
      .filter(() => true)
      .mapValues((value) => value)
      .groupByKey()
      .count({ store: 'by-key' })
    stream.leftJoin(table, (left) => left)
    stream
      .groupBy(({ value }) => value, { key: serdes.string, name: 'by-value' })
      .count({ store: 'by-value' })
  })
  const plan = (source: string): string[] =>
    topology.subtopologies.flatMap((subtopology) =>
      subtopology.nodes
        .filter((node): node is SourceDefinition => node.kind === 'source' && node.name === source)
        .flatMap((node) => prefetchPlan(subtopology, node).map(({ name }) => name)),
    )
  assert.deepEqual(plan('in').sort(), ['by-key', 'rows-STATE-STORE-0000000001'])
  assert.deepEqual(plan('by-value-repartition-source'), ['by-value'])
  assert.deepEqual(plan('rows-source'), [], 'a table whose old values nobody wants is only written')
})

test('a table has a store when it is named or read, and reads old values when a filter wants them', () => {
  const tableNode = (define: (builder: StreamsBuilder) => void): ProcessorDefinition =>
    nodesOf(build(define)).get('rows') as ProcessorDefinition
  const table = (builder: StreamsBuilder, options = {}) =>
    builder.table('rows', { ...text, name: 'rows', ...options })
  assert.deepEqual(tableNode((b) => table(b).filter(() => true)).stores, [])
  assert.deepEqual(tableNode((b) => table(b, { store: 'named' })).stores, ['named'])
  assert.deepEqual(tableNode((b) => table(b, { store: 'named' })).readsByKey, [])
  assert.deepEqual(tableNode((b) => table(b, { store: 'named' }).filter(() => true)).readsByKey, ['named'])
  assert.deepEqual(tableNode((b) => b.stream('in', text).join(table(b), (left) => left)).stores, [
    'rows-STATE-STORE-0000000001',
  ])
})

test('stores: timestamped, with what was said of their changelog', () => {
  const topology = build((builder) => {
    const grouped = builder.stream('in', text).groupByKey()
    grouped.count({ store: 'counts', logging: false })
    grouped.reduce((_, value) => value, {
      store: 'latest',
      changelogConfig: { 'segment.ms': '60000' },
      rocksdb: { block_size: '16KiB' },
    })
  })
  assert.deepEqual(topology.subtopologies[0]!.stores, [
    {
      type: 'timestamped-key-value',
      name: 'counts',
      key: serdes.string,
      value: serdes.int64,
      logging: false,
      changelogConfig: {},
    },
    {
      type: 'timestamped-key-value',
      name: 'latest',
      ...text,
      logging: true,
      changelogConfig: { 'segment.ms': '60000' },
      rocksdb: { block_size: '16384' },
    },
  ])
})

test('topics on both sides of a join are copartitioned, after sources became one too', () => {
  const topology = build((builder) => {
    builder.stream('in', text).to('copy')
    const table = builder.table('rows', text)
    builder.stream('in', text).join(table, (left) => left)
    builder
      .stream('other', text)
      .selectKey(({ value }) => value)
      .join(table, (left) => left, { ...text, name: 'by-value' })
  })
  assert.deepEqual(
    topology.subtopologies.map(({ copartitionGroups }) =>
      copartitionGroups.map((group) => [...group].sort()),
    ),
    [[['by-value-repartition', 'in', 'rows']], []],
  )
  assert.deepEqual(topology.repartitionTopics, [{ name: 'by-value-repartition', partitions: null }])
})

test('records without a key pass a repartition topic only on their way to a left join', () => {
  const drops = (define: (builder: StreamsBuilder) => void): boolean => {
    const filter = nodesOf(build(define)).get('x-repartition-filter') as ProcessorDefinition
    let forwarded = 0
    const context = { forward: () => forwarded++ }
    filter
      .supplier()
      .process({ key: null, value: 'v', timestamp: 0, headers: null as never }, context as never)
    return forwarded === 0
  }
  const rekeyed = (builder: StreamsBuilder) => builder.stream('in', text).selectKey(({ value }) => value)
  const x = { ...text, name: 'x' }
  assert.ok(drops((b) => rekeyed(b).groupByKey(x).count()))
  assert.ok(drops((b) => rekeyed(b).join(b.table('rows', text), (left) => left, x)))
  assert.ok(!drops((b) => rekeyed(b).leftJoin(b.table('rows', text), (left) => left, x)))
  assert.ok(
    !drops((b) =>
      rekeyed(b)
        .repartition(x)
        .filter(() => true)
        .leftJoin(b.table('rows', text), (left) => left),
    ),
  )
})
