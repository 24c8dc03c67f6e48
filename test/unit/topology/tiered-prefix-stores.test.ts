import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createTable } from '../../../src/cassandra/cql.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { SourceDefinition } from '../../../src/topology/definition.ts'
import { prefetchPlan } from '../../../src/topology/prefetch-plan.ts'
import { stores } from '../../../src/topology/stores.ts'
import type { TieredPrefixStoreOptions } from '../../../src/topology/tiered-prefix-stores.ts'
import { Topology } from '../../../src/topology/topology.ts'
import { topologyGraph } from '../../../src/topology/topology-graph.ts'

const options = { name: 'orders', prefix: serdes.string, rest: serdes.int32, value: serdes.string }

test('a prefix is a partition of the table, and the rest the order within', () => {
  const { tier } = stores.tieredByPrefix({ ...options, with: { gc_grace_seconds: 60 } })
  assert.equal(
    createTable('shop', tier!.table.schema),
    [
      'CREATE TABLE IF NOT EXISTS "shop"."orders" (',
      '  "prefix" blob,',
      '  "rest" blob,',
      '  "value" blob,',
      '  "ts" bigint,',
      '  PRIMARY KEY (("prefix"), "rest")',
      ') WITH CLUSTERING ORDER BY ("rest" ASC)',
      '  AND gc_grace_seconds = 60;',
    ].join('\n'),
  )
  assert.deepEqual(tier!.prefixes, { rowsMax: 10_000, bytesMax: 16 * 2 ** 20 })
  const limited = stores.tieredByPrefix({ ...options, prefixRowsMax: 5, prefixBytesMax: 7, table: 't' })
  assert.deepEqual(limited.tier!.prefixes, { rowsMax: 5, bytesMax: 7 })
  assert.equal(limited.tier!.table.name, 't')
})

test('what a tiered store by prefix cannot be is refused', () => {
  const refused = (wrong: object, why: RegExp): void =>
    assert.throws(
      () =>
        stores.tieredByPrefix({ ...options, ...wrong } as TieredPrefixStoreOptions<string, number, string>),
      why,
    )
  refused({ key: serdes.string }, /stores\.tieredByPrefix: unknown option key/)
  refused({ prefix: undefined }, /store orders: prefix must be a serde/)
  refused({ rest: 'string' }, /store orders: rest must be a serde/)
  refused({ prefixRowsMax: 0 }, /store orders: prefixRowsMax is 0; allowed is a whole number from 1/)
  refused({ prefixBytesMax: 1.5 }, /store orders: prefixBytesMax is 1\.5; allowed/)
  refused({ logging: false }, /unknown option logging/)
  refused({ name: '' }, /name/)
  refused({ name: 'a-b' }, /store a-b: its table is "a-b"/)
})

test('prefixes are loaded ahead where the source has the serde of the prefix; describe tells the type', () => {
  const planned = <K>(key: Serde<K>): string[] => {
    const topology = new Topology()
      .addSource('events', { topics: 'events', key, value: serdes.string })
      .addProcessor('joining', () => ({ process: () => {} }), { parents: 'events', readsByKey: ['orders'] })
      .addStateStore(stores.tieredByPrefix(options), 'joining')
      .build()
    const [subtopology] = topology.subtopologies
    const source = subtopology!.nodes.find(({ kind }) => kind === 'source') as SourceDefinition
    assert.equal(topologyGraph(topology).subtopologies[0]!.stores[0]!.type, 'tiered-by-prefix')
    return prefetchPlan(subtopology!, source).map(({ name }) => name)
  }
  assert.deepEqual(planned(serdes.string), ['orders'])
  assert.deepEqual(planned(serdes.int32), [])
})
