import { unboundSerde } from '../serde/binding.ts'
import { isPrefixKeySerde } from '../serde/prefix-key.ts'
import type { SourceDefinition, StoreDefinition, SubtopologyDefinition } from './definition.ts'

/**
 * The stores whose rows under a source's record keys can be fetched a batch ahead: read by key below the source, with no operator between that
 * changes the key, and written with the same key serde, so that the record's key bytes are the store's.
 */
export function prefetchPlan(
  subtopology: SubtopologyDefinition,
  source: SourceDefinition,
): StoreDefinition[] {
  const stores = new Map(subtopology.stores.map((store) => [store.name, store]))
  const plan = new Set<StoreDefinition>()
  const visited = new Set<string>()
  const visit = (parent: string): void => {
    for (const node of subtopology.nodes) {
      if (node.kind !== 'processor' || !node.parents.includes(parent) || visited.has(node.name)) continue
      visited.add(node.name)
      for (const name of node.readsByKey) {
        const store = stores.get(name)
        // The rows of a window, a session or a version lie under more than the record's key; a buffer is in memory.
        if (store === undefined || store.type === 'suppress-buffer') continue
        const key = isPrefixKeySerde(store.key) ? store.key.prefix : store.key
        if (unboundSerde(key) !== unboundSerde(source.key)) continue
        if (store.windows === undefined && store.versions === undefined) plan.add(store)
      }
      if (node.preservesKey) visit(node.name)
    }
  }
  visit(source.name)
  return [...plan]
}
