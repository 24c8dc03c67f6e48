import { TopicReader } from '../support/topic-reader.ts'

const TOPIC = '__consumer_offsets'

export interface Commit {
  readonly offset: number
  /** When the coordinator took it, ms since 1970. */
  readonly atMs: number
}

/** Every commit that a group has made, read from the brokers' own topic: where each partition stood when. */
export class CommitLog {
  readonly #bootstrapServers: string
  readonly #group: string
  readonly #positions: number[]
  readonly #partitions: number
  /** By topic and partition, in their order. */
  readonly #commits = new Map<string, Commit[]>()

  private constructor(bootstrapServers: string, group: string, positions: number[]) {
    this.#bootstrapServers = bootstrapServers
    this.#group = group
    this.#positions = positions
    this.#partitions = positions.length
  }

  /** Begins where the topic ends now. @param partitions of the brokers' topic */
  static async open(bootstrapServers: string, group: string, partitions: number): Promise<CommitLog> {
    await using reader = await TopicReader.open(bootstrapServers, group)
    // The first group's member makes the topic.
    const ends = await reader.ends(TOPIC, partitions).catch(() => Array<number>(partitions).fill(0))
    return new CommitLog(bootstrapServers, group, ends)
  }

  async read(): Promise<void> {
    await using reader = await TopicReader.open(this.#bootstrapServers, this.#group)
    const ends = await reader.ends(TOPIC, this.#partitions)
    await reader.read(TOPIC, this.#positions, ends, ({ key, value, timestamp }) => {
      const committed = decodeKey(key as Buffer)
      if (committed === null || committed.group !== this.#group || value === null) return
      const at = `${committed.topic}-${committed.partition}`
      const commits = this.#commits.get(at) ?? []
      // Version (2 bytes), offset (8), ...
      commits.push({ offset: Number(value.readBigInt64BE(2)), atMs: timestamp! })
      this.#commits.set(at, commits)
    })
  }

  of(topic: string, partition: number): readonly Commit[] {
    return this.#commits.get(`${topic}-${partition}`) ?? []
  }
}

/** OffsetCommitKey, versions 0 and 1: group, topic (each with a length of 2 bytes), partition (4). null: another kind of record. */
function decodeKey(key: Buffer): { group: string; topic: string; partition: number } | null {
  if (key.readInt16BE(0) > 1) return null
  let at = 2
  const text = (): string => {
    const length = key.readInt16BE(at)
    at += 2 + length
    return key.toString('utf8', at - length, at)
  }
  return { group: text(), topic: text(), partition: key.readInt32BE(at) }
}
