/** Tiered stores by prefix on a real Kafka and a real Cassandra: a join finds the rows that the records say, wherever the task runs. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type cassandra from 'cassandra-driver'

import { CassandraRowSession } from '../../src/cassandra/row-session.ts'
import type { RowWrite } from '../../src/cassandra/row-write.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { stores } from '../../src/topology/stores.ts'
import { type CassandraService, startCassandra } from '../services/cassandra.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { sumOf } from '../support/count-application.ts'
import { connect } from '../support/rows-application.ts'
import { Random } from '../support/seed.ts'
import { TieredJoinApplication } from '../support/tiered-join-application.ts'
import { sameMember } from '../support/weir-process.ts'

describe('tiered stores by prefix', () => {
  let kafka: KafkaService
  let service: CassandraService
  let client: cassandra.Client

  before(async () => {
    ;[kafka, service] = await Promise.all([
      startKafka({ properties: { 'group.min.session.timeout.ms': 1_000 } }),
      startCassandra({ durable: true }),
    ])
    client = connect(service)
    await client.connect()
  })
  after(async () => {
    await client?.shutdown()
    await kafka?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  const make = (name: string, env: Record<string, string> = {}): Promise<TieredJoinApplication> =>
    TieredJoinApplication.make({ bootstrapServers: kafka.bootstrapServers, service, client, name, env })

  for (const guarantee of ['at_least_once', 'exactly_once_v2'])
    test(`${guarantee}: a worker is killed; one with an empty disk joins with all rows`, async (t) => {
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const application = await make(`joined-${guarantee.replaceAll('_', '-')}`, {
        ...sameMember,
        WEIR_PROCESSING_GUARANTEE: guarantee,
      })
      await application.give(random, 3_000, 200)
      {
        await using worker = await application.start('one')
        // Cassandra may not have everything.
        await application.consumed(worker)
        await worker.kill9()
      }
      await application.give(random, 3_000, 300)
      await using worker = await application.start('two')
      await application.written(worker)
      await application.assertJoined(seed)
      await worker.stop()
    })

  test('a prefix is read page by page; one with too many rows, or bytes, is not', async () => {
    const application = await make('limited')
    const session = await CassandraRowSession.open(application.config().cassandra, () => {})
    await session.connect()
    const { table } = stores.tieredByPrefix({
      name: 'orders',
      prefix: serdes.string,
      rest: serdes.int32,
      value: serdes.string,
      table: 'limited',
    }).tier!
    const rows = Array.from({ length: 2_500 }, (_, index): RowWrite => {
      const rest = Buffer.alloc(4)
      rest.writeInt32BE(index)
      return {
        table,
        partition: 'ann',
        goesWithOthers: true,
        key: [Buffer.from('ann'), rest],
        values: [Buffer.from('x'.repeat(10)), 7n],
        ttlSeconds: 0,
        timestampUs: 1n,
        source: { taskId: '0_0', node: 'orders', table: 'limited', asked: null },
      }
    })
    for (let start = 0; start < rows.length; start += 100)
      await session.write(table, rows.slice(start, start + 100))
    const read = (rowsMax: number, bytesMax = 1 << 20) =>
      session.readPartition(table, [Buffer.from('ann')], { rowsMax, bytesMax })
    const whole = await read(2_500)
    assert.deepEqual(
      whole?.map(({ rest, value, ts }) => [rest, value, ts]),
      rows.map(({ key, values }) => [key[1], ...values!]),
    )
    assert.equal(await read(2_499), null)
    assert.equal(await read(2_500, 30_000), null)
    assert.deepEqual(
      await session.readPartition(table, [Buffer.from('ben')], { rowsMax: 1, bytesMax: 1 }),
      [],
    )
    await session.close()
  })

  const kept = [
    ['has the prefixes of its batches', 'dropped', {}],
    ['loads prefix by prefix, in an async processor', 'loaded', { TIERED_ASYNC: 'true' }],
  ] as const
  for (const [what, name, env] of kept)
    test(`a task that keeps nothing here ${what}`, async (t) => {
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const application = await make(name, {
        ...env,
        TIERED_LOCAL_BYTES: '0',
        WEIR_STATESTORE_CACHE_MAX_BYTES: '10000',
        WEIR_COMMIT_INTERVAL_MS: '20',
      })
      await using worker = await application.start('one')
      for (let round = 0; round < 5; round++) {
        await application.give(random, 1_000, 200)
        await application.written(worker)
      }
      await application.assertJoined(seed)
      const evictions = await sumOf(worker, 'weir_tiered_evictions_total')
      const loads = await sumOf(worker, 'weir_tiered_reads_total', 'tier="cassandra"')
      assert.ok(evictions >= 5, `${evictions} evictions`)
      // Each prefix once, and most of them again in each round.
      assert.ok(loads > 400, `${loads} loads`)
      await worker.stop()
    })

  test('Cassandra is killed and comes back: batches wait for their prefixes, nothing is lost', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const application = await make('away', {
      TIERED_LOCAL_BYTES: '0',
      WEIR_STATESTORE_CACHE_MAX_BYTES: '10000',
      WEIR_CASSANDRA_REQUEST_TIMEOUT_MS: '2000',
    })
    await application.give(random, 1_000, 100)
    await using worker = await application.start('one')
    await application.consumed(worker)
    await service.kill9()
    await application.give(random, 1_000, 150)
    await worker.until(
      async () => (await sumOf(worker, 'weir_cassandra_retries_total')) > 0,
      'asks for nothing',
    )
    await service.restart()
    await application.written(worker)
    await application.assertJoined(seed)
    await worker.stop()
  })
})
