import type { Config } from '../config/config.ts'
import type { TopicPartition } from '../native.ts'
import { offsetResets } from '../runtime/application-plan.ts'
import type { TaskId } from '../runtime/protocol.ts'
import type { OffsetReset, TopologyDefinition } from '../topology/definition.ts'
import { realTopic } from '../topology/topic-names.ts'
import { withMatchedTopics } from '../topology/topic-patterns.ts'

/** A partition that a task reads. */
export interface LagInput extends TopicPartition {
  readonly task: TaskId
  /** Where it begins without a committed offset. */
  readonly offsetReset: OffsetReset
}

export interface LagInputs {
  /** By sub-topology and partition. */
  readonly inputs: readonly LagInput[]
  /** Source topics that do not exist: internal ones are made when the application starts first. */
  readonly missingTopics: readonly string[]
}

/**
 * What the tasks of a topology read, repartition topics included. Global stores are left out: the group does not read them.
 *
 * @param partitionsOf of every topic of the cluster
 * @throws TopologyError for a topic that two patterns match
 */
export function lagInputs(
  built: TopologyDefinition,
  { applicationId, autoOffsetReset }: Pick<Config, 'applicationId' | 'autoOffsetReset'>,
  partitionsOf: ReadonlyMap<string, number>,
): LagInputs {
  const topology = withMatchedTopics(built, applicationId, partitionsOf.keys())
  const resetOf = offsetResets(topology, applicationId, autoOffsetReset)
  const inputs: LagInput[] = []
  const missingTopics: string[] = []
  for (const { id, sourceTopics } of topology.subtopologies) {
    const topics = sourceTopics.map((topic) => realTopic(topology, applicationId, topic))
    const partitions = Math.max(0, ...topics.map((topic) => partitionsOf.get(topic) ?? 0))
    for (const topic of topics) if (!partitionsOf.has(topic)) missingTopics.push(topic)
    for (let partition = 0; partition < partitions; partition++) {
      for (const topic of topics) {
        if (partition >= (partitionsOf.get(topic) ?? 0)) continue
        inputs.push({ task: `${id}_${partition}`, topic, partition, offsetReset: resetOf(topic) })
      }
    }
  }
  return { inputs, missingTopics }
}
