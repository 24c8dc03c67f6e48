import type { PartitionReader } from '../consume/partition-input.ts'
import { CONSUME_COLUMNS } from '../native.ts'
import { TimeQueue } from '../process/time-queue.ts'

/** A record as it stands in a topic. */
export interface LocalRecord {
  /** ms since 1970 */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** As Headers encodes them; null: none. */
  readonly headers: Buffer | null
}

/** A topic that the topology reads, or all that one of its patterns matches. */
class InputQueue {
  readonly records: (LocalRecord & { readonly topic: string })[] = []
  /** The offset of the next record to be polled. */
  position = 0

  get headTimestamp(): number {
    return this.records[0]!.timestamp
  }
}

/**
 * The topics of a test: what the topology reads, and what it has written. Each has one partition. Stands where the runtime has its consumer, and gives
 * it one record at a time: that with the smallest timestamp, among equals the one that Kafka Streams' TopologyTestDriver takes.
 */
export class LocalTopics implements PartitionReader {
  readonly #inputs = new Map<string, InputQueue>()
  readonly #patterns: readonly { readonly matches: (topic: string) => boolean; readonly queue: InputQueue }[]
  readonly #slots: { readonly topic: string; readonly queue: InputQueue }[] = []
  readonly #waiting = new TimeQueue<InputQueue>((queue) => queue.headTimestamp)
  readonly #written = new Map<string, LocalRecord[]>()
  /** Whose head may be polled. */
  #released: InputQueue | null = null

  /**
   * @param sourceTopics the topics that the topology reads, by their real names
   * @param patterns say which other topics it reads
   */
  constructor(sourceTopics: Iterable<string>, patterns: readonly ((topic: string) => boolean)[] = []) {
    for (const topic of sourceTopics) this.#inputs.set(topic, new InputQueue())
    this.#patterns = patterns.map((matches) => ({ matches, queue: new InputQueue() }))
  }

  /** The topics that were written to, in order of their first record. */
  get writtenTopics(): Iterable<string> {
    return this.#written.keys()
  }

  reads(topic: string): boolean {
    return this.#inputs.has(topic) || this.#patterns.some(({ matches }) => matches(topic))
  }

  /** True for a topic that a pattern matches and that has not been discovered. */
  isNew(topic: string): boolean {
    return !this.#inputs.has(topic) && this.reads(topic)
  }

  /** A topic that a pattern matches becomes one that is read. REQUIRES that it is new. */
  discover(topic: string): void {
    this.#inputs.set(topic, this.#patterns.find(({ matches }) => matches(topic))!.queue)
  }

  /** A record for the topology. REQUIRES that it reads the topic, and that one which a pattern matches was discovered. */
  pipe(topic: string, record: LocalRecord): void {
    const queue = this.#inputs.get(topic)!
    queue.records.push({ topic, ...record })
    if (queue.records.length === 1) this.#waiting.add(queue)
  }

  /** A record that the topology has written; it comes back to it when it reads the topic too. */
  write(topic: string, record: LocalRecord): void {
    const written = this.#written.get(topic)
    if (written === undefined) this.#written.set(topic, [record])
    else written.push(record)
    if (this.#inputs.has(topic)) this.pipe(topic, record)
  }

  /** What was written to a topic and not taken from it yet, oldest first. */
  written(topic: string): LocalRecord[] {
    return this.#written.get(topic) ?? []
  }

  /** Lets the next record be polled. @returns false when there is none */
  release(): boolean {
    this.#released = this.#waiting.take() ?? null
    return this.#released !== null
  }

  open(topic: string): number {
    return this.#slots.push({ topic, queue: this.#inputs.get(topic)! }) - 1
  }

  poll(slot: number, arena: Buffer, columns: ArrayBuffer, capacity: number): number {
    const { topic, queue } = this.#slots[slot]!
    if (queue !== this.#released || queue.records[0]!.topic !== topic) return 0
    const { timestamp, key, value, headers } = queue.records[0]!
    const bytes = (key?.length ?? 0) + (value?.length ?? 0) + (headers?.length ?? 0)
    if (bytes > arena.length) return -bytes
    this.#released = null
    queue.records.shift()
    if (queue.records.length > 0) this.#waiting.add(queue)
    const float64 = new Float64Array(columns, 0, CONSUME_COLUMNS.float64.length * capacity)
    float64[0] = queue.position++
    float64[capacity] = timestamp
    const int32 = new Int32Array(columns, float64.byteLength, CONSUME_COLUMNS.int32.length * capacity)
    let start = 0
    for (const [column, part] of [key, value, headers].entries()) {
      int32[2 * column * capacity] = start
      int32[(2 * column + 1) * capacity] = part?.length ?? -1
      start += part?.copy(arena, start) ?? 0
    }
    return 1
  }

  closeSlot(): void {}

  position(slot: number): number {
    return this.#slots[slot]!.queue.position
  }

  watermarks(slot: number): [number, number] {
    return [0, this.#slots[slot]!.queue.position]
  }
}
