import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import cassandra from 'cassandra-driver'
import { startCassandra } from './cassandra.ts'
import { startKafka } from './kafka.ts'
import {
  committedOffsets,
  createTopics,
  deleteTopics,
  endOffsets,
  listTopics,
  produceAll,
  readAll,
  withConsumer,
} from './kafka-client.ts'
import { describeTopics } from './kafka-tools.ts'
import { startRegistry } from './registry.ts'

test('Kafka: topics, records, offsets, and a restart after SIGKILL', async () => {
  await using kafka = await startKafka({ properties: { 'log.cleaner.backoff.ms': 100 } })
  const { bootstrapServers } = kafka
  await createTopics(bootstrapServers, [
    { topic: 'plain', partitions: 3 },
    {
      topic: 'log',
      partitions: 2,
      configs: { 'cleanup.policy': 'compact,delete', 'retention.ms': 86_400_000 },
    },
  ])
  const described = await describeTopics(bootstrapServers, ['log'])
  assert.equal(described.get('log')?.partitions, 2)
  assert.equal(described.get('log')?.configs['cleanup.policy'], 'compact,delete')
  assert.equal(described.get('log')?.configs['retention.ms'], '86400000')

  const records = Array.from({ length: 3_000 }, (_, i) => ({
    key: `key-${i % 100}`,
    value: `value-${i}`,
    timestamp: 1_000 + i,
  }))
  await produceAll(bootstrapServers, 'plain', records)
  const stored = await readAll(bootstrapServers, 'plain')
  const byTimestamp = stored.toSorted((a, b) => a.timestamp - b.timestamp)
  assert.deepEqual(
    byTimestamp.map(({ key, value, timestamp }) => ({ key: String(key), value: String(value), timestamp })),
    records,
  )
  // Kafka's published murmur2 of '21' is -973932308.
  await produceAll(bootstrapServers, 'plain', [{ key: '21', value: null, headers: [['trace', 'a']] }])
  const last = (await readAll(bootstrapServers, 'plain')).find(({ key }) => String(key) === '21')
  assert.equal(last?.partition, (-973932308 & 0x7fffffff) % 3)
  assert.equal(last?.value, null)
  assert.deepEqual(last?.headers, [['trace', Buffer.from('a')]])

  await produceAll(bootstrapServers, 'log', [{ key: 'a', value: 'committed' }], {
    partition: 1,
    transaction: { id: 't0', end: 'commit' },
  })
  await produceAll(bootstrapServers, 'log', [{ key: 'b', value: 'aborted' }], {
    partition: 1,
    transaction: { id: 't1', end: 'abort' },
  })
  const valuesOf = async (isolationLevel: 'read_committed' | 'read_uncommitted') =>
    (await readAll(bootstrapServers, 'log', isolationLevel)).map(({ value }) => String(value))
  assert.deepEqual(await valuesOf('read_committed'), ['committed'])
  assert.deepEqual(await valuesOf('read_uncommitted'), ['committed', 'aborted'])
  await produceAll(bootstrapServers, 'log', [{ key: 'c', value: 'open' }], {
    partition: 0,
    transaction: { id: 't2', end: 'none' },
  })
  assert.deepEqual((await endOffsets(bootstrapServers, 'log', 'read_uncommitted'))[0], 1)
  assert.deepEqual((await endOffsets(bootstrapServers, 'log', 'read_committed'))[0], 0)

  await withConsumer(bootstrapServers, { 'group.id': 'readers' }, async (consumer) => {
    consumer.commitSync({ topic: 'plain', partition: 1, offset: 17 })
  })
  assert.deepEqual(await committedOffsets(bootstrapServers, 'readers', 'plain'), [null, 17, null])

  const firstPid = kafka.pid
  await kafka.kill9()
  assert.throws(() => kafka.pid, /not running/)
  await kafka.restart()
  assert.notEqual(kafka.pid, firstPid)
  assert.equal((await readAll(bootstrapServers, 'plain')).length, 3_001)
  await deleteTopics(bootstrapServers, ['plain'])
  assert.equal((await listTopics(bootstrapServers)).has('plain'), false)
  await kafka.stop()
  assert.equal(existsSync(dirname(kafka.logFile)), false)
})

test('Cassandra: a table over the native protocol', async () => {
  await using service = await startCassandra()
  const { host, port, localDataCenter } = service
  const client = new cassandra.Client({ contactPoints: [`${host}:${port}`], localDataCenter })
  try {
    await client.execute(
      "CREATE KEYSPACE demo WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    )
    await client.execute('CREATE TABLE demo.rows (pk text, ck int, value text, PRIMARY KEY (pk, ck))')
    const insert = 'INSERT INTO demo.rows (pk, ck, value) VALUES (?, ?, ?)'
    for (const ck of [3, 1, 2]) await client.execute(insert, ['a', ck, `v${ck}`], { prepare: true })
    const result = await client.execute('SELECT ck, value FROM demo.rows WHERE pk = ?', ['a'], {
      prepare: true,
    })
    assert.deepEqual(
      result.rows.map((row) => [row.ck, row.value]),
      [
        [1, 'v1'],
        [2, 'v2'],
        [3, 'v3'],
      ],
    )
  } finally {
    await client.shutdown()
  }
})

test('Schema registry: a schema is registered and read back', async () => {
  await using registry = await startRegistry()
  const schema = JSON.stringify({
    type: 'record',
    name: 'PageView',
    fields: [{ name: 'durationMs', type: 'long' }],
  })
  const posted = await fetch(`${registry.url}/subjects/page-views-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  })
  assert.equal(posted.status, 200)
  const { id } = (await posted.json()) as { id: number }
  const got = await fetch(`${registry.url}/schemas/ids/${id}`)
  const body = (await got.json()) as { schema: string }
  assert.deepEqual(JSON.parse(body.schema), JSON.parse(schema))
})
