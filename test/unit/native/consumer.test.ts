import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import {
  Consumer,
  type ConsumerEvent,
  MockCluster,
  Producer,
  type TopicPartition,
} from '../../../src/native.ts'
import { numbered, pollRecords, produceAll, readRecords, readySignal, type TestRecord } from './records.ts'

const here = path.dirname(fileURLToPath(import.meta.url))
/** Only a process that hangs reaches the limit. */
const HANGS_MS = 240_000

describe('consumer', () => {
  let cluster: MockCluster
  let producer: Producer
  let topic: number
  let groups = 0

  before(() => {
    cluster = new MockCluster({ brokers: 1 })
    cluster.createTopic('in', 4)
    producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '5' })
    topic = producer.topic('in', 4)
  })
  after(async () => {
    await producer.close()
    cluster.close()
  })

  function config(): Record<string, string> {
    return {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': `group-${groups++}`,
      'fetch.wait.max.ms': '10',
      'heartbeat.interval.ms': '100',
    }
  }

  /** A consumer whose events can be waited for. */
  class Owner {
    readonly events: ConsumerEvent[] = []
    #arrived: (() => void) | null = null
    readonly consumer = new Consumer(config(), (event) => {
      this.events.push(event)
      this.#arrived?.()
    })

    async next<T extends ConsumerEvent['type']>(type: T): Promise<Extract<ConsumerEvent, { type: T }>> {
      const alive = setInterval(() => {}, 60_000)
      try {
        while (true) {
          const index = this.events.findIndex((event) => event.type === type)
          if (index >= 0) return this.events.splice(index, 1)[0] as Extract<ConsumerEvent, { type: T }>
          await new Promise<void>((resolve) => (this.#arrived = resolve))
        }
      } finally {
        clearInterval(alive)
      }
    }
  }

  const at = (partitions: readonly TopicPartition[], offset: number) =>
    partitions.map((partition) => ({ ...partition, offset }))

  test('a batch gives back what was produced: nulls, empty texts, timestamps, headers', async () => {
    const records: TestRecord[] = [
      { key: 'key', value: 'value', timestamp: 1, headers: [] },
      { key: null, value: 'no key', timestamp: 1_700_000_000_123, headers: [] },
      { key: 'no value', value: null, timestamp: 2 ** 41, headers: [{ key: 'a', value: null }] },
      {
        key: '',
        value: '',
        timestamp: 3,
        headers: [
          { key: 'b', value: '' },
          { key: 'b', value: 'twice' },
          { key: 'ä', value: 'ö' },
        ],
      },
    ]
    await produceAll(producer, topic, 0, records)
    const { consumer } = new Owner()
    consumer.assign([{ topic: 'in', partition: 0, offset: 0 }])
    const reader = Consumer.attach(consumer.id)
    const slot = reader.open('in', 0, 0)
    const read = await readRecords(reader, slot, records.length, readySignal(reader))
    assert.deepEqual(
      read,
      records.map((record, offset) => ({ ...record, offset })),
    )
    assert.deepEqual(reader.watermarks(slot), [0, records.length])
    reader.detach()
    await consumer.close()
  })

  test('a record that is larger than the arena is asked for by its size', async () => {
    const value = 'x'.repeat(100_000)
    await produceAll(producer, topic, 1, [{ key: 'key', value, timestamp: 1, headers: [] }])
    const { consumer } = new Owner()
    consumer.assign([{ topic: 'in', partition: 1, offset: 0 }])
    const reader = Consumer.attach(consumer.id)
    const ready = readySignal(reader)
    const slot = reader.open('in', 1, 0)
    const columns = new ArrayBuffer(10 * 40)
    let needed = reader.poll(slot, Buffer.alloc(1000), columns, 10)
    while (needed === 0) {
      await ready()
      needed = reader.poll(slot, Buffer.alloc(1000), columns, 10)
    }
    assert.equal(needed, -(value.length + 3))
    assert.equal(reader.poll(slot, Buffer.alloc(-needed), columns, 10), 1)
    assert.equal(reader.poll(slot, Buffer.alloc(0), new ArrayBuffer(0), 0), 0)
    reader.detach()
    await consumer.close()
  })

  test('the group: assign, commit, revoke at the close', async () => {
    const owner = new Owner()
    const { consumer } = owner
    assert.deepEqual(consumer.groupMetadata().generation, -1)
    consumer.subscribe(['in'])
    const { partitions } = await owner.next('assign')
    assert.deepEqual(partitions.map(({ partition }) => partition).sort(), [0, 1, 2, 3])
    assert.deepEqual(
      (await consumer.committed(partitions, 10_000)).map(({ offset }) => offset),
      [-1, -1, -1, -1],
    )
    consumer.assign(at(partitions, 0))
    const { memberId, generation } = consumer.groupMetadata()
    assert.ok(memberId.length > 0 && generation >= 0)
    await consumer.commit([
      { topic: 'in', partition: 2, offset: 12, metadata: 'kept' },
      { topic: 'in', partition: 3, offset: 0 },
    ])
    assert.deepEqual(
      await consumer.committed(
        [
          { topic: 'in', partition: 2 },
          { topic: 'in', partition: 1 },
        ],
        10_000,
      ),
      [
        { topic: 'in', partition: 2, offset: 12, metadata: 'kept' },
        { topic: 'in', partition: 1, offset: -1, metadata: '' },
      ],
    )
    await produceAll(producer, topic, 2, numbered(5))
    assert.deepEqual(await consumer.queryWatermarks('in', 2, 10_000), [0, 5])
    cluster.injectErrors(8, ['GROUP_AUTHORIZATION_FAILED'])
    await assert.rejects(consumer.commit([{ topic: 'in', partition: 0, offset: 1 }]), {
      code: 'kafka:GROUP_AUTHORIZATION_FAILED',
      retriable: false,
    })

    const closed = consumer.close()
    const revoke = await owner.next('revoke')
    assert.equal(revoke.lost, false)
    assert.equal(revoke.partitions.length, 4)
    await consumer.commit([{ topic: 'in', partition: 2, offset: 13 }])
    consumer.unassign(revoke.partitions)
    await closed
    await consumer.close()
    assert.throws(() => consumer.subscribe(['in']), { code: 'closed' })
    await assert.rejects(consumer.commit([{ topic: 'in', partition: 2, offset: 14 }]), { code: 'closed' })
    assert.throws(() => Consumer.attach(consumer.id).open('in', 0, 0), { code: 'closed' })
  })

  test('a partition that left is empty to its reader, and reads on when it returns', async () => {
    await produceAll(producer, topic, 3, numbered(50))
    const { consumer } = new Owner()
    const reader = Consumer.attach(consumer.id)
    const ready = readySignal(reader)
    for (const offset of [10, 0, 30]) {
      consumer.assign([{ topic: 'in', partition: 3, offset }])
      const slot = reader.open('in', 3, offset)
      assert.throws(() => Consumer.attach(consumer.id).open('in', 3, 0), { code: 'invalid' })
      const read = await readRecords(reader, slot, 20, ready)
      assert.equal(read[0]!.offset, offset)
      consumer.unassign([{ topic: 'in', partition: 3 }])
      assert.deepEqual(pollRecords(reader, slot), [])
      assert.throws(() => reader.open('in', 3, 0), { code: 'closed' })
      reader.closeSlot(slot)
    }
    await consumer.close()
    assert.throws(() => reader.open('in', 3, 0), { code: 'closed' })
    reader.detach()
    assert.throws(() => reader.open('in', 3, 0), { code: 'closed' })
  })

  test('seek, pause and resume', async () => {
    const { consumer } = new Owner()
    consumer.assign([{ topic: 'in', partition: 3, offset: 0 }])
    const reader = Consumer.attach(consumer.id)
    const ready = readySignal(reader)
    const slot = reader.open('in', 3, 5)
    assert.equal((await readRecords(reader, slot, 1, ready))[0]!.offset, 5)
    reader.seek(slot, 40)
    assert.deepEqual(
      (await readRecords(reader, slot, 10, ready)).map(({ offset }) => offset),
      [40, 41, 42, 43, 44, 45, 46, 47, 48, 49],
    )
    reader.pause(slot)
    assert.deepEqual(pollRecords(reader, slot), [])
    reader.resume(slot, 20)
    assert.equal((await readRecords(reader, slot, 1, ready))[0]!.offset, 20)
    reader.detach()
    await consumer.close()
  })

  test('a partition error is thrown with its code', async () => {
    const { consumer } = new Owner()
    consumer.assign([{ topic: 'in', partition: 0, offset: 1_000_000 }])
    const reader = Consumer.attach(consumer.id)
    const ready = readySignal(reader)
    const slot = reader.open('in', 0, 1_000_000)
    await assert.rejects(readRecords(reader, slot, 1, ready), {
      code: 'kafka:_AUTO_OFFSET_RESET',
      retriable: false,
    })
    reader.detach()
    await consumer.close()
  })

  test('wrong arguments are named', async () => {
    assert.throws(() => new Consumer({ 'bootstrap.servers': 'localhost' }, () => {}), {
      code: 'invalid',
      message: 'Kafka client setting group.id is missing',
    })
    assert.throws(() => new Consumer({ ...config(), 'enable.auto.commit': 'true' }, () => {}), {
      message: 'Kafka client setting enable.auto.commit must be false, not true',
    })
    assert.throws(() => new Consumer({ ...config(), 'session.timeout.ms': 'soon' }, () => {}), {
      message: /^Kafka client setting session\.timeout\.ms=soon is refused: /,
    })
    assert.throws(
      () => new Consumer({ ...config(), 'security.protocol': 'ssl', 'ssl.key.pem': 'hunter2' }, () => {}),
      (error: Error) => {
        return !error.message.includes('hunter2')
      },
    )
    const { consumer } = new Owner()
    consumer.assign([{ topic: 'in', partition: 0, offset: 0 }])
    assert.throws(() => consumer.assign([{ topic: 'in', partition: 1, offset: -1 }]), { code: 'invalid' })
    assert.throws(() => consumer.open('in', 0, 0), { code: 'invalid' })
    const reader = Consumer.attach(consumer.id)
    assert.throws(() => reader.subscribe(['in']), { code: 'invalid' })
    const slot = reader.open('in', 0, 0)
    assert.throws(() => reader.poll(slot, Buffer.alloc(10), new ArrayBuffer(39), 1), { code: 'invalid' })
    assert.throws(() => reader.poll(slot + 1, Buffer.alloc(10), new ArrayBuffer(40), 1), { code: 'invalid' })
    reader.onReady(() => {})
    assert.throws(() => reader.onReady(() => {}), { code: 'invalid' })
    reader.detach()
    await consumer.close()
    assert.throws(() => Consumer.attach(1_000_000), { code: 'closed' })
  })
})

/** Threads that share one consumer, each case in a process of its own, so that a crash is a failed test. */
describe('consumer and worker threads', () => {
  async function run(scenario: string): Promise<unknown> {
    const child = spawn(process.execPath, [path.join(here, 'clients', 'shared-consumer.ts'), scenario], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr += data))
    const limit = setTimeout(() => child.kill('SIGKILL'), HANGS_MS)
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    clearTimeout(limit)
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr + stdout)
    return JSON.parse(stdout.trim().split('\n').at(-1)!)
  }

  test('workers take a partition over from one another, waking for each record: all are read, in order', async () => {
    assert.deepEqual(await run('hand-over'), { workers: 40, read: 4000, wrong: [] })
  })

  test('workers that are terminated while they poll; another reads on', async () => {
    assert.deepEqual(await run('terminate'), { workers: 30, read: 3000, wrong: [] })
  })

  test('a process that ends without closing anything', async () => {
    assert.deepEqual(await run('leave-open'), { left: 'open' })
  })

  test('process.exit while a group is joined and a worker polls', async () => {
    assert.deepEqual(await run('exit'), { left: 'by exit' })
  })
})
