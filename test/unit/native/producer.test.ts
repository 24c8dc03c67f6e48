import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Consumer, MockCluster, murmur2, Producer } from '../../../src/native.ts'
import { Headers } from '../../../src/process/headers.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { numbered, produceAll, readRecords, readySignal } from './records.ts'

const PRODUCE = 0

describe('producer', () => {
  let cluster: MockCluster
  before(() => {
    cluster = new MockCluster({ brokers: 1 })
    for (const name of ['out', 'spread', 'refused', 'kept', 'full']) cluster.createTopic(name, 4)
  })
  after(() => cluster.close())

  const newProducer = (config: Record<string, string> = {}) =>
    new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '5', ...config })

  test('delivered offsets and counts', async () => {
    const producer = newProducer()
    const topic = producer.topic('out', 4)
    assert.equal(producer.topic('out', 4), topic)
    assert.notEqual(producer.topic('spread', 4), topic)
    assert.equal(producer.deliveredOffset(topic, 2), -1)
    await producer.writable()
    await producer.flush(10_000)
    await produceAll(producer, topic, 2, numbered(100))
    await produceAll(producer, topic, 2, numbered(10))
    assert.equal(producer.deliveredOffset(topic, 2), 110)
    assert.equal(producer.deliveredOffset(topic, 1), -1)
    assert.equal(producer.firstError(), null)
    assert.deepEqual(producer.stats(), { queuedRecords: 0, queuedBytes: 0, deliveredRecords: 110 })
    await producer.close()
    await producer.close()
    assert.throws(() => producer.stats(), { code: 'closed' })
    assert.throws(() => producer.topic('out', 4), { code: 'closed' })
  })

  test('keys go where murmur2 says', async () => {
    const producer = newProducer()
    const topic = producer.topic('spread', 4)
    const records = numbered(200)
    const expected = [0, 0, 0, 0]
    for (const { key } of records) {
      const bytes = Buffer.from(key!)
      expected[(murmur2(bytes, 0, bytes.length) & 0x7fffffff) % 4]!++
    }
    await produceAll(producer, topic, -1, records)
    assert.deepEqual(
      [0, 1, 2, 3].map((partition) => producer.deliveredOffset(topic, partition)),
      expected,
    )
    await producer.close()
  })

  test("murmur2 is Kafka's", () => {
    const bytes = Buffer.from('--foobar--')
    assert.equal(murmur2(bytes, 2, 8), -790332482)
    assert.equal(murmur2(Buffer.from('21'), 0, 2), -973932308)
    assert.throws(() => murmur2(bytes, 2, 11), { code: 'invalid' })
  })

  test('a full queue takes a part; the rest goes when there is room, and everything arrives in order', async () => {
    const producer = newProducer({ 'queue.buffering.max.messages': '100', 'linger.ms': '1' })
    const topic = producer.topic('full', 4)
    const batch = new OutputBatch(producer, 10_000, 1 << 30)
    for (const { key, value, timestamp } of numbered(5000)) {
      batch.add(topic, 0, serdes.string, key, serdes.string, value, timestamp, Headers.empty)
    }
    let waits = 0
    while (!batch.send()) {
      assert.ok(producer.stats().queuedRecords <= 100)
      await producer.writable()
      waits++
    }
    assert.ok(waits >= 49, `${waits} waits`)
    await producer.flush(30_000)
    assert.equal(producer.deliveredOffset(topic, 0), 5000)

    const consumer = new Consumer(
      { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'reader' },
      () => {},
    )
    consumer.assign([{ topic: 'full', partition: 0, offset: 0 }])
    const reader = Consumer.attach(consumer.id)
    const read = await readRecords(reader, reader.open('full', 0, 0), 5000, readySignal(reader))
    assert.deepEqual(
      read,
      numbered(5000).map((record, offset) => ({ ...record, offset })),
    )
    reader.detach()
    await Promise.all([consumer.close(), producer.close()])
  })

  test('the first delivery error is kept, with topic and partition', async () => {
    const producer = newProducer()
    const topic = producer.topic('refused', 4)
    cluster.injectErrors(PRODUCE, ['TOPIC_AUTHORIZATION_FAILED'])
    await assert.rejects(produceAll(producer, topic, 3, numbered(1)), {
      code: 'kafka:TOPIC_AUTHORIZATION_FAILED',
      message: /refused \[3\]/,
      retriable: false,
      fatal: false,
    })
    assert.match(producer.firstError()!.message, /refused \[3\]/)
    await assert.rejects(producer.flush(1000), { code: 'kafka:TOPIC_AUTHORIZATION_FAILED' })
    await producer.close()
  })

  test('what is refused of a topic that keeps failures is there to take, once, as it was', async () => {
    const producer = newProducer()
    const topic = producer.topic('kept', 4)
    assert.equal(producer.topic('kept', 4, true), topic)
    const record = {
      key: 'k',
      value: null,
      timestamp: 7,
      headers: [
        { key: 'a', value: 'b' },
        { key: 'none', value: null },
      ],
    }
    cluster.injectErrors(PRODUCE, ['MSG_SIZE_TOO_LARGE'])
    await produceAll(producer, topic, 2, [record])
    const [failed, ...more] = producer.takeFailures()
    assert.equal(more.length, 0)
    const { error, key, value, headers, ...place } = failed!
    assert.deepEqual(place, { topic, partition: 2, timestamp: 7 })
    assert.deepEqual([key!.toString(), value], ['k', null])
    assert.deepEqual(
      [...Headers.decode(headers!, 0)].map((header) => [header.key, header.value?.toString() ?? null]),
      [
        ['a', 'b'],
        ['none', null],
      ],
    )
    assert.equal(error.code, 'kafka:MSG_SIZE_TOO_LARGE')
    assert.deepEqual(producer.takeFailures(), [])
    assert.equal(producer.firstError(), null)
    // What is not the record's own fault still ends a flush.
    cluster.injectErrors(PRODUCE, ['TOPIC_AUTHORIZATION_FAILED'])
    await assert.rejects(produceAll(producer, topic, 2, [record]), {
      code: 'kafka:TOPIC_AUTHORIZATION_FAILED',
    })
    assert.deepEqual(producer.takeFailures(), [])
    await producer.close()
  })

  test('what cannot be produced is named', async () => {
    const producer = newProducer({ 'message.max.bytes': '2000' })
    const topic = producer.topic('out', 4)
    await assert.rejects(produceAll(producer, topic, 4, numbered(1)), {
      code: 'invalid',
      message: 'Producer.produce: out [4] does not exist: the topic has 4 partitions',
    })
    await assert.rejects(
      produceAll(producer, topic, 0, [{ key: 'k', value: 'x'.repeat(5000), timestamp: 1, headers: [] }]),
      {
        code: 'kafka:MSG_SIZE_TOO_LARGE',
        message: /out \[0\]: it has 5001 bytes .*message\.max\.bytes, 2000 bytes/,
      },
    )
    assert.throws(() => producer.produce(Buffer.alloc(1), new ArrayBuffer(39), 1, 0, 1), { code: 'invalid' })
    assert.throws(() => producer.produce(Buffer.alloc(1), new ArrayBuffer(40), 1, 0, 2), { code: 'invalid' })
    assert.throws(() => producer.topic('out', 0), { code: 'invalid' })
    assert.throws(() => producer.deliveredOffset(topic, 4), { code: 'invalid' })
    assert.throws(() => new Producer({ acks: '1' }), {
      message: 'Kafka client setting acks must be all, not 1',
    })
    await producer.close()
  })

  test('a close drops what is queued, and ends waits', async () => {
    const producer = new Producer({
      'bootstrap.servers': '127.0.0.1:1',
      'queue.buffering.max.messages': '10',
      log_level: '0',
    })
    const topic = producer.topic('nowhere', 1)
    const batch = new OutputBatch(producer, 100, 1 << 30)
    for (const { key, value, timestamp } of numbered(20)) {
      batch.add(topic, 0, serdes.string, key, serdes.string, value, timestamp, Headers.empty)
    }
    assert.equal(batch.send(), false)
    await assert.rejects(producer.flush(1), { code: 'kafka:_TIMED_OUT', retriable: true })
    const ended = [
      assert.rejects(producer.writable(), { code: 'closed' }),
      assert.rejects(producer.flush(600_000), { code: 'closed' }),
    ]
    await producer.close()
    await Promise.all(ended)
  })
})
