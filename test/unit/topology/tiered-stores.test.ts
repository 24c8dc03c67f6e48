import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import { createTable } from '../../../src/cassandra/cql.ts'
import { planTopics } from '../../../src/runtime/topic-plan.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { cassandraTables } from '../../../src/topology/cassandra-sinks.ts'
import { stores } from '../../../src/topology/stores.ts'
import type { TieredStoreOptions } from '../../../src/topology/tiered-stores.ts'
import { Topology } from '../../../src/topology/topology.ts'

const options = { name: 'counts', key: serdes.string, value: serdes.int64 }
const source = { topics: 'words', key: serdes.string, value: serdes.string }

function topologyOf(
  more: Partial<TieredStoreOptions<string, number>> = {},
  topics: string | RegExp = 'words',
) {
  return new Topology()
    .addSource('source', { ...source, topics })
    .addProcessor('counting', () => ({ process: () => {} }), { parents: 'source' })
    .addStateStore(stores.tieredKeyValue({ ...options, ...more }), 'counting')
}

test('a tiered store has a table, and a changelog that time does not shorten', () => {
  const topology = topologyOf({
    table: 'word_counts',
    ttlSeconds: 60,
    with: { gc_grace_seconds: 3_600 },
  }).build()
  const [table] = cassandraTables(topology)
  assert.equal(
    createTable('shop', table!.schema),
    [
      'CREATE TABLE IF NOT EXISTS "shop"."word_counts" (',
      '  "key" blob,',
      '  "value" blob,',
      '  "ts" bigint,',
      '  PRIMARY KEY (("key"))',
      ') WITH gc_grace_seconds = 3600;',
    ].join('\n'),
  )
  const settings = { applicationId: 'app', replicationFactor: 1 }
  const [changelog] = planTopics(topology, settings, new Map([['words', 2]])).internalTopics
  assert.equal(changelog?.name, 'app-counts-changelog')
  assert.deepEqual(changelog?.config, {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'message.timestamp.type': 'CreateTime',
  })
})

test('what a tiered store cannot be is refused', () => {
  const refused = (more: object, message: RegExp): void => {
    assert.throws(() => stores.tieredKeyValue({ ...options, ...more }), message)
  }
  refused({ caching: true }, /unknown option caching/)
  refused({ entriesMax: 5 }, /unknown option entriesMax/)
  refused({ logging: false }, /unknown option logging/)
  refused(
    { name: 'word-counts' },
    /^TopologyError: store word-counts: its table is "word-counts"; allowed are/,
  )
  refused({ ttlSeconds: -1 }, /store counts: ttlSeconds is -1; allowed is/)
  refused({ localBytesMax: 0.5 }, /store counts: localBytesMax is 0.5; allowed is/)
  refused({ with: { Gc: 1 } }, /store counts: with has property "Gc"/)
  assert.throws(
    () => topologyOf({}, /words.*/).build(),
    /store counts is tiered, and source source in its sub-topology reads topics by a pattern/,
  )
  assert.throws(
    () =>
      topologyOf()
        .addCassandraSink('sink', {
          parents: 'counting',
          table: cassandra.table({ name: 'counts', partitionKey: { id: 'text' } }),
        })
        .build(),
    /store counts: table counts in Cassandra is that of sink sink; it needs one of its own/,
  )
  assert.throws(
    () =>
      new Topology().addGlobalStore(stores.tieredKeyValue(options), () => ({ process: () => {} }), {
        topic: 'words',
        source: 'source',
        processor: 'filling',
        key: serdes.string,
        value: serdes.string,
      }),
    /global store counts: a tiered store has a part of its rows/,
  )
})
