import rdkafka from 'node-rdkafka'

const { KafkaConsumer } = rdkafka
const timeoutMs = 30_000

export interface VerifiedTopics {
  readonly group: string
  readonly source: string
  readonly changelog: string
  readonly output: string
  readonly partitions: number
  /** Records have the keys `key-0` to `key-<keys - 1>`. */
  readonly keys: number
}

/** What is wrong, in words with the key and both numbers; at most ten of a kind. */
export interface Violations {
  /** Counts in the changelog, or told last, that are below the key's acknowledged records. */
  readonly lost: string[]
  /** Counts that went down in the changelog: a row was lost and counted anew. */
  readonly wentBack: string[]
  /** Counts that a worker told although the changelog said as much or more before the worker began: its state was not restored whole. */
  readonly resumedBelow: string[]
}

/**
 * Judges a worker that counts records by key (int64, big-endian) by its topics alone: source, changelog, output, and the group's committed
 * offsets, which acknowledge records of the source. Shares no code with Weir. Reads on where it stopped, so that it can be asked after every
 * kill. At-least-once: no acknowledged record may be missing from any count; more is allowed.
 */
export class TopicVerifier implements AsyncDisposable {
  readonly violations: Violations = { lost: [], wentBack: [], resumedBelow: [] }
  /** Acknowledged records of the source. */
  acknowledged = 0
  changelogRecords = 0
  outputs = 0
  readonly #topics: VerifiedTopics
  readonly #consumer: rdkafka.KafkaConsumer
  readonly #acknowledgedOf: Float64Array
  readonly #inChangelog: Float64Array
  readonly #toldLast: Float64Array
  /** The changelog's counts when the worker that is judged now began. */
  #atStart: Float64Array
  /** Next offsets, by topic and partition. */
  readonly #positions = new Map<string, number[]>()

  private constructor(topics: VerifiedTopics, consumer: rdkafka.KafkaConsumer) {
    this.#topics = topics
    this.#consumer = consumer
    this.#acknowledgedOf = new Float64Array(topics.keys)
    this.#inChangelog = new Float64Array(topics.keys)
    this.#toldLast = new Float64Array(topics.keys)
    this.#atStart = new Float64Array(topics.keys)
    for (const topic of [topics.source, topics.changelog, topics.output])
      this.#positions.set(topic, Array<number>(topics.partitions).fill(0))
  }

  static async open(bootstrapServers: string, topics: VerifiedTopics): Promise<TopicVerifier> {
    const consumer = new KafkaConsumer(
      {
        'bootstrap.servers': bootstrapServers,
        // Asks for this group's offsets, and never joins it.
        'group.id': topics.group,
        'enable.auto.commit': false,
        'fetch.wait.max.ms': 10,
      },
      { 'auto.offset.reset': 'error' },
    )
    await call<unknown>((done) => consumer.connect({ timeout: timeoutMs }, done))
    consumer.setDefaultConsumeTimeout(20)
    return new TopicVerifier(topics, consumer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await call<unknown>((done) => this.#consumer.disconnect(done))
  }

  /**
   * Reads what is new. REQUIRES that no worker runs.
   *
   * @returns acknowledged records that are new
   */
  async check(): Promise<number> {
    const { source, changelog, output } = this.#topics
    // Acknowledged first: everything that makes a count is in the topics before that.
    const committed = await this.#committed()
    const before = this.acknowledged
    await this.#read(source, committed, (key) => {
      this.#acknowledgedOf[key]!++
      this.acknowledged++
    })
    await this.#read(changelog, await this.#ends(changelog), (key, count) => {
      this.changelogRecords++
      if (count <= this.#inChangelog[key]!)
        note(this.violations.wentBack, `key-${key}: ${count} after ${this.#inChangelog[key]}`)
      this.#inChangelog[key] = count
    })
    await this.#read(output, await this.#ends(output), (key, count) => {
      this.outputs++
      if (count <= this.#atStart[key]!)
        note(this.violations.resumedBelow, `key-${key}: ${count}, the changelog had ${this.#atStart[key]}`)
      this.#toldLast[key] = count
    })
    for (let key = 0; key < this.#topics.keys; key++) {
      const least = Math.min(this.#inChangelog[key]!, this.#toldLast[key]!)
      if (least < this.#acknowledgedOf[key]!)
        note(
          this.violations.lost,
          `key-${key}: ${this.#acknowledgedOf[key]} acknowledged, ${this.#inChangelog[key]} in the changelog, ${this.#toldLast[key]} told`,
        )
    }
    this.#atStart = this.#inChangelog.slice()
    return this.acknowledged - before
  }

  /** How much the counts are above the acknowledged records, all keys together: what was counted twice. */
  get surplus(): number {
    let surplus = 0
    for (let key = 0; key < this.#topics.keys; key++)
      surplus += this.#inChangelog[key]! - this.#acknowledgedOf[key]!
    return surplus
  }

  async #committed(): Promise<number[]> {
    const { source, partitions } = this.#topics
    const asked = Array.from({ length: partitions }, (_, partition) => ({ topic: source, partition }))
    const offsets = await call<rdkafka.TopicPartitionOffset[]>((done) =>
      this.#consumer.committed(asked, timeoutMs, done),
    )
    const committed = Array<number>(partitions).fill(0)
    for (const { partition, offset } of offsets) committed[partition] = Math.max(0, offset ?? 0)
    return committed
  }

  async #ends(topic: string): Promise<number[]> {
    const ends: number[] = []
    for (let partition = 0; partition < this.#topics.partitions; partition++) {
      const { highOffset } = await call<rdkafka.WatermarkOffsets>((done) =>
        this.#consumer.queryWatermarkOffsets(topic, partition, timeoutMs, done),
      )
      ends.push(highOffset)
    }
    return ends
  }

  /** Reads every partition from where it stopped to `ends`. Compaction leaves gaps, also at the end. */
  async #read(
    topic: string,
    ends: readonly number[],
    visit: (key: number, count: number) => void,
  ): Promise<void> {
    const positions = this.#positions.get(topic)!
    const unread = (): number[] =>
      [...ends.keys()].filter((partition) => positions[partition]! < ends[partition]!)
    if (unread().length === 0) return
    this.#consumer.assign(unread().map((partition) => ({ topic, partition, offset: positions[partition]! })))
    const deadline = Date.now() + timeoutMs
    while (unread().length > 0) {
      if (Date.now() > deadline) throw new Error(`${topic} cannot be read up to ${ends.join(', ')}`)
      const messages = await call<rdkafka.Message[]>((done) => this.#consumer.consume(20_000, done))
      for (const { partition, offset, key, value } of messages) {
        if (offset >= ends[partition]!) continue
        positions[partition] = offset + 1
        const index = Number(key!.toString().slice('key-'.length))
        visit(index, value !== null && value.length === 8 ? Number(value.readBigInt64BE(0)) : 0)
      }
    }
    this.#consumer.unassign()
  }
}

function note(list: string[], line: string): void {
  if (list.length < 10) list.push(line)
}

function call<T>(invoke: (done: (error: unknown, value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    invoke((error, value) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)))
      else resolve(value)
    })
  })
}
