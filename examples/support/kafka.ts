/**
 * What the examples need besides Weir: making topics, filling them, and reading them to their end. On
 * node-rdkafka, a client of its own: what is checked with it is not checked by what made it.
 */
import type { LibrdKafkaError, Message, Metadata, TopicPartitionOffset, WatermarkOffsets } from 'node-rdkafka'
import rdkafka from 'node-rdkafka'

const { AdminClient, KafkaConsumer, Producer } = rdkafka

export interface OutgoingRecord {
  readonly topic: string
  /** Left out: by Kafka's partitioner, murmur2 of the key. */
  readonly partition?: number
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  /** Ms since 1970, from 1: the client takes 0 for the time of writing. */
  readonly timestamp: number
  /** One object for each, with its name. Default: none. */
  readonly headers?: readonly Readonly<Record<string, string | Buffer>>[]
}

export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Ms since 1970. */
  readonly timestamp: number
  /** Names and values, in order. */
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

const topicExists = 36
const queueFull = -184
/** The group's coordinator is being loaded, or is somewhere else by now. */
const coordinatorMoves = new Set<unknown>([14, 15, 16])
const unknownTopic = 3
const timeoutMs = 60_000

function settle<T>(
  resolve: (value: T) => void,
  reject: (error: Error) => void,
): (error: unknown, value: T) => void {
  return (error, value) => {
    if (error) reject(error instanceof Error ? error : new Error(String(error)))
    else resolve(value)
  }
}

/** Creates the topics that are not there yet. */
export async function createTopics(
  bootstrapServers: string,
  topics: Readonly<Record<string, number>>,
  config: Record<string, string> = {},
): Promise<void> {
  const admin = AdminClient.create({ 'bootstrap.servers': bootstrapServers })
  try {
    for (const [topic, partitions] of Object.entries(topics)) {
      await new Promise<void>((resolve, reject) => {
        admin.createTopic(
          { topic, num_partitions: partitions, replication_factor: -1, config },
          timeoutMs,
          (error) => {
            if (error && error.code !== topicExists) reject(new Error(`topic ${topic}: ${error.message}`))
            else resolve()
          },
        )
      })
    }
  } finally {
    admin.disconnect()
  }
}

/**
 * Writes the records in order, idempotently, and waits until all of them are delivered. @returns how many
 * there were
 *
 * @param settings more of librdkafka's
 */
