import rdkafka from 'node-rdkafka'

/**
 * What tests, verifiers and benches ask of a broker. Built on node-rdkafka and Kafka's own tools, and on nothing of Weir, so that Weir is
 * judged from outside. node-rdkafka loads in the main thread only.
 */
export interface TopicSpec {
  topic: string
  /** Default 1. */
  partitions?: number
  configs?: Record<string, string | number>
}

export interface ProducedRecord {
  key?: Buffer | string | null
  value: Buffer | string | null
  /** Without one, the key's partition as Java's producer chooses it (murmur2); a record without a key goes anywhere. */
  partition?: number
  /** Milliseconds since 1970. Default: now. */
  timestamp?: number
  headers?: [name: string, value: Buffer | string][]
}

export interface StoredRecord {
  partition: number
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: [name: string, value: Buffer][]
}

export interface ProduceOptions {
  /** For records that name none. */
  partition?: number
  timestamp?: number
  /** Puts all records into one transaction and ends it this way; `none` leaves it open for the broker to abort. */
  transaction?: { id: string; end: 'commit' | 'abort' | 'none' }
  /** librdkafka settings over the defaults (lz4, linger 5 ms, idempotent). */
  settings?: Record<string, string | number | boolean>
}

export type IsolationLevel = 'read_committed' | 'read_uncommitted'

const timeoutMs = 30_000

/** Creates the topics and returns when every partition has a leader. Throws when one exists. */
export async function createTopics(bootstrapServers: string, topics: TopicSpec[]): Promise<void> {
  const admin = rdkafka.AdminClient.create({ 'bootstrap.servers': bootstrapServers })
  try {
    for (const { topic, partitions = 1, configs = {} } of topics) {
      const config = Object.fromEntries(Object.entries(configs).map(([name, value]) => [name, String(value)]))
      const request = { topic, num_partitions: partitions, replication_factor: 1, config }
      await call<void>(`create topic ${topic}`, (done) => admin.createTopic(request, timeoutMs, done))
    }
  } finally {
    admin.disconnect()
  }
  const expected = new Map(topics.map(({ topic, partitions = 1 }) => [topic, partitions]))
  await waitForTopics(bootstrapServers, (found) =>
    [...expected].every(([topic, count]) => found.get(topic) === count),
  )
}

export function createTopic(
  bootstrapServers: string,
  topic: string,
  partitions = 1,
  configs: Record<string, string | number> = {},
): Promise<void> {
  return createTopics(bootstrapServers, [{ topic, partitions, configs }])
}

/** Deletes the topics and returns when the broker no longer lists them. */
export async function deleteTopics(bootstrapServers: string, topics: string[]): Promise<void> {
  const admin = rdkafka.AdminClient.create({ 'bootstrap.servers': bootstrapServers })
  try {
    for (const topic of topics) {
      await call<void>(`delete topic ${topic}`, (done) => admin.deleteTopic(topic, timeoutMs, done))
    }
  } finally {
    admin.disconnect()
  }
  await waitForTopics(bootstrapServers, (found) => topics.every((topic) => !found.has(topic)))
}

/** Every topic with its number of partitions. */
export function listTopics(bootstrapServers: string): Promise<Map<string, number>> {
  return withConsumer(bootstrapServers, {}, topicsOf)
}

