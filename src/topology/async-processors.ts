import { isAsync, type NodeDefinition, type SubtopologyDefinition } from './definition.ts'
import { TopologyError } from './topology-error.ts'

/** Promises under way at once for each task, where nothing is said. */
export const CONCURRENCY = 16

/** The sources and processors from which a record comes to an async processor, by name. */
export function nodesAboveAsync(nodes: readonly NodeDefinition[]): Set<string> {
  return nodesAbove(nodes, nodes.filter(isAsync))
}

/** What is above some of the nodes, by name. */
function nodesAbove(nodes: readonly NodeDefinition[], below: readonly NodeDefinition[]): Set<string> {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const above = new Set<string>()
  const visit = (node: NodeDefinition): void => {
    for (const parent of node.kind === 'source' ? [] : node.parents) {
      if (above.has(parent)) continue
      above.add(parent)
      visit(byName.get(parent)!)
    }
  }
  for (const node of below) visit(node)
  return above
}

/**
 * Records go ahead of their turns as far as async processors, so nothing above these may have state, which is in the order of the turns; and what
 * goes into one async processor is not known before another is done.
 */
export function checkAsyncProcessors(subtopologies: readonly SubtopologyDefinition[]): void {
  for (const { nodes } of subtopologies) {
    for (const node of nodes) {
      if (!isAsync(node)) continue
      const above = nodesAbove(nodes, [node])
      for (const other of nodes) {
        if (other.kind !== 'processor' || !above.has(other.name)) continue
        if (!isAsync(other) && other.stores.length === 0) continue
        const what = isAsync(other) ? 'is async, too' : `has stores (${other.stores.join(', ')})`
        throw new TopologyError(
          `processor ${node.name} is async, and below ${other.name}, which ${what}: put a repartition topic between them (in the DSL: repartition())`,
        )
      }
    }
  }
}
