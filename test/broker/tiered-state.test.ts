/** Tiered stores on a real Kafka and a real Cassandra: what they say is what the records say, wherever the task runs. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import cassandra from 'cassandra-driver'

import { type CassandraService, startCassandra } from '../services/cassandra.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { sumOf } from '../support/count-application.ts'
import { Random } from '../support/seed.ts'
import { TieredApplication } from '../support/tiered-application.ts'
import { sameMember } from '../support/weir-process.ts'

describe('tiered stores', () => {
  let kafka: KafkaService
  let service: CassandraService
  let client: cassandra.Client

  before(async () => {
    ;[kafka, service] = await Promise.all([
      startKafka({ properties: { 'group.min.session.timeout.ms': 1_000 } }),
      startCassandra(),
    ])
    client = new cassandra.Client({
      contactPoints: [`${service.host}:${service.port}`],
      localDataCenter: service.localDataCenter,
    })
    await client.connect()
  })
  after(async () => {
    await client?.shutdown()
    await kafka?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  const make = (name: string, env: Record<string, string> = {}): Promise<TieredApplication> =>
    TieredApplication.make({ bootstrapServers: kafka.bootstrapServers, service, client, name, env })

  test('a worker is killed; one with an empty disk goes on at once, with all counts', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const application = await make('moved', sameMember)
    await application.give(random, 3_000, 300)
    {
      await using worker = await application.start('one')
      await application.consumed(worker)
      await worker.kill9()
    }
    await application.give(random, 3_000, 400)
    await using worker = await application.start('two')
    await application.consumed(worker)
    await application.assertCounts(seed)
    assert.equal(await sumOf(worker, 'weir_restore_records_total'), 0)
    await worker.stop()
  })
})
