import type { OffsetReset, TopologyDefinition } from '../topology/definition.ts'
import { globalSubtopology } from '../topology/global-stores.ts'
import { realTopic } from '../topology/topic-names.ts'
import { matchedTopics, wholeMatcher } from '../topology/topic-patterns.ts'
import { type PrepareTopicsOptions, prepareTopics } from './internal-topics.ts'
import type { TopicInfo } from './protocol.ts'
import { allTasks, type TaskInputs } from './task-inputs.ts'

/** What an application does with the topics that there are. Topics go by their real names. */
export interface ApplicationPlan {
  /** Every task of the application, in all its processes. */
  readonly tasks: readonly TaskInputs[]
  /** What the group assigns the partitions of. */
  readonly inputTopics: readonly string[]
  /** Of these, those that a source's pattern matches. */
  readonly matched: readonly string[]
  /** Every topic that is read or written. */
  readonly topics: Readonly<Record<string, TopicInfo>>
  /** Of these, input, internal and global topics: they have to stay as they are. */
  readonly watched: ReadonlyMap<string, TopicInfo>
}

/** Looks for the topics, and creates and checks the internal ones. @throws as prepareTopics */
export async function planApplication(
  topology: TopologyDefinition,
  options: PrepareTopicsOptions,
): Promise<ApplicationPlan> {
  const prepared = await prepareTopics(topology, options)
  const { plan, topics } = prepared
  const tasks = allTasks(prepared.topology, options.config.applicationId, plan)
  const watched = [
    ...plan.sources.keys(),
    ...plan.internalTopics.map(({ name }) => name),
    ...globalSubtopology(topology).sourceTopics,
  ]
  return {
    tasks,
    inputTopics: [...new Set(tasks.flatMap(({ inputs }) => inputs.map(({ topic }) => topic)))],
    matched: matchedTopics(prepared.topology),
    topics,
    watched: new Map(watched.flatMap((name) => (topics[name] === undefined ? [] : [[name, topics[name]]]))),
  }
}

/**
 * Source topics' own reset policies, by real name, whether named or matched by a pattern. A repartition topic is the application's own: all of it
 * counts.
 */
export function offsetResets(
  topology: TopologyDefinition,
  applicationId: string,
  otherwise: OffsetReset,
): (topic: string) => OffsetReset {
  const named = new Map<string, OffsetReset>()
  const matched: { matches: (topic: string) => boolean; reset: OffsetReset }[] = []
  for (const node of topology.subtopologies.flatMap(({ nodes }) => nodes)) {
    if (node.kind !== 'source' || node.offsetReset === undefined) continue
    for (const topic of node.topics) named.set(topic, node.offsetReset)
    if (node.pattern !== undefined)
      matched.push({ matches: wholeMatcher(node.pattern), reset: node.offsetReset })
  }
  for (const { name } of topology.repartitionTopics)
    named.set(realTopic(topology, applicationId, name), 'earliest')
  return (topic) => named.get(topic) ?? matched.find(({ matches }) => matches(topic))?.reset ?? otherwise
}
