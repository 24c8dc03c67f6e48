/** Tiered stores on a real Kafka and a real Cassandra: what they say is what the records say, wherever the task runs. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type cassandra from 'cassandra-driver'

import { type CassandraService, startCassandra } from '../services/cassandra.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { freePorts } from '../services/ports.ts'
import { sumOf } from '../support/count-application.ts'
import { connect } from '../support/rows-application.ts'
import { Random } from '../support/seed.ts'
import { assertShown, cassandraMetrics } from '../support/seen-metrics.ts'
import { TcpLink } from '../support/tcp-proxy.ts'
import { TieredApplication } from '../support/tiered-application.ts'
import { sameMember } from '../support/weir-process.ts'

describe('tiered stores', () => {
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

  const make = (name: string, env: Record<string, string> = {}): Promise<TieredApplication> =>
    TieredApplication.make({ bootstrapServers: kafka.bootstrapServers, service, client, name, env })

  for (const guarantee of ['at_least_once', 'exactly_once_v2'] as const) {
    test(`${guarantee}: a worker is killed; one with an empty disk goes on, with all counts`, async (t) => {
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const application = await make(`moved-${guarantee}`.replaceAll('_', '-'), {
        ...sameMember,
        WEIR_PROCESSING_GUARANTEE: guarantee,
        WEIR_REPARTITION_PURGE_INTERVAL_MS: '500',
      })
      await application.give(random, 3_000, 300)
      {
        await using worker = await application.start('one')
        await application.consumed(worker)
        // Cassandra has everything, and the group knows.
        await worker.until(async () => (await application.changelogRecords()) === 0, 'deletes nothing')
        await worker.kill9()
      }
      await application.give(random, 3_000, 400)
      {
        await using worker = await application.start('two')
        await application.consumed(worker)
        assert.equal(await sumOf(worker, 'weir_restore_records_total'), 0)
        // Perhaps it does not.
        await worker.kill9()
      }
      for (const disk of ['three', 'two']) {
        await application.give(random, 1_000, 400)
        await using worker = await application.start(disk)
        await application.consumed(worker)
        await worker.kill9()
      }
      await using worker = await application.start('three')
      await application.give(random, 1_000, 400)
      await application.written(worker)
      await application.assertCounts(seed)
      await worker.stop()
    })
  }

  test('tasks come back to a disk whose place in the changelog is gone: others have changed the rows meanwhile', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const application = await make('back', { WEIR_REPARTITION_PURGE_INTERVAL_MS: '500' })
    for (const [disk, purges] of [
      ['one', false],
      ['two', true],
      ['one', false],
    ] as const) {
      await application.give(random, 1_000, 200)
      await using worker = await application.start(disk)
      await application.consumed(worker)
      if (purges)
        await worker.until(async () => (await application.changelogRecords()) === 0, 'deletes nothing')
      await worker.stop()
    }
    await application.give(random, 100, 200)
    await using worker = await application.start('two')
    await application.written(worker)
    await application.assertCounts(seed)
    await worker.stop()
  })

  for (const [name, how] of [
    ['evicted', 'in batches'],
    ['loaded', 'one by one'],
  ] as const)
    test(`a task that keeps nothing here reads everything from Cassandra, ${how}`, async (t) => {
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const application = await make(name, {
        ...(name === 'loaded' && { TIERED_ASYNC: 'true' }),
        TIERED_LOCAL_BYTES: '0',
        WEIR_STATESTORE_CACHE_MAX_BYTES: '10000',
        WEIR_COMMIT_INTERVAL_MS: '100',
      })
      await using worker = await application.start('one')
      for (let round = 0; round < 5; round++) {
        await application.give(random, 1_000, 300)
        await application.written(worker)
      }
      await application.assertCounts(seed)
      const evictions = await sumOf(worker, 'weir_tiered_evictions_total')
      const reads = await sumOf(worker, 'weir_tiered_reads_total', 'tier="cassandra"')
      assert.ok(evictions >= 5, `${evictions} evictions`)
      // Each key once, and most of them again in each round.
      assert.ok(reads > 600, `${reads} reads`)
      await worker.stop()
    })

  test('a reset empties the table: all is counted anew, also on a disk that has rows', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const application = await make('begun-anew')
    await application.give(random, 1_000, 200)
    {
      await using worker = await application.start('one')
      await application.written(worker)
      await application.assertCounts(seed)
      await worker.stop()
    }
    const { code, stdout, stderr } = await application.reset('one')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /Tables of tiered stores in Cassandra that are emptied\n {2}begun_anew\n/)
    assert.equal((await application.rows()).size, 0)
    await using worker = await application.start('one')
    await application.written(worker)
    await application.assertCounts(seed)
    await worker.stop()
  })

  test('what a member writes that lost its task, late, leaves the rows of its successor as they are', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const [port] = (await freePorts(1)) as [number]
    await using link = await TcpLink.listen(port, service.port)
    const application = await make('fenced', { WEIR_SESSION_TIMEOUT_MS: '3000' })
    // Its requests go through the link.
    await using former = await application.start('one', {
      WEIR_CASSANDRA_CONTACT_POINTS: `${service.host}:${port}`,
      WEIR_CASSANDRA_REQUEST_TIMEOUT_MS: '300000',
    })
    await application.give(random, 500, 50, false)
    await application.consumed(former)
    link.mode = 'stalled'
    await application.give(random, 500, 50, false)
    // What it still had to put out would come late, too, and under at-least-once be the last word.
    await application.consumed(former)
    await former.until(
      async () => (await sumOf(former, 'weir_cassandra_requests_in_flight')) > 0,
      'writes nothing',
    )
    former.pause()
    await application.give(random, 500, 50, false)
    await using successor = await application.start('two')
    await application.written(successor)
    await application.assertCounts(seed)
    // The requests of the former owner come now.
    link.mode = 'open'
    former.resume()
    await former.until(
      () => /partitions lost|tasks were lost/.test(former.output),
      'does not notice that its tasks are lost',
    )
    await former.until(
      async () => (await sumOf(former, 'weir_cassandra_requests_in_flight')) === 0,
      'still writes',
    )
    await application.assertCounts(seed)
    await application.give(random, 500, 60, false)
    await successor.whileRunning(application.written(former))
    await application.written(successor)
    await application.assertCounts(seed)
    await former.stop()
    await successor.stop()
  })

  test('Cassandra is killed and comes back: batches wait, nothing is lost', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const application = await make('away', {
      TIERED_LOCAL_BYTES: '0',
      WEIR_STATESTORE_CACHE_MAX_BYTES: '10000',
      WEIR_CASSANDRA_REQUEST_TIMEOUT_MS: '2000',
    })
    await application.give(random, 2_000, 300)
    await using worker = await application.start('one')
    // What is on its way need not be asked for.
    await application.written(worker)
    await service.kill9()
    await application.give(random, 2_000, 300)
    await worker.until(
      async () =>
        /^Cassandra has not answered stream thread \d for \d+ s: /.test(await probe(worker.httpPort)),
      'does not tell',
    )
    assert.ok((await application.remaining()) > 0)
    await service.restart()
    await application.written(worker)
    await worker.until(async () => (await probe(worker.httpPort)) === '', 'is not ready again')
    await application.assertCounts(seed)
    await assertShown(worker, cassandraMetrics)
    await worker.stop()
  })
})

/** Why a worker is not ready; empty: it is. */
async function probe(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  return response.ok ? '' : ((await response.json()) as { reason: string }).reason
}
