import { TopicReader } from './topic-reader.ts'

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
  /**
   * Counts that went into the changelog although more records had been acknowledged before the worker began: a row was lost and counted anew. Less than the
   * changelog had is right where that was not acknowledged: it is not applied, and written over.
   */
  readonly wentBack: string[]
  /** Counts that a worker told although as many records, or more, had been acknowledged before it began: its state was not restored whole. */
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
  readonly #reader: TopicReader
  readonly #acknowledgedOf: Float64Array
  readonly #inChangelog: Float64Array
  readonly #toldLast: Float64Array
  /** Acknowledged when the worker that is judged now began. */
  #atStart: Float64Array
  /** Next offsets, by topic and partition. */
  readonly #positions = new Map<string, number[]>()

  private constructor(topics: VerifiedTopics, reader: TopicReader) {
    this.#topics = topics
    this.#reader = reader
    this.#acknowledgedOf = new Float64Array(topics.keys)
    this.#inChangelog = new Float64Array(topics.keys)
    this.#toldLast = new Float64Array(topics.keys)
    this.#atStart = new Float64Array(topics.keys)
    for (const topic of [topics.source, topics.changelog, topics.output])
      this.#positions.set(topic, Array<number>(topics.partitions).fill(0))
  }

  static async open(bootstrapServers: string, topics: VerifiedTopics): Promise<TopicVerifier> {
    return new TopicVerifier(topics, await TopicReader.open(bootstrapServers, topics.group))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]()
  }

  /**
   * Reads what is new. REQUIRES that no worker runs.
   *
   * @returns acknowledged records that are new
   */
  async check(): Promise<number> {
    const { source, changelog, output, partitions } = this.#topics
    // Acknowledged first: everything that makes a count is in the topics before that.
    const committed = await this.#reader.committed(source, partitions)
    const before = this.acknowledged
    await this.#read(source, committed, (key) => {
      this.#acknowledgedOf[key]!++
      this.acknowledged++
    })
    await this.#read(changelog, await this.#reader.ends(changelog, partitions), (key, count) => {
      this.changelogRecords++
      if (count < this.#atStart[key]!)
        note(this.violations.wentBack, `key-${key}: ${count}, ${this.#atStart[key]} were acknowledged`)
      this.#inChangelog[key] = count
    })
    await this.#read(output, await this.#reader.ends(output, partitions), (key, count) => {
      this.outputs++
      if (count <= this.#atStart[key]!)
        note(this.violations.resumedBelow, `key-${key}: ${count}, ${this.#atStart[key]} were acknowledged`)
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
    this.#atStart = this.#acknowledgedOf.slice()
    return this.acknowledged - before
  }

  /** How much the counts are above the acknowledged records, all keys together: what was counted twice. */
  get surplus(): number {
    let surplus = 0
    for (let key = 0; key < this.#topics.keys; key++)
      surplus += this.#inChangelog[key]! - this.#acknowledgedOf[key]!
    return surplus
  }

  /** Reads every partition from where it stopped to `ends`. */
  async #read(
    topic: string,
    ends: readonly number[],
    visit: (key: number, count: number) => void,
  ): Promise<void> {
    await this.#reader.read(topic, this.#positions.get(topic)!, ends, ({ key, value }) => {
      const index = Number(key!.toString().slice('key-'.length))
      visit(index, value !== null && value.length === 8 ? Number(value.readBigInt64BE(0)) : 0)
    })
  }
}

function note(list: string[], line: string): void {
  if (list.length < 10) list.push(line)
}
