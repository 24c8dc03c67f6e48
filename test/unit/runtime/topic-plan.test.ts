import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import { externalTopics, planTopics } from '../../../src/runtime/topic-plan.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type {
  NodeDefinition,
  StoreDefinition,
  SubtopologyDefinition,
  TopologyDefinition,
} from '../../../src/topology/definition.ts'
import { withMatchedTopics } from '../../../src/topology/topic-patterns.ts'

const serde = {} as Serde<unknown>
const settings = { applicationId: 'app', replicationFactor: -1 }

interface Shape {
  readonly reads: readonly string[]
  readonly writes?: readonly string[]
  readonly stores?: readonly Partial<StoreDefinition>[]
  readonly copartition?: readonly (readonly string[])[]
}

function topology(
  shapes: readonly Shape[],
  repartition: Readonly<Record<string, number | null>> = {},
): TopologyDefinition {
  return {
    subtopologies: shapes.map(
      ({ reads, writes = [], stores = [], copartition = [] }, id): SubtopologyDefinition => ({
        id,
        nodes: [
          ...reads.map(
            (topic): NodeDefinition => ({
              kind: 'source',
              name: `source-${topic}`,
              topics: [topic],
              key: serde,
              value: serde,
            }),
          ),
          ...writes.map(
            (topic): NodeDefinition => ({
              kind: 'sink',
              name: `sink-${topic}`,
              parents: [],
              topic,
              key: serde,
              value: serde,
            }),
          ),
        ],
        stores: stores.map((store) => ({
          type: 'key-value',
          name: 's',
          key: serde,
          value: serde,
          logging: true,
          changelogConfig: {},
          ...store,
        })),
        sourceTopics: reads,
        copartitionGroups: copartition,
      }),
    ),
    repartitionTopics: Object.entries(repartition).map(([name, partitions]) => ({ name, partitions })),
  }
}

test('every topic that a sink may choose must exist', () => {
  const written = topology([{ reads: ['in'], writes: ['x'] }])
  const sink = { ...written.subtopologies[0]!.nodes.at(-1)!, topics: ['x', 'y'], chooser: () => 'y' }
  const chosen = {
    ...written,
    subtopologies: [{ ...written.subtopologies[0]!, nodes: [sink as NodeDefinition] }],
  }
  assert.deepEqual(externalTopics(chosen), { sources: ['in'], sinks: ['x', 'y'] })
})

