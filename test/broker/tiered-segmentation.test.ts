/** The tiered variant of examples/segmentation on real servers: it says what a plain computation does, and its table has the members, though a worker and its disk are lost. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type cassandra from 'cassandra-driver'

import { bucketOf } from '../../examples/segmentation/members.ts'
import type { SegmentChange } from '../../examples/segmentation/records.ts'
import { type CassandraService, startCassandra } from '../services/cassandra.ts'
import { startKafka } from '../services/kafka.ts'
import { type RegistryService, startRegistry } from '../services/registry.ts'
import { sumOf } from '../support/count-application.ts'
import { connect } from '../support/rows-application.ts'
import { Random } from '../support/seed.ts'
import { SegmentationApplication } from '../support/segmentation-application.ts'
import { untilWritten } from '../support/tiered-worker.ts'
import { runWeir, sameMember } from '../support/weir-process.ts'

const MODULE = 'examples/segmentation/tiered-topology.ts'

describe('examples/segmentation, tiered', () => {
  let registry: RegistryService
  let service: CassandraService
  let client: cassandra.Client

  before(async () => {
    ;[registry, service] = await Promise.all([startRegistry(), startCassandra()])
    client = connect(service)
    await client.connect()
  })
  after(async () => {
    await client?.shutdown()
    await registry?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  for (const guarantee of ['at_least_once', 'exactly_once_v2'])
    test(`${guarantee}: a worker and its disk are lost; changes and members are those of a plain computation`, async (t) => {
      await using kafka = await startKafka()
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const keyspace = `segmentation_${guarantee}`
      const env = {
        ...sameMember,
        WEIR_PROCESSING_GUARANTEE: guarantee,
        WEIR_CASSANDRA_CONTACT_POINTS: `${service.host}:${service.port}`,
        WEIR_CASSANDRA_LOCAL_DATACENTER: service.localDataCenter,
        WEIR_CASSANDRA_KEYSPACE: keyspace,
        // Users are dropped and loaded again all the time.
        WEIR_COMMIT_INTERVAL_MS: '50',
        WEIR_TIERED_STORE_LOCAL_BYTES: '0',
        WEIR_STATESTORE_CACHE_MAX_BYTES: '10000',
      }
      const init = await runWeir(['cassandra', 'init', MODULE, '--replication', '1'], env)
      assert.equal(init.code, 0, init.stderr)
      const application = await SegmentationApplication.make({
        module: MODULE,
        applicationId: keyspace.replaceAll('_', '-'),
        bootstrapServers: kafka.bootstrapServers,
        registryUrl: registry.url,
        env,
      })
      await application.give(1_000, 200, random)
      // Who makes them leave, after the worker is gone, has never seen them.
      await application.giveBuyers(100)
      await application.give(11_000, 200, random)
      {
        await using worker = await application.start('one')
        await worker.until(
          async () => (await worker.recordsProcessed()) > 4_000,
          'has not processed 4,000 records',
          60_000,
          5,
        )
        await worker.kill9()
      }
      const { committed, remaining } = await application.lag()
      t.diagnostic(`killed with ${committed} records committed, ${remaining} not`)
      await using worker = await application.start('two')
      for (let round = 0; round < 4; round++) {
        await application.give(2_000, 200, random)
        await application.consumed(worker)
      }
      await application.giveBuyers(100)
      await application.consumed(worker, 'segment-changes')
      await untilWritten(worker)
      const loads = await sumOf(worker, 'weir_tiered_reads_total', 'tier="cassandra"')
      t.diagnostic(`${loads} loads`)
      assert.ok(loads > 2 * 2 * 200, `${loads} loads`)
      const members = (await application.models()).flatMap((model) => model.members())
      assert.ok(members.length >= 100, `${members.length} members; ${seed}`)
      assert.deepEqual(await membersIn(client, keyspace), sorted(members.map(rowOf)), seed)

      await application.giveLast()
      await application.consumed(worker, 'segment-changes')
      await untilWritten(worker)
      t.diagnostic(await application.assertChanges(seed, guarantee === 'exactly_once_v2'))
      assert.deepEqual(await membersIn(client, keyspace), [], seed)
      const { rowLength } = await client.execute(`SELECT prefix FROM ${keyspace}.memberships`)
      assert.equal(rowLength, 0, seed)
      await worker.stop()
    })
})

type MemberRow = readonly [segment: string, bucket: number, user: string, rule: string, sinceMs: number]

function rowOf({ segment, user, rule, at }: SegmentChange): MemberRow {
  return [segment, bucketOf(user), user, rule, at]
}

async function membersIn(client: cassandra.Client, keyspace: string): Promise<MemberRow[]> {
  const { rows } = await client.execute(
    `SELECT segment, bucket, user, rule, since FROM ${keyspace}.members`,
    [],
    { fetchSize: 5_000 },
  )
  return sorted(
    rows.map(
      ({ segment, bucket, user, rule, since }): MemberRow => [
        segment as string,
        bucket as number,
        user as string,
        rule as string,
        (since as Date).getTime(),
      ],
    ),
  )
}

function sorted(rows: readonly MemberRow[]): MemberRow[] {
  return rows.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
}
