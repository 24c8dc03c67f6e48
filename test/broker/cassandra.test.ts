/** Rows in a real Cassandra: what is there after kills, outages and refusals is what the records say. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type cassandra from 'cassandra-driver'

import { readToEnd } from '../../examples/support/kafka.ts'
import { cassandra as cassandraTables } from '../../src/cassandra/cassandra.ts'
import type { CassandraTable } from '../../src/cassandra/cassandra-table.ts'
import type { CqlType } from '../../src/cassandra/column-types.ts'
import { createTable } from '../../src/cassandra/cql.ts'
import { CassandraRowSession } from '../../src/cassandra/row-session.ts'
import { CassandraSession } from '../../src/cassandra/session.ts'
import { Headers } from '../../src/process/headers.ts'
import { type CassandraService, startCassandra } from '../services/cassandra.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeCassandraSecurity } from '../support/cassandra-security.ts'
import { sumOf } from '../support/count-application.ts'
import { connect, RowsApplication } from '../support/rows-application.ts'
import { Random } from '../support/seed.ts'
import type { WeirProcess } from '../support/weir-process.ts'

const replication = ['--replication', '1']

describe('rows in Cassandra', () => {
  let kafka: KafkaService
  let service: CassandraService
  let client: cassandra.Client
  const security = makeCassandraSecurity()

  before(async () => {
    ;[kafka, service] = await Promise.all([
      startKafka({ properties: { 'group.min.session.timeout.ms': 1_000 } }),
      startCassandra({ config: security.config, durable: true }),
    ])
    client = connect(service)
    await client.connect()
  })
  after(async () => {
    await client?.shutdown()
    await kafka?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  const make = (name: string, env: Record<string, string> = {}): Promise<RowsApplication> =>
    RowsApplication.make({ bootstrapServers: kafka.bootstrapServers, service, client, name, env })

  test('weir cassandra init creates what is missing, and refuses what is different; weir run says so', async () => {
    const application = await make('tables')
    const early = await application.run()
    assert.equal(early.code, 1)
    assert.match(
      early.stderr,
      /^weir: keyspace weir_test \(WEIR_CASSANDRA_KEYSPACE\) does not exist in Cassandra: weir cassandra init creates what is missing$/m,
    )
    const unsaid = await application.init()
    assert.equal(unsaid.code, 2)
    assert.match(
      unsaid.stderr,
      /^weir: keyspace weir_test does not exist in Cassandra: say how many copies it has, with --replication 3/m,
    )

    const first = await application.init(...replication)
    assert.deepEqual(
      [first.code, first.stdout],
      [0, 'keyspace weir_test: created\ntable tables: created\n'],
      first.stderr,
    )
    assert.equal((await application.init()).stdout, 'table tables: is there\n')

    await client.execute('ALTER TABLE weir_test.tables ADD note text')
    assert.equal(
      (await application.init()).code,
      0,
      'a column that the topology does not know is no difference',
    )
    await client.execute('ALTER TABLE weir_test.tables DROP number')
    const told =
      /^weir: table tables of keyspace weir_test is not what the topology needs: column number int is missing; weir cassandra init --print shows what is needed$/m
    for (const { code, stderr } of [await application.init(), await application.run()]) {
      assert.equal(code, 1)
      assert.match(stderr, told)
    }
    const denied = await application.run({ WEIR_CASSANDRA_PASSWORD: 'wrong' })
    assert.equal(denied.code, 1)
    assert.match(
      denied.stderr,
      /^weir: Cassandra at \S+ refuses the credentials, or a permission is missing: .*incorrect.*$/m,
    )
    const wrong = await application.run({ WEIR_CASSANDRA_LOCAL_DATACENTER: 'nowhere' })
    assert.equal(wrong.code, 2, wrong.stderr)
    assert.match(wrong.stderr, /^weir: WEIR_CASSANDRA_LOCAL_DATACENTER=nowhere: /m)
  })

  test('columns of every type: what is written is what was given; a deletion, a time to live, an older write', async () => {
    const uuid = '1b4e28ba-2fa1-11d2-883f-0016d3cca427'
    const given = {
      c_ascii: ['ascii', 'abc', 'abc'],
      c_bigint: ['bigint', -(2n ** 63n), '-9223372036854775808'],
      c_blob: ['blob', new Uint8Array([1, 255]), '01ff'],
      c_boolean: ['boolean', true, 'true'],
      c_date: ['date', '2024-02-29', '2024-02-29'],
      c_decimal: ['decimal', '-12.50', '-12.50'],
      c_double: ['double', 0.1, '0.1'],
      c_float: ['float', 1.5, '1.5'],
      c_inet: ['inet', '::1', '::1'],
      c_int: ['int', -2_147_483_648, '-2147483648'],
      c_smallint: ['smallint', 32_767, '32767'],
      c_text: ['text', 'größe', 'größe'],
      c_time: ['time', '23:59:59.123456789', '23:59:59.123456789'],
      c_timestamp: ['timestamp', 1_700_000_000_001, '1700000000001'],
      c_timeuuid: ['timeuuid', uuid, uuid],
      c_tinyint: ['tinyint', -128, '-128'],
      c_uuid: ['uuid', uuid, uuid],
      c_varint: ['varint', 2n ** 100n, '1267650600228229401496703205376'],
      c_set: ['set<int>', [2, 1, 2], '[1,2]'],
      c_map: ['map<text, bigint>', { a: 1 }, '{"a":"1"}'],
      c_int_map: ['map<int, text>', new Map([[7, 'b']]), '{"7":"b"}'],
      c_list: ['frozen<list<int>>', [2, 1, 2], '[2,1,2]'],
    } as const
    const table = cassandraTables.table({
      name: 'types',
      partitionKey: { id: 'int' },
      columns: Object.fromEntries(Object.entries(given).map(([name, [type]]) => [name, type])) as Record<
        string,
        CqlType
      >,
      map: (_: number, row: object) => row,
      ttlSeconds: (_, row: object) => ('c_int' in row ? 1_000 : null),
    }) as CassandraTable
    const application = await make('types')
    await client.execute(createTable('weir_test', table.schema))
    const session = await CassandraRowSession.open(application.config().cassandra, () => {})
    await session.connect()
    const source = { taskId: '0_0', node: 'SINK', table: 'types', asked: null }
    const write = (id: number, value: unknown, timestampUs: number) => {
      const record = { key: id, value, timestamp: 1, headers: Headers.empty }
      const [key, values] = [table.keyOf(record)!, table.valuesOf(record)]
      const ttlSeconds = values === null ? 0 : table.ttlOf(record)
      return {
        table,
        partition: String(id),
        goesWithOthers: false,
        key,
        values,
        ttlSeconds,
        timestampUs,
        source,
      }
    }
    const row = Object.fromEntries(Object.entries(given).map(([name, [, value]]) => [name, value]))
    const read = async (id: number) =>
      (await client.execute('SELECT * FROM weir_test.types WHERE id = ?', [id], { prepare: true })).first()
    const ttlOf = async (id: number) =>
      (
        await client.execute('SELECT ttl(c_text) AS ttl FROM weir_test.types WHERE id = ?', [id], {
          prepare: true,
        })
      ).first()?.ttl

    await session.write(table, [write(1, row, 1_000)])
    const found = await read(1)
    for (const [name, [, , text]] of Object.entries(given)) assert.equal(textOf(found![name]), text, name)
    assert.ok((await ttlOf(1)) > 900)
    // Without a column it has no value any more; without a time to live the row stays.
    await session.write(table, [write(1, { c_text: 'b' }, 2_000), write(1, { c_text: 'a' }, 1_500)])
    const [second, ttl] = [await read(1), await ttlOf(1)]
    assert.deepEqual([second!.c_text, second!.c_int, second!.c_set, ttl], ['b', null, null, null])
    await session.write(table, [write(1, null, 1_900)])
    assert.notEqual(await read(1), null)
    await session.write(table, [write(1, null, 2_001), write(1, row, 1_800)])
    assert.equal(await read(1), null)
    assert.equal(await session.problemOf(table), null)
    await session.close()
  })

  // Each has an application of its own, and waits for most of its time.
  describe('while it runs', { concurrency: 3 }, () => {
    test('updates and deletes, over workers that are killed: rows are the last records, and never go back', async (t) => {
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const application = await make('killed', { WEIR_COMMIT_INTERVAL_MS: '5000' })
      assert.equal((await application.init(...replication)).code, 0)
      const minutes = Math.floor((Date.now() - Date.UTC(2024, 0, 1)) / 60_000)
      {
        await using watch = application.watch()
        for (const records of [8_000, 8_000]) {
          await application.give(random, records, 300)
          await using worker = await application.start()
          await worker.until(
            async () => (await worker.recordsProcessed()) > records / 3,
            'processes nothing',
            60_000,
            5,
          )
          await sleep(random.below(1_500))
          await worker.kill9()
          assert.ok((await application.remaining('updates')) > 0, 'killed too late')
        }
        await application.give(random, 1_000, 300)
        await using worker = await application.start({ WEIR_COMMIT_INTERVAL_MS: '300' })
        await application.consumed(worker, 'updates')
        assert.ok(watch.looks() > 10, `${watch.looks()} looks`)
        const requests = (): Promise<number> => sumOf(worker, 'weir_cassandra_request_seconds_count')
        const written = (): Promise<number> =>
          sumOf(worker, 'weir_cassandra_rows_written_total', 'table="killed"')
        await worker.until(async () => (await requests()) > 0, 'has made no request')
        assert.ok((await written()) >= (await requests()))
        assert.equal(await sumOf(worker, 'weir_cassandra_requests_in_flight'), 0)
        // Also those are counted that ended before a commit of theirs.
        assert.ok((await application.starts()) >= minutes + 3)
        await worker.stop()
      }
      await application.assertRows(seed)
    })

    test('a row that Cassandra does not take ends the thread, or is dropped with a dead letter', async (t) => {
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const application = await make('large', {
        WEIR_CASSANDRA_SSL: 'true',
        WEIR_CASSANDRA_SSL_CA_LOCATION: security.caFile,
      })
      assert.equal((await application.init(...replication)).code, 0)
      await application.give(random, 200, 20)
      // 17 MiB are more than a request may have, or a mutation.
      await application.giveLarge(17 << 20)
      await application.give(random, 200, 20)
      {
        await using worker = await application.start()
        const { code, stderr } = await worker.exited
        assert.equal(code, 1)
        assert.match(
          stderr,
          /^weir: task 0_\d, sink CASSANDRA-SINK-\d+: a record cannot be a row of table large in Cassandra: Request is too big: length \d+ exceeds maximum allowed length 16777216\.$/m,
        )
      }
      await using worker = await application.start({
        WEIR_PRODUCTION_EXCEPTION_HANDLER: 'continue',
        WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: application.topic('letters'),
      })
      await application.consumed(worker, 'updates')
      await worker.stop()
      await application.assertRows(`seed ${random.seed}`)
      const [letter, ...others] = await readToEnd(kafka.bootstrapServers, application.topic('letters'))
      assert.deepEqual(others, [])
      assert.equal(String(letter!.key), 'large/1')
      const headers = new Map(letter!.headers.map(([name, value]) => [name, String(value)]))
      assert.equal(headers.get('__streams.errors.topic'), application.topic('updates'))
      assert.match(headers.get('__streams.errors.message')!, /^Request is too big/)
    })

    test('exactly once: refused without a topic; through one, over a worker that is killed', async (t) => {
      const random = new Random()
      const seed = `seed ${random.seed}`
      t.diagnostic(seed)
      const application = await make('once', { WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2' })
      const direct = await application.run()
      assert.equal(direct.code, 2)
      assert.match(
        direct.stderr,
        /^weir: sink CASSANDRA-SINK-\d+ writes to table once in Cassandra what a transaction may abort .*under exactly_once_v2 records have to go through a topic: to\(table, \{ through: 'topic' \}\)$/m,
      )
      assert.equal((await application.init(...replication)).code, 0)
      const through = { ROWS_THROUGH: application.topic('through') }
      await application.give(random, 6_000, 200)
      {
        await using watch = application.watch()
        {
          await using worker = await application.start(through)
          await worker.until(
            async () => (await worker.recordsProcessed()) > 2_000,
            'processes nothing',
            60_000,
            5,
          )
          await worker.kill9()
        }
        await using worker = await application.start(through)
        await application.consumed(worker, 'updates', 'through')
        assert.ok(watch.looks() > 0)
        await worker.stop()
      }
      await application.assertRows(seed)
      const records = await readToEnd(kafka.bootstrapServers, application.topic('through'))
      assert.equal(records.length, 6_000, seed)
    })

    test('a permission that is missing ends the worker; a certificate that nobody vouches for is not taken', async () => {
      const application = await make('denied', {
        WEIR_CASSANDRA_USERNAME: 'reader',
        WEIR_CASSANDRA_PASSWORD: 'secret',
      })
      await client.execute("CREATE ROLE reader WITH PASSWORD = 'secret' AND LOGIN = true")
      await client.execute(
        'CREATE TABLE weir_test.denied (owner text, id int, number int, text text, PRIMARY KEY (owner, id))',
      )
      await application.give(new Random(), 10, 5)
      {
        await using worker = await application.start()
        const { code, stderr } = await worker.exited
        assert.equal(code, 1)
        assert.match(
          stderr,
          /^weir: Cassandra at \S+ refuses the credentials, or a permission is missing: .*reader has no MODIFY permission.*denied.*$/m,
        )
        assert.doesNotMatch(worker.output, /secret/)
      }
      const session = await CassandraSession.open(
        application.config({ WEIR_CASSANDRA_SSL: 'true' }).cassandra,
      )
      await assert.rejects(session.connect(), {
        code: 'cassandra-unreachable',
        message: /does not answer: no node answers: \S+: self-signed certificate/,
      })
      await session.close()
    })
  })

  test('Cassandra is killed and comes back: nothing is lost, others go on, who starts meanwhile waits', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    t.diagnostic(seed)
    const [application, other] = await Promise.all([
      make('away', {
        WEIR_CASSANDRA_REQUEST_TIMEOUT_MS: '3000',
        WEIR_SESSION_TIMEOUT_MS: '6000',
        WEIR_GROUP_INSTANCE_ID: '',
      }),
      make('other'),
    ])
    for (const one of [application, other]) assert.equal((await one.init(...replication)).code, 0)
    await using worker = await application.start()
    await using leaving = await application.start({}, 'leaving')
    await using doomed = await other.start()
    await Promise.all([worker, leaving].map((one) => one.ready()))
    const processes = (one: WeirProcess, records: number): Promise<void> =>
      one.until(async () => (await one.recordsProcessed()) > records, 'processes nothing', 60_000, 5)
    await Promise.all([application.give(random, 3_000, 300), other.give(random, 1_000, 50)])
    const writes = (one: WeirProcess): Promise<void> =>
      one.until(async () => (await sumOf(one, 'weir_cassandra_rows_written_total')) > 0, 'writes nothing')
    await Promise.all([worker, leaving, doomed].map(writes))
    await service.kill9()
    // The one has more than its queues take; the other is killed with what it has taken.
    await Promise.all([application.give(random, 20_000, 300), other.give(random, 1_000, 50)])
    await application.givePlain(2_000)
    await processes(doomed, 1_050)
    const away = /^Cassandra has not answered stream thread \d for \d+ s: /
    for (const one of [worker, leaving, doomed])
      await one.until(async () => away.test((await probe(one.httpPort)) ?? ''), 'does not tell')
    await doomed.kill9()
    // What it has taken goes to the one that stays, which gives up its own for that, too.
    await leaving.stop()
    await worker.until(
      () => /"partitions":4,[^}]*"partitions assigned"/.test(worker.output.slice(-3_000)),
      'does not get them',
    )
    // The tasks without rows are committed meanwhile; of the others nothing is that is not written.
    await worker.until(async () => (await application.remaining('plain')) === 0, 'does not go on')
    assert.ok((await application.remaining('updates')) > 2_000)
    await worker.until(async () => (await sumOf(worker, 'weir_cassandra_queue_rows')) > 0, 'keeps no rows')
    await worker.until(async () => {
      const before = await worker.recordsProcessed()
      await sleep(1_000)
      return (await worker.recordsProcessed()) === before
    }, 'goes on without room')

    const lines: string[] = []
    const ended = new AbortController()
    t.after(() => ended.abort())
    const starting = other.startHere((message) => lines.push(message), ended.signal)
    starting.catch(() => {})
    const waits = 'Cassandra does not answer yet; trying again'
    await worker.until(() => lines.includes(waits), 'runs, and the other does not wait')
    // Longer than a session: the group still knows the first.
    await sleep(5_000)
    assert.equal(worker.hasEnded, false, worker.output)
    await service.restart()
    await application.consumed(worker, 'updates')
    const second = await starting
    await other.consumed(null, 'updates')
    await second.close()
    assert.equal(lines.filter((line) => line === waits).length, 1)
    assert.equal(await probe(worker.httpPort), null)
    assert.match(worker.output, /Cassandra answers again/)
    assert.doesNotMatch(worker.output, /partitions lost/)
    await worker.until(
      async () => (await sumOf(worker, 'weir_cassandra_retries_total')) > 0,
      'has no retries',
    )
    await worker.stop()
    await application.assertRows(seed)
    await other.assertRows(seed)
  })
})

/** Why a worker is not ready; null: it is. */
async function probe(port: number): Promise<string | null> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  return response.ok ? null : ((await response.json()) as { reason: string }).reason
}

/** As text: the driver's own classes say it themselves. */
function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (value instanceof Date) return String(value.getTime())
  const isOwn =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== Object.prototype
  if (isOwn && !Array.isArray(value)) return String(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
