import type { Admin, GroupDescription, NewTopic, TopicDescription, TopicPartitionOffset } from '../native.ts'

/** What the runtime asks of a cluster about its topics. The native `Admin` is one; the mock cluster has none. */
export interface TopicAdmin {
  /** Every topic of the cluster. */
  listTopics(timeoutMs: number): Promise<readonly { readonly name: string }[]>
  /** A missing topic is absent from the result; one that is refused rejects with its name. */
  describeTopics(names: readonly string[], timeoutMs: number): Promise<readonly TopicDescription[]>
  /** Existing topics are no error. @returns one entry for each topic that could not be created */
  createTopics(
    topics: readonly NewTopic[],
    timeoutMs: number,
  ): Promise<readonly { readonly name: string; readonly error: Error }[]>
  /** A topic's settings, by name. */
  topicConfigs(name: string, timeoutMs: number): Promise<Readonly<Record<string, string>>>
  /** Deletes what lies before these offsets. */
  deleteRecords(before: readonly TopicPartitionOffset[], timeoutMs: number): Promise<void>
  /** Everything that a group has committed. */
  groupOffsets(group: string, timeoutMs: number): Promise<readonly TopicPartitionOffset[]>
  /** Members and what they have. Absent where there is no way to know. */
  describeGroup?(group: string, timeoutMs: number): Promise<Pick<GroupDescription, 'members'>>
  close(): Promise<void>
}

/**
 * Topic administration of librdkafka's mock cluster, which knows no such requests: topics are found by metadata and created in the process
 * that runs the cluster. They have no id and keep no settings; deleting records does nothing, and no group has offsets.
 */
export function mockTopicAdmin(
  admin: Pick<Admin, 'listTopics' | 'close'>,
  createTopic: (name: string, partitions: number) => void,
): TopicAdmin {
  const describeTopics = async (names: readonly string[], timeoutMs: number): Promise<TopicDescription[]> => {
    const topics = await admin.listTopics(timeoutMs)
    return topics
      .filter(({ name }) => names.includes(name))
      .map(({ name, partitions }) => ({ name, id: '', partitions, replicationFactor: 1 }))
  }
  return {
    listTopics: (timeoutMs) => admin.listTopics(timeoutMs),
    describeTopics,
    async createTopics(topics, timeoutMs) {
      const existing = await describeTopics(
        topics.map(({ name }) => name),
        timeoutMs,
      )
      for (const { name, partitions } of topics) {
        if (!existing.some((topic) => topic.name === name)) createTopic(name, partitions)
      }
      return []
    },
    topicConfigs: async () => ({}),
    deleteRecords: async () => {},
    groupOffsets: async () => [],
    close: () => admin.close(),
  }
}
