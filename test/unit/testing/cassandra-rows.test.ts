/** Tables in Cassandra as a test of a topology sees them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { cassandra, defineTopology, type FailedOutput, serdes, Topology } from '../../../src/index.ts'
import { type TestDriverOptions, TopologyTestDriver } from '../../../src/testing/index.ts'

interface View {
  readonly page: string
  readonly views?: number | string
}

const views = cassandra.table({
  name: 'views',
  partitionKey: { user: 'text' },
  clusteringKey: { page: 'text' },
  clusteringOrder: { page: 'desc' },
  columns: { views: 'bigint', seen: 'timestamp' },
  map: (_: string, value: View, { timestamp }) =>
    value.views === -1 ? null : { views: value.views as number, seen: timestamp },
  key: (user, { value }) => {
    if (user === 'nobody') return null
    const [name, page = ''] = user.split(' ')
    return { user: name!, page: value?.page ?? page }
  },
})
const input = { key: serdes.string, value: serdes.json<View>() }
const topology = defineTopology((builder) => {
  builder.stream('views', input).to(views)
})

async function open(options: TestDriverOptions = {}, given = topology) {
  const driver = await TopologyTestDriver.open(given, { initialWallClockTimeMs: 1_000_000, ...options })
  const topic = driver.createInputTopic('views', { key: serdes.string, value: serdes.json<unknown>() })
  return {
    driver,
    pipe: (key: string | null, value: unknown, timestamp: number) => topic.pipeInput(key, value, timestamp),
  }
}

describe('cassandraRows', () => {
  test('rows by their keys, in the order of the table; a later record wins, whatever its timestamp', async () => {
    const { driver, pipe } = await open()
    await pipe('bob', { page: 'a', views: 1 }, 5_000)
    await pipe('ada', { page: 'a', views: 2 }, 4_000)
    await pipe('ada', { page: 'b', views: 3 }, 4_000)
    await pipe('ada', { page: 'a', views: 4 }, 1_000)
    await pipe(null, { page: 'a', views: 4 }, 1_000)
    await pipe('nobody', { page: 'a', views: 4 }, 1_000)
    const seen = (timeMs: number) => new Date(timeMs)
    assert.deepEqual(driver.cassandraRows(views), [
      { user: 'ada', page: 'b', views: 3n, seen: seen(4_000) },
      { user: 'ada', page: 'a', views: 4n, seen: seen(1_000) },
      { user: 'bob', page: 'a', views: 1n, seen: seen(5_000) },
    ])
    assert.equal(driver.recordsDropped, 2)
    // No value, or none that the topology gives.
    await pipe('ada b', null, 1_000)
    await pipe('bob', { page: 'a', views: -1 }, 1_000)
    assert.deepEqual(driver.cassandraRows('views'), [
      { user: 'ada', page: 'a', views: 4n, seen: seen(1_000) },
    ])
    await pipe('bob', { page: 'a' }, 1_000)
    assert.deepEqual(driver.cassandraRows(views).at(-1), {
      user: 'bob',
      page: 'a',
      views: null,
      seen: seen(1_000),
    })
    assert.throws(() => driver.cassandraRows('other'), {
      name: 'RangeError',
      message: 'there is no table in Cassandra other; the topology writes to: views',
    })
    await driver.close()
  })

  test('rows with a time to live go with the wall clock', async () => {
    const table = cassandra.table({
      name: 'short',
      partitionKey: { user: 'text' },
      ttlSeconds: (_: string, value: number) => (value === 0 ? null : value),
    })
    const ttl = defineTopology((builder) => {
      builder.stream('views', { key: serdes.string, value: serdes.json<number>() }).to(table)
    })
    const { driver, pipe } = await open({}, ttl)
    await pipe('ada', 10, 0)
    await pipe('bob', 0, 0)
    await driver.advanceWallClockTime(9_999)
    assert.equal(driver.cassandraRows(table).length, 2)
    await driver.advanceWallClockTime(1)
    assert.deepEqual(driver.cassandraRows(table), [{ user: 'bob' }])
    await driver.close()
  })

  test('through a topic, and by the Processor API', async () => {
    const through = defineTopology((builder) => {
      builder.stream('views', input).to(views, { through: 'rows' })
    })
    const one = await open({}, through)
    await one.pipe('ada', { page: 'a', views: 1 }, 7)
    assert.equal(one.driver.cassandraRows(views).length, 1)
    const rows = one.driver.createOutputTopic('rows', input)
    assert.deepEqual(rows.readKeyValue(), { key: 'ada', value: { page: 'a', views: 1 } })
    await one.driver.close()

    const two = await open(
      {},
      new Topology()
        .addSource('in', { topics: 'views', ...input })
        .addCassandraSink('out', { parents: 'in', table: views }),
    )
    await two.pipe('ada', { page: 'a', views: 1 }, 7)
    assert.equal(two.driver.cassandraRows(views).length, 1)
    await two.driver.close()
  })

  test('what cannot be a row ends the task, with its place', async () => {
    const { driver, pipe } = await open()
    await assert.rejects(pipe('ada', { page: 'a', views: 'many' }, 7), {
      code: 'processing-failed',
      message:
        /^views partition 0 offset 0, processor CASSANDRA-SINK-0000000001: cassandra.table views: map: views: "many" is no bigint$/,
    })
    await driver.close()
  })

  test('or is dropped, with a dead letter of the input record', async () => {
    const { driver, pipe } = await open({
      productionExceptionHandler: 'continue',
      errorsDeadLetterQueueTopicName: 'letters',
    })
    await pipe('ada', { page: 'a', views: 'many' }, 7)
    await pipe('ada', { page: 'b', views: 2 }, 8)
    assert.deepEqual(
      driver.cassandraRows(views).map(({ page }) => page),
      ['b'],
    )
    const letters = driver.createOutputTopic('letters', { key: serdes.string, value: serdes.string })
    const letter = letters.readRecord()
    assert.deepEqual([letter.key, letter.value, letter.timestamp], ['ada', '{"page":"a","views":"many"}', 7])
    const header = (name: string) => letter.headers.last(`__streams.errors.${name}`)?.value?.toString()
    assert.deepEqual(['exception', 'message', 'topic', 'offset'].map(header), [
      'TypeError',
      'cassandra.table views: map: views: "many" is no bigint',
      'views',
      '0',
    ])
    assert.equal(driver.recordsDropped, 1)
    await driver.close()
  })

  test('a handler in the topology sees the record as the sink has got it, and may end the task', async () => {
    const seen: FailedOutput[] = []
    const handled = defineTopology(
      (builder) => {
        builder.stream('views', input).to(views)
      },
      {
        productionExceptionHandler: (_, record) => {
          seen.push(record)
          return 'fail'
        },
      },
    )
    const { driver, pipe } = await open({}, handled)
    await assert.rejects(pipe('ada', { page: 'a', views: 'many' }, 7), {
      code: 'production-failed',
      message:
        /^task 0_0, sink CASSANDRA-SINK-0000000001: views partition 0 offset 0 cannot be a row of table views in Cassandra: cassandra.table views: map: views: "many" is no bigint$/,
    })
    const [{ topic, stage, key, value, timestamp }] = seen as [FailedOutput]
    assert.deepEqual(
      [topic, stage, key, value, timestamp],
      ['cassandra:views', 'row', 'ada', { page: 'a', views: 'many' }, 7],
    )
    await driver.close()
  })
})
