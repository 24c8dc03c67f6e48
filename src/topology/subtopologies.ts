import type { NodeDefinition, StoreDefinition, SubtopologyDefinition } from './definition.ts'
import { DisjointSets } from './disjoint-sets.ts'

/**
 * Divides nodes into sub-topologies: those that are connected by parents or by a store. Numbered by the first node of each, in order of
 * definition. Kafka Streams' InternalTopologyBuilder.makeNodeGroups.
 *
 * @param copartitioned names of sources, grouped
 */
export function buildSubtopologies(
  nodes: readonly NodeDefinition[],
  stores: ReadonlyMap<string, StoreDefinition>,
  copartitioned: readonly (readonly string[])[],
): SubtopologyDefinition[] {
  const sets = new DisjointSets()
  const storeUsers = new Map<string, string>()
  for (const node of nodes) {
    sets.unite(node.name, node.kind === 'source' ? [] : node.parents)
    if (node.kind !== 'processor') continue
    for (const store of node.stores) {
      const user = storeUsers.get(store)
      if (user === undefined) storeUsers.set(store, node.name)
      else sets.unite(node.name, [user])
    }
  }
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const topicGroups = copartitionGroups(byName, copartitioned)
  return sets.groups().map((names, id) => {
    const members = names.map((name) => byName.get(name)!)
    const used = new Set(members.flatMap((node) => (node.kind === 'processor' ? node.stores : [])))
    const sourceTopics = members.flatMap((node) => (node.kind === 'source' ? node.topics : []))
    return {
      id,
      nodes: members,
      stores: [...stores.values()].filter(({ name }) => used.has(name)),
      sourceTopics,
      copartitionGroups: topicGroups.filter(([topic]) => sourceTopics.includes(topic!)),
    }
  })
}

/** Groups of topics; groups that share a topic are one. */
export function copartitionGroups(
  nodes: ReadonlyMap<string, NodeDefinition>,
  copartitioned: readonly (readonly string[])[],
): string[][] {
  const sets = new DisjointSets()
  for (const sources of copartitioned) {
    const topics = sources.flatMap((name) => {
      const node = nodes.get(name)
      return node?.kind === 'source' ? node.topics : []
    })
    if (topics.length > 0) sets.unite(topics[0]!, topics)
  }
  return sets.groups().filter((group) => group.length > 1)
}
