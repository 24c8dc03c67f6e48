import type { TopicPartition, TopicPartitionOffset } from '../native.ts'
import type { Membership } from './membership/membership.ts'
import { partitionKey } from './task-inputs.ts'

/** Where the group stands in each partition that is assigned to this process: the offset that was committed last, or else is read from first. */
export class TaskPositions {
  readonly #membership: Pick<Membership, 'startOffsets'>
  readonly #offsets = new Map<string, TopicPartitionOffset>()
  /** Where a task was closed with what it had not committed, the group may stand elsewhere than this process knows. By the number of that doubt. */
  readonly #doubts = new Map<string, number>()
  #lastDoubt = 0

  constructor(membership: Pick<Membership, 'startOffsets'>) {
    this.#membership = membership
  }

  get size(): number {
    return this.#offsets.size
  }

  has(key: string): boolean {
    return this.#offsets.has(key)
  }

  get(key: string): TopicPartitionOffset | undefined {
    return this.#offsets.get(key)
  }

  all(): Iterable<TopicPartitionOffset> {
    return this.#offsets.values()
  }

  /** What the group has said, for sure. */
  told(start: TopicPartitionOffset): void {
    const key = partitionKey(start)
    this.#offsets.set(key, withoutStart(start))
    this.#doubts.delete(key)
  }

  revoked(key: string): void {
    this.#offsets.delete(key)
    this.#doubts.delete(key)
  }

  /** These were committed; what is not this process's any more is left out. */
  moveTo(offsets: readonly TopicPartitionOffset[]): void {
    for (const offset of offsets) {
      const key = partitionKey(offset)
      if (this.#offsets.has(key)) this.#offsets.set(key, offset)
    }
  }

  /** The outcome of a commit of these is not known. */
  doubt(inputs: readonly TopicPartition[]): void {
    this.#lastDoubt++
    for (const input of inputs) this.#doubts.set(partitionKey(input), this.#lastDoubt)
  }

  /** Asks the group where that is in doubt. @param inputs those that still matter */
  async decide(inputs: () => readonly TopicPartition[]): Promise<void> {
    const undecided = (): TopicPartition[] =>
      inputs().filter((input) => this.#doubts.has(partitionKey(input)))
    const asked = undecided()
    if (asked.length === 0) return
    const doubts = new Map(this.#doubts)
    let starts: readonly TopicPartitionOffset[]
    try {
      starts = await this.#membership.startOffsets(asked)
    } catch (error) {
      // They were given back, or the process leaves the group.
      if (undecided().length === 0) return
      throw error
    }
    // A doubt that came while the group was asked is not what it has answered.
    const isAnswer = (key: string): boolean =>
      doubts.get(key) !== undefined && doubts.get(key) === this.#doubts.get(key)
    for (const start of starts) if (isAnswer(partitionKey(start))) this.told(start)
  }
}

/** Without what only a start knows. */
function withoutStart({ topic, partition, offset, metadata }: TopicPartitionOffset): TopicPartitionOffset {
  return { topic, partition, offset, ...(metadata === undefined ? {} : { metadata }) }
}
