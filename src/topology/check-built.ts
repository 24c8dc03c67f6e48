/** What can be seen only when the topology is whole. */
import type { NodeDefinition, RepartitionTopicDefinition, StoreDefinition } from './definition.ts'
import { TopologyError } from './topology-error.ts'

/** Every store has a processor that uses it; what a processor reads ahead is of its own stores. */
export function checkStores(
  nodes: readonly NodeDefinition[],
  stores: ReadonlyMap<string, StoreDefinition>,
): void {
  const connected = new Set<string>()
  for (const node of nodes) {
    if (node.kind !== 'processor') continue
    for (const store of node.stores) connected.add(store)
    const foreign = node.readsByKey.find((store) => !node.stores.includes(store))
    if (foreign !== undefined) {
      throw new TopologyError(
        `processor ${node.name}: readsByKey has ${foreign}, which is none of its stores`,
      )
    }
  }
  for (const store of stores.keys()) {
    if (!connected.has(store)) throw new TopologyError(`store ${store} is connected to no processor`)
  }
}

/** Repartition topics whose partitions are joined have the same number of them, where it was given. */
export function checkFixedPartitions(
  groups: readonly (readonly string[])[],
  topics: ReadonlyMap<string, RepartitionTopicDefinition>,
): void {
  for (const group of groups) {
    const fixed = group
      .map((name) => topics.get(name))
      .filter((topic) => topic !== undefined && topic.partitions !== null)
    if (new Set(fixed.map((topic) => topic!.partitions)).size > 1) {
      const list = fixed.map((topic) => `${topic!.name} has ${topic!.partitions}`).join(', ')
      throw new TopologyError(`topics that are joined need the same number of partitions: ${list}`)
    }
  }
}
