import type { TopicPartitionOffset } from '../../native.ts'
import { partitionKey } from '../task-inputs.ts'

/**
 * The offsets that the group has of topics that may be deleted while they are read. Only what has moved on is committed of them: a topic that was deleted
 * and made anew has offsets of its own, and the old one's, committed once more because a task's other inputs have moved on, would be taken for the new one's.
 */
export class CommittedOffsets {
  readonly #mayGo: (topic: string) => boolean
  /** By partitionKey. */
  readonly #offsets = new Map<string, number>()

  /** @param mayGo whether a topic may be deleted */
  constructor(mayGo: (topic: string) => boolean) {
    this.#mayGo = mayGo
  }

  /** What the group is known to have; an offset below 0: nothing. */
  set(offsets: readonly TopicPartitionOffset[]): void {
    for (const one of offsets) if (this.#mayGo(one.topic)) this.#offsets.set(partitionKey(one), one.offset)
  }

  /** What of `offsets` is to be committed. */
  moved(offsets: readonly TopicPartitionOffset[]): readonly TopicPartitionOffset[] {
    return offsets.filter(
      (one) => !this.#mayGo(one.topic) || this.#offsets.get(partitionKey(one)) !== one.offset,
    )
  }
}