/** Writes the records in order and returns when the broker has acknowledged all. Throws the first delivery error. */
export async function produceAll(
  bootstrapServers: string,
  topic: string,
  records: Iterable<ProducedRecord>,
  options: ProduceOptions = {},
): Promise<void> {
  const { transaction } = options
  const producer = new rdkafka.Producer(
    {
      'bootstrap.servers': bootstrapServers,
      'enable.idempotence': true,
      'compression.codec': 'lz4',
      'linger.ms': 5,
      'queue.buffering.max.messages': 100_000,
      dr_cb: true,
      ...(transaction ? { 'transactional.id': transaction.id } : {}),
      ...options.settings,
    },
    { partitioner: 'murmur2_random' },
  )
  let failure: Error | undefined
  producer.on('delivery-report', (error) => {
    if (error) failure ??= new Error(`produce to ${topic}: ${error.message}`)
  })
  await call('connect', (done) => producer.connect({ timeout: timeoutMs }, done))
  producer.setPollInterval(20)
  try {
    if (transaction) {
      await call<void>('init transactions', (done) => producer.initTransactions(timeoutMs, done))
      await call<void>('begin transaction', (done) => producer.beginTransaction(done))
    }
    for (const record of records) {
      while (!tryProduce(producer, topic, record, options))
        await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await call<void>('flush', (done) => producer.flush(timeoutMs * 4, done))
    producer.poll()
    if (failure) throw failure
    if (transaction?.end === 'commit') {
      await call<void>('commit transaction', (done) => producer.commitTransaction(timeoutMs, done))
    } else if (transaction?.end === 'abort') {
      await call<void>('abort transaction', (done) => producer.abortTransaction(timeoutMs, done))
    }
  } finally {
    await call('disconnect', (done) => producer.disconnect(timeoutMs, done))
  }
}

function tryProduce(
  producer: rdkafka.Producer,
  topic: string,
  record: ProducedRecord,
  options: ProduceOptions,
): boolean {
  const headers = record.headers?.map(([name, value]) => ({ [name]: value }))
  const partition = record.partition ?? options.partition ?? -1
  const timestamp = record.timestamp ?? options.timestamp ?? Date.now()
  try {
    producer.produce(
      topic,
      partition,
      toBuffer(record.value),
      toBuffer(record.key ?? null),
      timestamp,
      null,
      headers,
    )
    return true
  } catch (error) {
    if ((error as { code?: number }).code !== rdkafka.CODES.ERRORS.ERR__QUEUE_FULL) throw error
    producer.poll()
    return false
  }
}

/**
 * Reads the topic from the beginning of every partition to where it ended when the call began: by partition, then by offset. Under
 * `read_committed` that is the last stable offset. Default: read_uncommitted.
 */
export async function readAll(
  bootstrapServers: string,
  topic: string,
  isolationLevel: IsolationLevel = 'read_uncommitted',
): Promise<StoredRecord[]> {
  const partitions: StoredRecord[][] = []
  await forEachRecord(bootstrapServers, topic, isolationLevel, (record) => {
    partitions[record.partition] ??= []
    partitions[record.partition]?.push(record)
  })
  return partitions.flat()
}

/** As `readAll`, one record at a time: in order within a partition, partitions interleaved. */
export async function forEachRecord(
  bootstrapServers: string,
  topic: string,
  isolationLevel: IsolationLevel,
  visit: (record: StoredRecord) => void,
): Promise<void> {
  const settings = { 'isolation.level': isolationLevel, 'enable.partition.eof': true }
  await withConsumer(bootstrapServers, settings, async (consumer) => {
    const ends = await endOffsetsOf(consumer, topic)
    const open = new Set(ends.keys())
    consumer.on('partition.eof', (eof) => {
      if (eof.offset >= (ends[eof.partition] ?? 0)) open.delete(eof.partition)
    })
    consumer.setDefaultConsumeTimeout(100)
    consumer.assign(ends.map((_, partition) => ({ topic, partition, offset: 0 })))
    while (open.size > 0) {
      for (const message of await call<rdkafka.Message[]>('consume', (done) =>
        consumer.consume(10_000, done),
      )) {
        const end = ends[message.partition] ?? 0
        if (message.offset < end) visit(toStoredRecord(message))
        if (message.offset >= end - 1) open.delete(message.partition)
      }
    }
  })
}

/** Each partition's end: the high watermark, or the last stable offset under `read_committed`. */
export function endOffsets(
  bootstrapServers: string,
  topic: string,
  isolationLevel: IsolationLevel = 'read_uncommitted',
): Promise<number[]> {
  return withConsumer(bootstrapServers, { 'isolation.level': isolationLevel }, (consumer) =>
    endOffsetsOf(consumer, topic),
  )
}

/** A group's committed offset of each partition; null where it has committed none. The group may have members: none is added. */
export function committedOffsets(
  bootstrapServers: string,
  groupId: string,
  topic: string,
): Promise<(number | null)[]> {
  return withConsumer(bootstrapServers, { 'group.id': groupId }, async (consumer) => {
    const partitions = [...Array(await partitionCount(consumer, topic)).keys()].map((partition) => ({
      topic,
      partition,
    }))
    const offsets = await call<rdkafka.TopicPartitionOffset[]>('committed', (done) =>
      consumer.committed(partitions, timeoutMs, done),
    )
    const byPartition = new Map(offsets.map(({ partition, offset }) => [partition, offset]))
    return partitions.map(({ partition }) => {
      const offset = byPartition.get(partition)
      return offset === undefined || offset < 0 ? null : offset
    })
  })
}

/** Calls `use` with a connected consumer that has joined no group, and closes it. */
export async function withConsumer<Result>(
  bootstrapServers: string,
  settings: Record<string, string | number | boolean>,
  use: (consumer: rdkafka.KafkaConsumer) => Promise<Result>,
): Promise<Result> {
  const consumer = new rdkafka.KafkaConsumer(
    {
      'bootstrap.servers': bootstrapServers,
      'group.id': 'weir-test-client',
      'enable.auto.commit': false,
      'fetch.wait.max.ms': 50,
      ...settings,
    },
    { 'auto.offset.reset': 'earliest' },
  )
  await call('connect', (done) => consumer.connect({ timeout: timeoutMs }, done))
  try {
    return await use(consumer)
  } finally {
    await call('disconnect', (done) => consumer.disconnect(done))
  }
}

export async function endOffsetsOf(consumer: rdkafka.KafkaConsumer, topic: string): Promise<number[]> {
  const count = await partitionCount(consumer, topic)
  const query = async (partition: number) => {
    const offsets = await call<rdkafka.WatermarkOffsets>('query end offsets', (done) =>
      consumer.queryWatermarkOffsets(topic, partition, timeoutMs, done),
    )
    return offsets.highOffset
  }
  return Promise.all([...Array(count).keys()].map(query))
}

async function partitionCount(consumer: rdkafka.KafkaConsumer, topic: string): Promise<number> {
  const count = (await topicsOf(consumer)).get(topic)
  if (count === undefined) throw new Error(`topic ${topic} does not exist`)
  return count
}

async function topicsOf(consumer: rdkafka.KafkaConsumer): Promise<Map<string, number>> {
  const metadata = await call<rdkafka.Metadata>('metadata', (done) =>
    consumer.getMetadata({ timeout: timeoutMs }, done),
  )
  const ready = metadata.topics.filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
  return new Map(ready.map(({ name, partitions }) => [name, partitions.length]))
}

async function waitForTopics(
  bootstrapServers: string,
  isDone: (topics: Map<string, number>) => boolean,
): Promise<void> {
  await withConsumer(bootstrapServers, {}, async (consumer) => {
    const deadline = Date.now() + timeoutMs
    while (!isDone(await topicsOf(consumer))) {
      if (Date.now() > deadline) throw new Error(`the broker's topics did not settle within ${timeoutMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
}

function toStoredRecord(message: rdkafka.Message): StoredRecord {
  const { partition, offset, timestamp = -1, headers = [] } = message
  return {
    partition,
    offset,
    timestamp,
    key: toBuffer(message.key ?? null),
    value: message.value,
    headers: headers.flatMap((header) =>
      Object.entries(header).map(([name, value]): [string, Buffer] => [name, Buffer.from(value)]),
    ),
  }
}

function toBuffer(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value
}

function call<Result>(
  what: string,
  invoke: (
    done: (error: Error | rdkafka.LibrdKafkaError | null | undefined, result?: Result) => void,
  ) => unknown,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    invoke((error, result) => {
      if (error) reject(new Error(`${what}: ${error.message}`, { cause: error }))
      else resolve(result as Result)
    })
  })
}
