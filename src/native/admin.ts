import { addon } from './addon.ts'
import type { NativeError } from './errors.ts'
import type { ClientConfig } from './kafka-config.ts'
import type { TopicPartition, TopicPartitionOffset } from './topic-partitions.ts'

export interface TopicDescription {
  readonly name: string
  /** A UUID as text. */
  readonly id: string
  readonly partitions: number
  readonly replicationFactor: number
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  /** -1: the broker's default. */
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export interface GroupDescription {
  /** As librdkafka names it: Stable, Empty; Dead for a group that does not exist. */
  readonly state: string
  readonly members: readonly {
    readonly memberId: string
    /** Of a static member. */
    readonly instanceId: string | null
    readonly clientId: string
    readonly host: string
    /** None while the group rebalances. */
    readonly assignment: readonly TopicPartition[]
  }[]
}

/** The main thread's admin client. A topic that is missing is absent from a result; one that is refused rejects with its name. */
export interface Admin {
  describeTopics(names: readonly string[], timeoutMs: number): Promise<TopicDescription[]>
  topicConfigs(name: string, timeoutMs: number): Promise<Record<string, string>>
  /** Existing topics are no error. @returns one entry for each topic that could not be created */
  createTopics(
    topics: readonly NewTopic[],
    timeoutMs: number,
  ): Promise<{ name: string; error: NativeError }[]>
  /** Missing topics are no error. @returns one entry for each topic that could not be deleted */
  deleteTopics(names: readonly string[], timeoutMs: number): Promise<{ name: string; error: NativeError }[]>
  deleteRecords(before: readonly TopicPartitionOffset[], timeoutMs: number): Promise<void>
  /** @param at an end, or a time in ms since 1970: the first record as young; offset -1 where there is none */
  listOffsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest' | number,
    isolation: 'read_committed' | 'read_uncommitted',
    timeoutMs: number,
  ): Promise<TopicPartitionOffset[]>
  groupOffsets(group: string, timeoutMs: number): Promise<TopicPartitionOffset[]>
  describeGroup(group: string, timeoutMs: number): Promise<GroupDescription>
  /** Sets a group's committed offsets. The broker refuses while the group has members. */
  alterGroupOffsets(group: string, offsets: readonly TopicPartitionOffset[], timeoutMs: number): Promise<void>
  /** Takes a group's committed offsets away; as above. */
  deleteGroupOffsets(group: string, partitions: readonly TopicPartition[], timeoutMs: number): Promise<void>
  /** The cluster's topics, by metadata: works on the mock cluster too. */
  listTopics(timeoutMs: number): Promise<{ name: string; partitions: number }[]>
  close(): Promise<void>
}

export const { Admin } = addon as {
  Admin: { new (config: ClientConfig): Admin }
}
