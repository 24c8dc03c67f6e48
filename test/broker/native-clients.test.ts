/** The native consumer, producer and admin client on real brokers, under each group protocol. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Admin, Consumer, Producer, type TopicPartition } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { numbered, pollRecords, produceAll } from '../unit/native/records.ts'

const TIMEOUT_MS = 30_000
const PARTITIONS = 8
const RECORDS = 2000

/** A member of a group that commits what it has read before it gives partitions back. Positions are the test's. */
class Member {
  readonly #consumer: Consumer
  readonly #reader: Consumer
  readonly #positions: Map<number, number>
  readonly slots = new Map<number, number>()
  readonly failures: unknown[] = []
  revocations = 0

  constructor(config: Record<string, string>, topic: string, positions: Map<number, number>) {
    this.#positions = positions
    this.#consumer = new Consumer(config, (event) => {
      if (event.type === 'assign') this.#assign(event.partitions)
      else if (event.type === 'revoke') void this.#revoke(event.partitions, event.lost)
      else if (event.type === 'error' || event.type === 'stray') this.failures.push(event)
    })
    this.#reader = Consumer.attach(this.#consumer.id)
    this.#consumer.subscribe([topic])
  }

  get generation(): number {
    return this.#consumer.groupMetadata().generation
  }

  #assign(partitions: readonly TopicPartition[]): void {
    const offset = (partition: number) => this.#positions.get(partition) ?? 0
    this.#consumer.assign(partitions.map((each) => ({ ...each, offset: offset(each.partition) })))
    for (const { topic, partition } of partitions) {
      this.slots.set(partition, this.#reader.open(topic, partition, offset(partition)))
    }
  }

  async #revoke(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    this.revocations++
    try {
      if (lost) this.failures.push('lost')
      else {
        await this.#consumer.commit(
          partitions.map((each) => ({ ...each, offset: this.#positions.get(each.partition) ?? 0 })),
        )
      }
    } catch (error) {
      this.failures.push(error)
    }
    for (const { partition } of partitions) {
      this.#reader.closeSlot(this.slots.get(partition)!)
      this.slots.delete(partition)
    }
    this.#consumer.unassign(partitions)
  }

  /** Polls every partition once. Each record must be the next one. */
  read(): void {
    for (const [partition, slot] of this.slots) {
      for (const { offset, value } of pollRecords(this.#reader, slot, 50)) {
        const expected = this.#positions.get(partition) ?? 0
        if (offset !== expected || value !== `value-${expected}`) {
          this.failures.push({ partition, offset, value, expected })
        }
        this.#positions.set(partition, offset + 1)
      }
    }
  }

  async close(): Promise<void> {
    await this.#consumer.close()
    this.#reader.detach()
  }
}

// Each has topics of its own, and waits for most of its time.
describe('native clients on Kafka', { concurrency: 3 }, () => {
  let kafka: KafkaService
  let admin: Admin
  before(async () => {
    kafka = await startKafka()
    admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
  })
  after(async () => {
    await admin.close()
    await kafka.stop()
  })

  async function createTopic(name: string): Promise<void> {
    const failures = await admin.createTopics(
      [{ name, partitions: PARTITIONS, replicationFactor: 1, config: {} }],
      TIMEOUT_MS,
    )
    assert.deepEqual(failures, [])
    await isKnown(name)
  }

  /** A broker says that it has created a topic a little before it tells clients of it: a member that subscribed at once would be told that there is none. */
  async function isKnown(name: string): Promise<void> {
    while ((await admin.describeTopics([name], TIMEOUT_MS)).length === 0) await sleep(10)
  }

  test('topics: created, described, configured, refused', async () => {
    const created = {
      name: 'created',
      partitions: 3,
      replicationFactor: -1,
      config: { 'cleanup.policy': 'compact', 'retention.ms': '-1' },
    }
    assert.deepEqual(await admin.createTopics([created], TIMEOUT_MS), [])
    await isKnown('created')
    const [again, refused, refusedSetting, ...more] = await admin
      .createTopics(
        [
          created,
          { ...created, name: 'too-many-replicas', replicationFactor: 3 },
          { ...created, name: 'bad-setting', config: { 'cleanup.policy': 'sometimes' } },
        ],
        TIMEOUT_MS,
      )
      .then((failures) => [undefined, ...failures.sort((a, b) => b.name.localeCompare(a.name))])
    assert.equal(again, undefined)
    assert.deepEqual(more, [])
    assert.equal(refused!.name, 'too-many-replicas')
    assert.equal(refused!.error.code, 'kafka:INVALID_REPLICATION_FACTOR')
    assert.match(refused!.error.message, /^Creating topic too-many-replicas: /)
    assert.equal(refusedSetting!.error.code, 'kafka:INVALID_CONFIG')

    const [topic, ...others] = await admin.describeTopics(['created', 'missing'], TIMEOUT_MS)
    assert.deepEqual(others, [])
    assert.deepEqual({ ...topic, id: '' }, { name: 'created', id: '', partitions: 3, replicationFactor: 1 })
    assert.match(topic!.id, /^[A-Za-z0-9_+/-]{22}$/)
    const configs = await admin.topicConfigs('created', TIMEOUT_MS)
    assert.equal(configs['cleanup.policy'], 'compact')
    assert.equal(configs['retention.ms'], '-1')
    await assert.rejects(admin.topicConfigs('missing', TIMEOUT_MS), {
      code: 'kafka:UNKNOWN_TOPIC_OR_PART',
      message: /^Reading the configuration of topic missing: /,
    })
    const listed = await admin.listTopics(TIMEOUT_MS)
    assert.deepEqual(
      listed.find(({ name }) => name === 'created'),
      { name: 'created', partitions: 3 },
    )
  })

  test('offsets: listed, deleted up to, of a group', async () => {
    await createTopic('offsets')
    const producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers })
    const id = producer.topic('offsets', PARTITIONS)
    await produceAll(producer, id, 5, numbered(100))
    assert.equal(producer.deliveredOffset(id, 5), 100)
    await producer.close()
    const partitions = [{ topic: 'offsets', partition: 5 }]
    for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
      const [end] = await admin.listOffsets(partitions, 'latest', isolation, TIMEOUT_MS)
      assert.deepEqual(end, { topic: 'offsets', partition: 5, offset: 100, metadata: '' })
    }
    await admin.deleteRecords([{ topic: 'offsets', partition: 5, offset: 40 }], TIMEOUT_MS)
    const [earliest] = await admin.listOffsets(partitions, 'earliest', 'read_uncommitted', TIMEOUT_MS)
    assert.equal(earliest!.offset, 40)
    await assert.rejects(
      admin.deleteRecords([{ topic: 'offsets', partition: 5, offset: 1000 }], TIMEOUT_MS),
      {
        code: 'kafka:OFFSET_OUT_OF_RANGE',
        message: /offsets \[5\]/,
      },
    )
    assert.deepEqual(await admin.groupOffsets('nobody', TIMEOUT_MS), [])
    const consumer = new Consumer(
      { 'bootstrap.servers': kafka.bootstrapServers, 'group.id': 'somebody' },
      () => {},
    )
    await consumer.commit([{ topic: 'offsets', partition: 5, offset: 41, metadata: 'AgAB' }])
    const committed = [{ topic: 'offsets', partition: 5, offset: 41, metadata: 'AgAB' }]
    assert.deepEqual(await admin.groupOffsets('somebody', TIMEOUT_MS), committed)
    assert.deepEqual(await consumer.committed(partitions, TIMEOUT_MS), committed)
    assert.deepEqual(await consumer.queryWatermarks('offsets', 5, TIMEOUT_MS), [40, 100])
    await consumer.close()
  })

  const protocols: Record<string, Record<string, string>> = {
    'classic range': { 'partition.assignment.strategy': 'range', 'heartbeat.interval.ms': '200' },
    'classic cooperative-sticky': {
      'partition.assignment.strategy': 'cooperative-sticky',
      'heartbeat.interval.ms': '200',
    },
    'consumer range': { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' },
  }
  for (const [name, settings] of Object.entries(protocols)) {
    test(`${name}: members join and leave, each record is read once`, { timeout: 180_000 }, async () => {
      const topic = name.replaceAll(' ', '-')
      await createTopic(topic)
      const config = {
        'bootstrap.servers': kafka.bootstrapServers,
        'group.id': topic,
        'fetch.wait.max.ms': '50',
        'topic.metadata.refresh.interval.ms': '1000',
        ...settings,
      }
      const positions = new Map<number, number>()
      const members: Member[] = []
      /** Reads with all members until `done`. */
      const readUntil = async (done: () => boolean) => {
        while (!done()) {
          for (const member of members) member.read()
          assert.deepEqual(
            members.flatMap(({ failures }) => failures),
            [],
          )
          await sleep(1)
        }
      }
      const producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers, 'linger.ms': '5' })
      const id = producer.topic(topic, PARTITIONS)
      const producing = (async () => {
        for (let from = 0; from < RECORDS; from += 100) {
          for (let partition = 0; partition < PARTITIONS; partition++) {
            await produceAll(producer, id, partition, numbered(100, from))
          }
          await sleep(200)
        }
      })()

      members.push(new Member(config, topic, positions))
      await readUntil(() => members[0]!.slots.size === PARTITIONS)
      assert.ok(members[0]!.generation >= 0)
      members.push(new Member(config, topic, positions))
      await readUntil(() => members.every(({ slots }) => slots.size === PARTITIONS / 2))
      assert.ok(members[0]!.revocations >= 1)
      // The second leaves while both read; its close hands its partitions back.
      const leaving = members[1]!
      const left = leaving.close()
      await readUntil(() => members[0]!.slots.size === PARTITIONS)
      await left
      members.splice(1, 1)
      assert.deepEqual(leaving.failures, [])
      await producing
      await readUntil(
        () => positions.size === PARTITIONS && [...positions.values()].every((next) => next === RECORDS),
      )
      await members[0]!.close()
      assert.deepEqual(members[0]!.failures, [])
      const committed = await admin.groupOffsets(topic, TIMEOUT_MS)
      assert.deepEqual(
        committed.map(({ offset }) => offset),
        Array(PARTITIONS).fill(RECORDS),
      )
      await producer.close()
    })
  }
})