describe('planTopics', () => {
  test('a stateful sub-topology behind a repartition topic', () => {
    const plan = planTopics(
      topology(
        [
          { reads: ['in'], writes: ['by-user-repartition'] },
          { reads: ['by-user-repartition'], stores: [{ name: 'counts' }], writes: ['out'] },
        ],
        {
          'by-user-repartition': null,
        },
      ),
      settings,
      new Map([['in', 6]]),
    )
    assert.deepEqual(
      [...plan.tasks],
      [
        [0, 6],
        [1, 6],
      ],
    )
    assert.deepEqual(
      [...plan.sources],
      [
        ['in', 6],
        ['app-by-user-repartition', 6],
      ],
    )
    assert.deepEqual(plan.internalTopics, [
      {
        kind: 'repartition',
        name: 'app-by-user-repartition',
        partitions: 6,
        replicationFactor: -1,
        config: {
          'cleanup.policy': 'delete',
          'retention.ms': '-1',
          'segment.bytes': '52428800',
          'message.timestamp.type': 'CreateTime',
        },
      },
      {
        kind: 'changelog',
        name: 'app-counts-changelog',
        partitions: 6,
        replicationFactor: -1,
        config: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'CreateTime' },
      },
    ])
  })

  test('a store without logging has no changelog, and its own settings win', () => {
    const { internalTopics } = planTopics(
      topology([
        {
          reads: ['in'],
          stores: [
            { name: 'a', logging: false },
            { name: 'b', changelogConfig: { 'segment.ms': '1', 'cleanup.policy': 'compact,delete' } },
          ],
        },
      ]),
      settings,
      new Map([['in', 1]]),
    )
    assert.deepEqual(
      internalTopics.map(({ name, config }) => [name, config['segment.ms'], config['cleanup.policy']]),
      [['app-b-changelog', '1', 'compact,delete']],
    )
  })

  test("a window store's changelog keeps its records a day longer than the store", () => {
    const windows = {
      retentionMs: 120_000,
      segmentIntervalMs: 60_000,
      windowSizeMs: 10,
      retainDuplicates: false,
    }
    const { internalTopics } = planTopics(
      topology([{ reads: ['in'], stores: [{ name: 'a', type: 'window', windows }] }]),
      settings,
      new Map([['in', 1]]),
    )
    assert.deepEqual(internalTopics[0]!.config, {
      'cleanup.policy': 'compact,delete',
      'retention.ms': '86520000',
      'message.timestamp.type': 'CreateTime',
    })
  })

  test("a versioned store's changelog keeps every version a day longer than the store", () => {
    const versions = { historyRetentionMs: 120_000, segmentIntervalMs: 20_000 }
    const { internalTopics } = planTopics(
      topology([{ reads: ['in'], stores: [{ name: 'a', type: 'versioned', versions }] }]),
      settings,
      new Map([['in', 1]]),
    )
    assert.deepEqual(internalTopics[0]!.config, {
      'cleanup.policy': 'compact',
      'min.compaction.lag.ms': '86520000',
      'message.timestamp.type': 'CreateTime',
    })
  })

  test('a repartition topic takes the count of what it is joined with', () => {
    const plan = planTopics(
      topology(
        [
          { reads: ['clicks'], writes: ['r-repartition'] },
          { reads: ['r-repartition', 'users'], copartition: [['r-repartition', 'users']] },
        ],
        {
          'r-repartition': null,
        },
      ),
      settings,
      new Map([
        ['clicks', 3],
        ['users', 8],
      ]),
    )
    assert.equal(plan.sources.get('app-r-repartition'), 8)
    assert.equal(plan.tasks.get(1), 8)
  })

  test('of repartition topics that are joined, the smaller takes the count of the larger', () => {
    const plan = planTopics(
      topology(
        [
          { reads: ['a'], writes: ['x-repartition'] },
          { reads: ['b'], writes: ['y-repartition'] },
          { reads: ['x-repartition', 'y-repartition'], copartition: [['x-repartition', 'y-repartition']] },
        ],
        { 'x-repartition': null, 'y-repartition': null },
      ),
      settings,
      new Map([
        ['a', 2],
        ['b', 5],
      ]),
    )
    assert.deepEqual(
      [...plan.sources].map(([, count]) => count),
      [2, 5, 5, 5],
    )
  })

  test('topics that are joined need equal counts', () => {
    const joined = topology([{ reads: ['a', 'b'], copartition: [['a', 'b']] }])
    assert.throws(
      () =>
        planTopics(
          joined,
          settings,
          new Map([
            ['a', 2],
            ['b', 5],
          ]),
        ),
      {
        code: 'copartition-mismatch',
        message:
          'topics that are joined or merged by key need the same number of partitions: a has 2 (source-a), b has 5 (source-b); repartition() brings a stream into as many as the other topic has',
      },
    )
    const fixed = topology(
      [
        { reads: ['a'], writes: ['r-repartition'] },
        { reads: ['r-repartition', 'a'], copartition: [['r-repartition', 'a']] },
      ],
      {
        'r-repartition': 4,
      },
    )
    assert.throws(() => planTopics(fixed, settings, new Map([['a', 2]])), { code: 'copartition-mismatch' })
  })

  test('a repartition topic waits for a topic that matches a pattern, unless its count is known otherwise', () => {
    const text = { key: serdes.string, value: serdes.string }
    const built = defineTopology((builder) => {
      const stream = builder.stream(/in-.*/, text).selectKey(({ value }) => value)
      stream.groupByKey({ ...text, name: 'alone' }).count()
      stream.repartition({ ...text, name: 'joined' }).join(builder.table('rows', text), (l) => l)
    }).build('none')
    const planned = (topics: Readonly<Record<string, number>>) => {
      const matched = withMatchedTopics(built, 'app', Object.keys(topics))
      const { tasks, internalTopics } = planTopics(matched, settings, new Map(Object.entries(topics)))
      const counts = internalTopics.map(({ name, partitions }): [string, number] => [name, partitions])
      return {
        tasks: [...tasks.values()],
        repartition: counts.filter(([name]) => name.endsWith('-repartition')),
      }
    }
    assert.deepEqual(planned({ rows: 4 }), {
      tasks: [0, 0, 4],
      repartition: [['app-joined-repartition', 4]],
    })
    assert.deepEqual(planned({ rows: 4, 'in-1': 2, 'in-2': 3 }), {
      tasks: [3, 3, 4],
      repartition: [
        ['app-alone-repartition', 3],
        ['app-joined-repartition', 4],
      ],
    })
  })

  test('a count that nothing gives is an error', () => {
    const loop = topology([{ reads: ['r-repartition'], writes: ['r-repartition'] }], {
      'r-repartition': null,
    })
    assert.throws(() => planTopics(loop, settings, new Map()), {
      code: 'topology-invalid',
      message: /r-repartition cannot be derived/,
    })
  })

  test('a chain of repartition topics, defined in any order, has the count of its source', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (partitions, length, random) => {
          const order = Array.from({ length }, (_, index) => ({
            index,
            at: random.next().value as number,
          })).sort((a, b) => a.at - b.at)
          const names = order.map(({ index }) => `r${index}-repartition`)
          const shapes = order.map(({ index }) => ({
            reads: [index === 0 ? 'in' : `r${index - 1}-repartition`],
            writes: [`r${index}-repartition`],
          }))
          const plan = planTopics(
            topology(
              [...shapes, { reads: [`r${length - 1}-repartition`] }],
              Object.fromEntries(names.map((name) => [name, null])),
            ),
            settings,
            new Map([['in', partitions]]),
          )
          assert.ok([...plan.tasks.values(), ...plan.sources.values()].every((count) => count === partitions))
        },
      ),
    )
  })

  test('external topics are those that nobody here creates', () => {
    const { sources, sinks } = externalTopics(
      topology(
        [
          { reads: ['a'], writes: ['r-repartition', 'out'] },
          { reads: ['r-repartition', 'b'], writes: ['a', 'out'] },
        ],
        { 'r-repartition': null },
      ),
    )
    assert.deepEqual({ sources, sinks }, { sources: ['a', 'b'], sinks: ['out'] })
  })
})
