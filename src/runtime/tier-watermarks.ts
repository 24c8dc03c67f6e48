import { changelogId } from '../commit/changelog-ends.ts'
import { processorMetadataOf } from '../commit/offset-metadata.ts'
import type { TopicPartitionOffset } from '../native.ts'
import type { StoreDefinition, TopologyDefinition } from '../topology/definition.ts'
import { tieredStores } from '../topology/tiered-stores.ts'
import { changelogTopic } from '../topology/topic-names.ts'
import type { TopicInfo } from './protocol.ts'

/**
 * Up to where Cassandra has what the changelog of a tiered store says: kept with a task's committed offsets under this name. Another changelog of the same
 * store has another.
 */
export function watermarkName(
  store: string,
  applicationId: string,
  topics: Readonly<Record<string, TopicInfo>>,
): string {
  return `weir.tier.${changelogId(store, topics[changelogTopic(applicationId, store)]?.id ?? '')}`
}

/** The changelogs of a topology's tiered stores, by the names of their watermarks. */
export function tierChangelogs(
  { subtopologies }: TopologyDefinition,
  applicationId: string,
  topics: Readonly<Record<string, TopicInfo>>,
): ReadonlyMap<string, string> {
  const tiered = subtopologies.flatMap(({ stores }) => tieredStores(stores))
  return new Map(
    tiered.map(({ name }) => [
      watermarkName(name, applicationId, topics),
      changelogTopic(applicationId, name),
    ]),
  )
}

/** The watermarks that were committed with a task's inputs, by store. */
export function storeWatermarks(
  stores: readonly StoreDefinition[],
  applicationId: string,
  topics: Readonly<Record<string, TopicInfo>>,
  inputs: readonly TopicPartitionOffset[],
): ReadonlyMap<string, number> {
  const committed = processorMetadataOf(inputs.map(({ metadata }) => metadata))
  const watermarks = new Map<string, number>()
  for (const { name } of tieredStores(stores)) {
    const offset = committed.get(watermarkName(name, applicationId, topics))
    if (offset !== undefined) watermarks.set(name, offset)
  }
  return watermarks
}

/** The watermarks that were committed with `positions`, as positions in the changelogs. */
export function* tierWatermarks(
  positions: Iterable<TopicPartitionOffset>,
  changelogs: ReadonlyMap<string, string>,
): Iterable<TopicPartitionOffset> {
  if (changelogs.size === 0) return
  for (const { partition, metadata } of positions) {
    for (const [name, offset] of processorMetadataOf([metadata])) {
      const topic = changelogs.get(name)
      // A task's inputs have its number.
      if (topic !== undefined) yield { topic, partition, offset }
    }
  }
}
