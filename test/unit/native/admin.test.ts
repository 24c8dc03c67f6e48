import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Admin, MockCluster, Producer } from '../../../src/native.ts'
import { numbered, produceAll } from './records.ts'

/** What the mock brokers answer; the rest is tested on real ones, in test/broker/native-clients.test.ts. */
describe('admin', () => {
  let cluster: MockCluster
  let admin: Admin
  before(() => {
    cluster = new MockCluster({ brokers: 2 })
    cluster.createTopic('orders', 3)
    admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  })
  after(async () => {
    await admin.close()
    cluster.close()
  })

  test('lists topics', async () => {
    assert.deepEqual(await admin.listTopics(10_000), [{ name: 'orders', partitions: 3 }])
  })

  test('lists offsets', async () => {
    const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '1' })
    await produceAll(producer, producer.topic('orders', 3), 2, numbered(7))
    await producer.close()
    const partitions = [0, 1, 2].map((partition) => ({ topic: 'orders', partition }))
    const offsets = await admin.listOffsets(partitions, 'latest', 'read_uncommitted', 10_000)
    assert.deepEqual(
      offsets.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset),
      [0, 0, 7],
    )
    assert.deepEqual(await admin.listOffsets([], 'earliest', 'read_committed', 10_000), [])
  })

  test('nothing to ask for needs no broker', async () => {
    const alone = new Admin({ 'bootstrap.servers': '127.0.0.1:1', log_level: '0' })
    assert.deepEqual(await alone.describeTopics([], 1), [])
    assert.deepEqual(await alone.createTopics([], 1), [])
    await alone.deleteRecords([], 1)
    await alone.close()
  })

  test('gives up at the time-out, and when it is closed', async () => {
    const alone = new Admin({ 'bootstrap.servers': '127.0.0.1:1', log_level: '0' })
    // Why there was no answer is told when it is known by then: nobody listens there.
    await assert.rejects(alone.describeTopics(['orders'], 20), {
      code: /^kafka:(_TIMED_OUT|_TRANSPORT)$/,
      retriable: true,
    })
    await assert.rejects(alone.listTopics(20), { retriable: true })
    const ended = [
      assert.rejects(alone.topicConfigs('orders', 600_000), { code: 'closed' }),
      assert.rejects(alone.groupOffsets('group', 600_000), { code: 'closed' }),
      assert.rejects(alone.listTopics(600_000), { code: 'closed' }),
    ]
    await alone.close()
    await Promise.all(ended)
    await alone.close()
    assert.throws(() => alone.listTopics(1), { code: 'closed' })
  })

  test('wrong arguments are named', () => {
    assert.throws(() => new Admin({ 'bootstrap.server': 'localhost' }), {
      code: 'invalid',
      message: 'Kafka client setting bootstrap.server is unknown to librdkafka',
    })
    const anything = admin as unknown as Record<string, (...args: unknown[]) => unknown>
    assert.throws(() => anything.listOffsets!([], 'middle', 'read_committed', 1), {
      code: 'invalid',
      message: "Admin.listOffsets: argument 2 (at) must be 'earliest', 'latest' or a time in ms",
    })
    assert.throws(
      () =>
        anything.createTopics!(
          [{ name: 'a', partitions: 1, replicationFactor: 1, config: {}, replicas: 1 }],
          1,
        ),
      { code: 'invalid', message: /unknown property replicas/ },
    )
    assert.throws(
      () => anything.createTopics!([{ name: 'a', partitions: 0, replicationFactor: 1, config: {} }], 1),
      {
        code: 'invalid',
      },
    )
    assert.throws(() => anything.listTopics!('soon'), { code: 'invalid' })
  })
})
