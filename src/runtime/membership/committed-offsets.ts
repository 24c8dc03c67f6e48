import type { TopicPartitionOffset } from '../../native.ts'

/**
 * The offsets that the group has of topics that may be deleted while they are read. Only what has moved on is committed of them: a topic that was deleted
 * and made anew has offsets of its own, and the old one's, committed once more because a task's other inputs have moved on, would be taken for the new one's.
 */
export class CommittedOffsets {
  readonly #mayGo: (topic: string) => boolean
  /** By topic and partition. */
  readonly #offsets = new Map<string, number>()

  /** @param mayGo whether a topic may be deleted */
  constructor(mayGo: (topic: string) => boolean) {
    this.#mayGo = mayGo
  }

  /** What the group is known to have; an offset below 0: nothing. */
  set(offsets: readonly TopicPartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets)
      if (this.#mayGo(topic)) this.#offsets.set(`${topic}/${partition}`, offset)
  }

  /** What of `offsets` is to be committed. */
  moved(offsets: readonly TopicPartitionOffset[]): readonly TopicPartitionOffset[] {
    return offsets.filter(
      ({ topic, partition, offset }) =>
        !this.#mayGo(topic) || this.#offsets.get(`${topic}/${partition}`) !== offset,
    )
  }
}
