import rdkafka from 'node-rdkafka'

import type { IsolationLevel } from '../services/kafka-client.ts'

const { KafkaConsumer } = rdkafka
const timeoutMs = 30_000

/** What a verifier reads of a cluster: topics, and a group's committed offsets. Joins no group, and shares no code with Weir. */
export class TopicReader implements AsyncDisposable {
  readonly #consumer: rdkafka.KafkaConsumer
  #atEnd: (topic: string, partition: number, offset: number) => void = () => {}

  private constructor(consumer: rdkafka.KafkaConsumer) {
    this.#consumer = consumer
    consumer.on('partition.eof', ({ topic, partition, offset }) => this.#atEnd(topic, partition, offset))
  }

  /** @param group whose committed offsets are asked for */
  static async open(
    bootstrapServers: string,
    group: string,
    isolationLevel: IsolationLevel = 'read_uncommitted',
  ): Promise<TopicReader> {
    const consumer = new KafkaConsumer(
      {
        'bootstrap.servers': bootstrapServers,
        'group.id': group,
        'enable.auto.commit': false,
        'enable.partition.eof': true,
        'fetch.wait.max.ms': 10,
        'isolation.level': isolationLevel,
        'reconnect.backoff.max.ms': 500,
      },
      { 'auto.offset.reset': 'error' },
    )
    await call<unknown>((done) => consumer.connect({ timeout: timeoutMs }, done))
    consumer.setDefaultConsumeTimeout(20)
    return new TopicReader(consumer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await call<unknown>((done) => this.#consumer.disconnect(done))
  }

  /** The group's committed offset of each partition; 0 where it has none. */
  async committed(topic: string, partitions: number): Promise<number[]> {
    const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    const offsets = await call<rdkafka.TopicPartitionOffset[]>((done) =>
      this.#consumer.committed(asked, timeoutMs, done),
    )
    const committed = Array<number>(partitions).fill(0)
    for (const { partition, offset } of offsets) committed[partition] = Math.max(0, offset ?? 0)
    return committed
  }

  /** Each partition's first offset. */
  async begins(topic: string, partitions: number): Promise<number[]> {
    return (await this.#watermarks(topic, partitions)).map(({ lowOffset }) => lowOffset)
  }

  /** Each partition's end; the last stable offset under `read_committed`. */
  async ends(topic: string, partitions: number): Promise<number[]> {
    return (await this.#watermarks(topic, partitions)).map(({ highOffset }) => highOffset)
  }

  async #watermarks(topic: string, partitions: number): Promise<rdkafka.WatermarkOffsets[]> {
    const watermarks: rdkafka.WatermarkOffsets[] = []
    for (let partition = 0; partition < partitions; partition++) {
      watermarks.push(
        await call<rdkafka.WatermarkOffsets>((done) =>
          this.#consumer.queryWatermarkOffsets(topic, partition, timeoutMs, done),
        ),
      )
    }
    return watermarks
  }

  /**
   * Reads every partition from `positions`, which move on, to `ends`; in order within a partition. Compaction, transactions and their ends leave gaps,
   * also at the end.
   */
  async read(
    topic: string,
    positions: number[],
    ends: readonly number[],
    visit: (message: rdkafka.Message) => void,
  ): Promise<void> {
    const unread = (): number[] =>
      [...ends.keys()].filter((partition) => positions[partition]! < ends[partition]!)
    if (unread().length === 0) return
    this.#atEnd = (from, partition, offset) => {
      // What came after `ends` was asked for is for another time.
      if (from === topic)
        positions[partition] = Math.max(positions[partition]!, Math.min(offset, ends[partition]!))
    }
    this.#consumer.assign(unread().map((partition) => ({ topic, partition, offset: positions[partition]! })))
    const deadline = Date.now() + timeoutMs
    while (unread().length > 0) {
      if (Date.now() > deadline) throw new Error(`${topic} cannot be read up to ${ends.join(', ')}`)
      const messages = await call<rdkafka.Message[]>((done) => this.#consumer.consume(20_000, done))
      for (const message of messages) {
        const { partition, offset } = message
        if (offset >= ends[partition]!) continue
        // An end is told before the records that came with it.
        positions[partition] = Math.max(positions[partition]!, offset + 1)
        visit(message)
      }
    }
    this.#atEnd = () => {}
    this.#consumer.unassign()
  }
}

function call<T>(invoke: (done: (error: unknown, value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    invoke((error, value) => {
      if (error) reject(error instanceof Error ? error : new Error(String((error as Error).message ?? error)))
      else resolve(value)
    })
  })
}
