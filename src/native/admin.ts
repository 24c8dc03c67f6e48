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

/** The main thread's admin client. A topic that is missing is absent from a result; one that is refused rejects with its name. */
export interface Admin {
  describeTopics(names: readonly string[], timeoutMs: number): Promise<TopicDescription[]>
  topicConfigs(name: string, timeoutMs: number): Promise<Record<string, string>>
  /** Existing topics are no error. @returns one entry for each topic that could not be created */
  createTopics(
    topics: readonly NewTopic[],
    timeoutMs: number,
  ): Promise<{ name: string; error: NativeError }[]>
  deleteRecords(before: readonly TopicPartitionOffset[], timeoutMs: number): Promise<void>
  listOffsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest',
    isolation: 'read_committed' | 'read_uncommitted',
    timeoutMs: number,
  ): Promise<TopicPartitionOffset[]>
  groupOffsets(group: string, timeoutMs: number): Promise<TopicPartitionOffset[]>
  /** The cluster's topics, by metadata: works on the mock cluster too. */
  listTopics(timeoutMs: number): Promise<{ name: string; partitions: number }[]>
  close(): Promise<void>
}

export const { Admin } = addon as {
  Admin: { new (config: ClientConfig): Admin }
}
