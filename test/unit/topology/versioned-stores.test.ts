import assert from 'node:assert/strict'
import test from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import { prefetchPlan } from '../../../src/topology/prefetch-plan.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Topology } from '../../../src/topology/topology.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'

const common = { name: 's', key: serdes.string, value: serdes.string }

test("segments are by default as long as Kafka Streams'", () => {
  const minutes = (count: number): number => count * 60_000
  const histories = [
    0,
    6_001,
    30_000,
    minutes(1),
    60_001,
    minutes(5),
    minutes(6),
    minutes(60),
    minutes(1_440),
  ]
  assert.deepEqual(
    histories.map((historyRetentionMs) => stores.versioned({ ...common, historyRetentionMs }).versions),
    [2_000, 2_000, 10_000, 20_000, 20_000, 60_000, 60_000, 300_000, 3_600_000].map(
      (segmentIntervalMs, index) => ({ historyRetentionMs: histories[index]!, segmentIntervalMs }),
    ),
  )
})

test('wrong options are told in one line', () => {
  const refused = (options: object, message: string): void =>
    assert.throws(
      () => stores.versioned({ ...common, ...options } as never),
      (error) => error instanceof TopologyError && error.message === message,
    )
  refused({}, 'store s: historyRetentionMs must be a whole number of milliseconds from 0, not undefined')
  refused(
    { historyRetentionMs: -1 },
    'store s: historyRetentionMs must be a whole number of milliseconds from 0, not -1',
  )
  refused(
    { historyRetentionMs: 10, segmentIntervalMs: 0 },
    'store s: segmentIntervalMs must be a whole number of milliseconds from 1, not 0',
  )
  refused(
    { historyRetentionMs: 86_400_000, segmentIntervalMs: 1_000 },
    'store s: segmentIntervalMs must be a whole number of milliseconds from 86400, not 1000',
  )
  refused(
    { historyRetentionMs: 10, caching: true },
    'stores.versioned: unknown option caching; allowed: name, key, value, logging, changelogConfig, rocksdb, historyRetentionMs, segmentIntervalMs',
  )
})

test('its rows are not fetched ahead by their keys', () => {
  const { subtopologies } = new Topology()
    .addSource('in', { topics: 'in', key: serdes.string, value: serdes.string })
    .addProcessor('p', () => ({ process: () => {} }), { parents: 'in', readsByKey: ['s'] })
    .addStateStore(stores.versioned({ ...common, historyRetentionMs: 10 }), 'p')
    .build()
  const [subtopology] = subtopologies
  const source = subtopology!.nodes.find((node) => node.kind === 'source')!
  assert.deepEqual(prefetchPlan(subtopology!, source), [])
})
