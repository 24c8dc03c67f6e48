/** `weir cassandra init`, as far as it needs no Cassandra; with one: test/broker/cassandra.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { initCassandra } from '../../../src/cli/cassandra-init-command.ts'

const module = 'test/support/topologies/cassandra-rows.ts'
const settings = {
  WEIR_CASSANDRA_KEYSPACE: 'shop',
  WEIR_CASSANDRA_CONTACT_POINTS: '127.0.0.1:1',
  WEIR_CASSANDRA_LOCAL_DATACENTER: 'dc1',
}

async function printed(
  options: { replication?: string },
  environment: Record<string, string>,
): Promise<string> {
  const lines: string[] = []
  await initCassandra(module, { print: true, ...options }, (line) => lines.push(line), environment)
  return lines.join('\n')
}

test('--print: the statements, without a Cassandra, a broker, or a name of the application', async () => {
  const table = [
    'CREATE TABLE IF NOT EXISTS "shop"."rows" (',
    '  "owner" text,',
    '  "id" int,',
    '  "number" int,',
    '  "text" text,',
    '  PRIMARY KEY (("owner"), "id")',
    ') WITH CLUSTERING ORDER BY ("id" ASC);',
  ].join('\n')
  assert.equal(await printed({}, { WEIR_CASSANDRA_KEYSPACE: 'shop' }), table)
  const keyspace = (copies: string): string =>
    `CREATE KEYSPACE IF NOT EXISTS "shop" WITH replication = {'class': 'NetworkTopologyStrategy', ${copies}};\n${table}`
  assert.equal(await printed({ replication: '3' }, settings), keyspace("'dc1': 3"))
  assert.equal(
    await printed({ replication: 'dc1:3, dc 2:2' }, { WEIR_CASSANDRA_KEYSPACE: 'shop' }),
    keyspace("'dc1': 3, 'dc 2': 2"),
  )
  // A guarantee says nothing of tables.
  assert.equal(await printed({}, { ...settings, WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2' }), table)
})

test('what is given wrongly', async () => {
  await assert.rejects(printed({}, {}), {
    problems: ['WEIR_CASSANDRA_KEYSPACE is not set: the tables are in a keyspace'],
  })
  await assert.rejects(printed({ replication: '3' }, { WEIR_CASSANDRA_KEYSPACE: 'shop' }), {
    problems: [
      'WEIR_CASSANDRA_LOCAL_DATACENTER is not set: --replication 3 is that of the local data centre',
    ],
  })
  for (const replication of ['0', 'dc1', 'dc1:0', 'dc1:1,dc1:2', "a':1"])
    await assert.rejects(printed({ replication }, settings), {
      code: 'config-invalid',
      message: `--replication ${replication}: expected a number of copies from 1 (of the local data centre), or dc1:3,dc2:2`,
    })
  await assert.rejects(
    initCassandra(module, {}, () => {}, {}),
    {
      code: 'config-invalid',
      message: /WEIR_CASSANDRA_CONTACT_POINTS is not set: the topology writes to table rows in Cassandra/,
    },
  )
})

test('a topology without tables needs nothing', async () => {
  const lines: string[] = []
  await initCassandra('test/support/topologies/count.ts', {}, (line) => lines.push(line), {})
  assert.deepEqual(lines, ['the topology writes to no table in Cassandra'])
})
