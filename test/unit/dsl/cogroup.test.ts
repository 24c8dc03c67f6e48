import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { SessionWindows, TimeWindows } from '../../../src/dsl/windows.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'

const text = { key: serdes.string, value: serdes.string }
const from = { initializer: () => '', value: serdes.string }
const keep = (aggregate: string): string => aggregate

const grouped = (builder: StreamsBuilder, topic: string) => builder.stream(topic, text).groupByKey()
const byValue = (builder: StreamsBuilder, topic: string) =>
  builder.stream(topic, text).groupBy(({ value }) => value, text)

describe('cogrouped streams', () => {
  test('all of them need the same number of partitions', () => {
    const { subtopologies } = defineTopology((builder) => {
      grouped(builder, 'a')
        .cogroup<string>(keep)
        .cogroup(byValue(builder, 'b'), keep)
        .aggregate({
          ...from,
          store: 'both',
        })
    }).build()
    const groups = subtopologies.flatMap(({ copartitionGroups }) =>
      copartitionGroups.map((group) => [...group].sort()),
    )
    assert.deepEqual(groups, [['a', 'both-repartition']])
  })

  test('a grouping that comes again has the later aggregator', () => {
    const { subtopologies } = defineTopology((builder) => {
      const one = grouped(builder, 'a')
      one.cogroup<string>(keep).cogroup(one, keep).aggregate(from)
    }).build()
    const names = subtopologies[0]!.nodes.map(({ name }) => name)
    assert.deepEqual(names, [
      'KSTREAM-SOURCE-0000000000',
      'COGROUPKSTREAM-AGGREGATE-0000000002',
      'COGROUPKSTREAM-MERGE-0000000003',
    ])
  })

  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'no aggregator': [
      (b) => grouped(b, 'a').cogroup(undefined as never),
      'cogroup: the aggregator must be a function, not undefined',
    ],
    'a stream that is not grouped': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .cogroup(b.stream('b', text) as never, keep),
      'cogroup: a grouped stream is expected, not an object',
    ],
    'a stream of another builder': [
      (b) => grouped(b, 'a').cogroup<string>(keep).cogroup(grouped(new StreamsBuilder(), 'b'), keep),
      'cogroup: the other stream belongs to another builder',
    ],
    'two topics of the same name': [
      (b) =>
        byValue(b, 'a')
          .cogroup<string>(keep)
          .cogroup(byValue(b, 'b'), keep)
          .aggregate({ ...from, store: 's' }),
      'repartition topic s-repartition is made twice: give one of them another name',
    ],
    'no initializer': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .aggregate({ value: serdes.string } as never),
      'aggregate: initializer must be a function, not undefined',
    ],
    'no specification': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .aggregate(undefined as never),
      'aggregate: the options must be an object with initializer, key, value, name, store, logging, inMemory, caching, changelogConfig, rocksdb, historyRetentionMs, segmentIntervalMs',
    ],
    'no serde': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .aggregate({ initializer: () => '' } as never),
      'aggregate: no value serde is known here, because the values have changed: give { value }',
    ],
    'sessions without a merger': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .windowedBy(SessionWindows.of({ inactivityGapMs: 1 }))
          .aggregate(from as never),
      'aggregate: merger must be a function, not undefined',
    ],
    'windows that are none': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .windowedBy({ sizeMs: 1 } as never),
      'windowedBy: TimeWindows, SlidingWindows, SessionWindows or UnlimitedWindows are expected, not an object',
    ],
    'too short a retention': [
      (b) =>
        grouped(b, 'a')
          .cogroup<string>(keep)
          .windowedBy(TimeWindows.of({ sizeMs: 10 }))
          .aggregate({ ...from, store: 's', retentionMs: 5 }),
      'aggregate s: retentionMs is 5; allowed is a whole number from 10, which is sizeMs 10 and graceMs 0 together',
    ],
  }
  for (const [name, [define, message]] of Object.entries(refused)) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => defineTopology((builder) => void define(builder)).build(),
        (error: Error) => {
          assert.ok(error instanceof TopologyError)
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }
})
