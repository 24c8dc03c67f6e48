import { changelogId } from '../commit/changelog-ends.ts'
import { changelogEndsOf } from '../commit/offset-metadata.ts'
import type { TopicPartitionOffset } from '../native.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { tieredStores } from '../topology/tiered-stores.ts'
import { changelogTopic } from '../topology/topic-names.ts'
import type { TopicInfo } from './protocol.ts'

/** The changelogs of a topology's tiered stores, by what names them in committed metadata. */
export function tierChangelogs(
  { subtopologies }: TopologyDefinition,
  applicationId: string,
  topics: Readonly<Record<string, TopicInfo>>,
): ReadonlyMap<string, string> {
  const changelogs = new Map<string, string>()
  for (const { name } of subtopologies.flatMap(({ stores }) => tieredStores(stores))) {
    const topic = changelogTopic(applicationId, name)
    changelogs.set(changelogId(name, topics[topic]?.id ?? ''), topic)
  }
  return changelogs
}

/** Where changelogs of tiered stores ended at the commits of `positions`: Cassandra has all that they have before that. */
export function* tierWatermarks(
  positions: Iterable<TopicPartitionOffset>,
  changelogs: ReadonlyMap<string, string>,
): Iterable<TopicPartitionOffset> {
  if (changelogs.size === 0) return
  for (const { partition, metadata } of positions) {
    for (const [id, offset] of changelogEndsOf([metadata])) {
      const topic = changelogs.get(id)
      // A task's inputs have its number.
      if (topic !== undefined) yield { topic, partition, offset }
    }
  }
}
