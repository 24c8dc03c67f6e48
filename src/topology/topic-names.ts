import type { TopologyDefinition } from './definition.ts'

/** The changelog of a store. As Kafka Streams' ProcessorStateManager.storeChangelogTopic. */
export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`
}

/** @param name as the definition has it: `<name>-repartition` */
export function repartitionTopic(applicationId: string, name: string): string {
  return `${applicationId}-${name}`
}

/** A topic's name in the cluster by its name in the definition: a repartition topic gets the application's prefix, others stay. */
export function realTopic(
  topology: Pick<TopologyDefinition, 'repartitionTopics'>,
  applicationId: string,
  name: string,
): string {
  const internal = topology.repartitionTopics.some((topic) => topic.name === name)
  return internal ? repartitionTopic(applicationId, name) : name
}