export async function produceAll(
  bootstrapServers: string,
  records: Iterable<OutgoingRecord> | AsyncIterable<OutgoingRecord>,
  settings: Readonly<Record<string, number>> = {},
): Promise<number> {
  const producer = new Producer(
    {
      'bootstrap.servers': bootstrapServers,
      'enable.idempotence': true,
      'compression.codec': 'lz4',
      'linger.ms': 20,
      dr_cb: true,
      ...settings,
    },
    { partitioner: 'murmur2_random' },
  )
  let failure: LibrdKafkaError | null = null
  let produced = 0
  let delivered = 0
  producer.on('delivery-report', (error: LibrdKafkaError | null) => {
    if (error) failure ??= error
    delivered++
  })
  await new Promise<unknown>((resolve, reject) =>
    producer.connect({ timeout: timeoutMs }, settle(resolve, reject)),
  )
  producer.setPollInterval(20)
  try {
    for await (const { topic, partition, key, value, timestamp, headers = [] } of records) {
      if (!(timestamp >= 1))
        throw new RangeError(`${topic}: timestamp is ${timestamp}; allowed is a number from 1`)
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      for (;;) {
        try {
          producer.produce(topic, partition ?? null, bytes, key, timestamp, null, [...headers])
          break
        } catch (error) {
          if ((error as { code?: number }).code !== queueFull) throw error
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
      // Deliveries are reported on this event loop.
      if (++produced % 5_000 === 0) {
        producer.poll()
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (failure !== null) throw failure
    }
    await new Promise<void>((resolve, reject) =>
      producer.flush(timeoutMs, (error) => settle<void>(resolve, reject)(error, undefined)),
    )
    while (delivered < produced) {
      producer.poll()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    if (failure !== null) throw failure
    return produced
  } finally {
    await new Promise<void>((resolve) => producer.disconnect(() => resolve()))
  }
}

/** Visits every record of a topic up to its end at the time of the call; those of a partition in order. */
export async function forEachRecord(
  bootstrapServers: string,
  topic: string,
  visit: (record: ReadRecord) => void,
): Promise<void> {
  const consumer = new KafkaConsumer(
    {
      'bootstrap.servers': bootstrapServers,
      // Never joined: partitions are assigned by hand.
      'group.id': 'read-to-end',
      'enable.auto.commit': false,
      'enable.partition.eof': true,
      // How long an end is waited at before it is told.
      'fetch.wait.max.ms': 10,
    },
    { 'auto.offset.reset': 'earliest' },
  )
  await new Promise<unknown>((resolve, reject) =>
    consumer.connect({ timeout: timeoutMs }, settle(resolve, reject)),
  )
  try {
    const metadata = await new Promise<Metadata>((resolve, reject) =>
      consumer.getMetadata({ topic, timeout: timeoutMs }, settle(resolve, reject)),
    )
    const partitions =
      metadata.topics.find(({ name }) => name === topic)?.partitions.map(({ id }) => id) ?? []
    if (partitions.length === 0) throw new Error(`there is no topic ${topic}`)
    const unfinished = new Set(partitions)
    consumer.on('partition.eof', ({ partition }) => unfinished.delete(partition))
    consumer.assign(partitions.map((partition) => ({ topic, partition, offset: 0 })))
    consumer.setDefaultConsumeTimeout(20)
    while (unfinished.size > 0) {
      const messages = await new Promise<Message[]>((resolve, reject) =>
        consumer.consume(10_000, settle(resolve, reject)),
      )
      for (const { partition, offset, key, value, timestamp, headers } of messages) {
        visit({
          partition,
          offset,
          key: (key as Buffer | null | undefined) ?? null,
          value,
          timestamp: timestamp ?? -1,
          headers: (headers ?? []).flatMap((header) => Object.entries(header) as [string, Buffer | null][]),
        })
      }
    }
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()))
  }
}

/** Every record of a topic up to its end at the time of the call; those of a partition in order. */
export async function readToEnd(bootstrapServers: string, topic: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  await forEachRecord(bootstrapServers, topic, (record) => records.push(record))
  return records
}

/**
 * Waits until the group has committed everything that is in the topics, and they have not grown meanwhile.
 */
export async function waitUntilConsumed(
  bootstrapServers: string,
  group: string,
  topics: readonly string[],
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const deadline = Date.now() + (options.timeoutMs ?? 10 * timeoutMs)
  for (;;) {
    const remaining = await remainingRecords(bootstrapServers, group, topics).catch((error) => {
      const { code } = error as { code?: number }
      if (!coordinatorMoves.has(code) && code !== unknownTopic) throw error
      return Number.NaN
    })
    if (remaining === 0) return
    options.signal?.throwIfAborted()
    if (Date.now() > deadline)
      throw new Error(`group ${group} still has ${remaining} records of ${topics.join(', ')} to commit`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** How many records of the topics a group has not committed yet. */
export async function remainingRecords(
  bootstrapServers: string,
  group: string,
  topics: readonly string[],
): Promise<number> {
  return (await lagOf(bootstrapServers, group, topics)).remaining
}

/** A group's committed records of the topics, and those that it has not committed. */
export async function lagOf(
  bootstrapServers: string,
  group: string,
  topics: readonly string[],
): Promise<{ committed: number; remaining: number }> {
  const consumer = new KafkaConsumer(
    { 'bootstrap.servers': bootstrapServers, 'group.id': group, 'enable.auto.commit': false },
    {},
  )
  const metadata = await new Promise<Metadata>((resolve, reject) =>
    consumer.connect({ allTopics: true, timeout: timeoutMs }, settle(resolve, reject)),
  )
  try {
    const partitions = metadata.topics
      .filter(({ name }) => topics.includes(name))
      .flatMap(({ name, partitions }) => partitions.map(({ id }) => ({ topic: name, partition: id })))
    const known = new Set(partitions.map(({ topic }) => topic))
    const unknown = topics.filter((topic) => !known.has(topic))
    // Not yet, or a busy broker does not answer for it: without it there would seem to be nothing left.
    if (unknown.length > 0)
      throw Object.assign(new Error(`the broker does not know topic ${unknown.join(', ')}`), {
        code: unknownTopic,
      })
    const offsets = await new Promise<TopicPartitionOffset[]>((resolve, reject) =>
      consumer.committed(partitions, timeoutMs, settle(resolve, reject)),
    )
    let committed = 0
    let remaining = 0
    for (const { topic, partition, offset } of offsets) {
      const { lowOffset, highOffset } = await new Promise<WatermarkOffsets>((resolve, reject) =>
        consumer.queryWatermarkOffsets(topic, partition, timeoutMs, settle(resolve, reject)),
      )
      const position = Math.max(offset ?? lowOffset, lowOffset)
      committed += position - lowOffset
      remaining += highOffset - position
    }
    return { committed, remaining }
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()))
  }
}

/**
 * The last value of each key; records of one key are in one partition, so their order is that of the offsets.
 */
export function lastValues(records: Iterable<ReadRecord>): Map<string, string> {
  const last = new Map<string, string>()
  for (const { key, value } of records) {
    if (key === null) throw new Error('a record without a key')
    if (value === null) last.delete(key.toString())
    else last.set(key.toString(), value.toString())
  }
  return last
}
