/** Rewritings of the graph before it is written. Kafka Streams' InternalStreamsBuilder.optimizeTopology, to the letter where names depend on it. */
import type { OptimizationRule } from '../topology/optimization.ts'
import {
  type DslGraph,
  type GraphNode,
  RepartitionGraphNode,
  StreamJoinGraphNode,
  TableSourceGraphNode,
} from './graph.ts'
import { repartitionNode } from './repartition.ts'

/**
 * Applies the rules.
 *
 * @param nodes in the order in which they were added
 * @returns the sources that went, and what they are now
 */
export function optimize(
  graph: DslGraph,
  nodes: readonly GraphNode[],
  rules: readonly OptimizationRule[],
): Map<string, string> {
  let renamed = new Map<string, string>()
  if (rules.includes('reuse.ktable.source.topics')) {
    for (const node of nodes) if (node instanceof TableSourceGraphNode) node.reusesSourceTopic = true
  }
  if (rules.includes('merge.repartition.topics')) renamed = mergeRepartitionTopics(graph, nodes)
  if (rules.includes('single.store.self.join')) joinSelvesOnce(nodes)
  return renamed
}

/** A stream that is joined with itself: what its second window would keep is what its first one keeps. */
function joinSelvesOnce(nodes: readonly GraphNode[]): void {
  for (const node of nodes) {
    if (!(node instanceof StreamJoinGraphNode) || node.parents.size > 1) continue
    for (const parent of node.parents) parent.remove(node.rightWindow)
    node.isSelfJoin = true
  }
}

/** Repartition topics below the same change of keys become one, directly below it, named as the first of them. */
function mergeRepartitionTopics(graph: DslGraph, nodes: readonly GraphNode[]): Map<string, string> {
  const renamed = new Map<string, string>()
  for (const [keyChanger, replaced] of repartitionsByKeyChanger(nodes)) {
    const [first] = replaced
    if (first === undefined) continue
    const merged = repartitionNode(graph, { ...first.topic, isMergeable: true })
    // Before everything that is below it now.
    merged.buildPriority = keyChanger.buildPriority
    for (const node of replaced) {
      const below = firstAbove(node, ({ parents }) => parents.has(keyChanger))
      // Two topics may have the same child of the key changer above them: it is moved once.
      if (below !== null) {
        keyChanger.remove(below)
        merged.append(below)
      }
      for (const parent of [...node.parents]) {
        for (const child of node.children) parent.append(child)
        parent.remove(node)
      }
      for (const child of [...node.children]) node.remove(child)
      renamed.set(node.name, merged.name)
    }
    keyChanger.append(merged)
  }
  return renamed
}

/** The repartition topics that are there because of each node that changes keys. Below a merge of several such nodes they are the merge's. */
function repartitionsByKeyChanger(nodes: readonly GraphNode[]): Map<GraphNode, Set<RepartitionGraphNode>> {
  const byChanger = new Map<GraphNode, Set<RepartitionGraphNode>>()
  const merges: GraphNode[] = []
  for (const node of nodes) {
    if (node.changesKey) byChanger.set(node, new Set())
    else if (node instanceof RepartitionGraphNode) {
      if (!node.isMergeable) continue
      const changer = keyChangerAbove(node)
      if (changer !== null) byChanger.get(changer)!.add(node)
    } else if (node.isMerge) merges.push(node)
  }
  const above = new Map(
    merges.map((merge) => [
      merge,
      [...byChanger].filter(([changer, repartitions]) => {
        const isBelowMerge = (node: GraphNode) =>
          firstAbove(node, ({ parents }) => parents.has(merge)) !== null
        return (
          [...repartitions].every(isBelowMerge) &&
          firstAbove(merge, ({ parents }) => parents.has(changer)) !== null
        )
      }),
    ]),
  )
  for (const [merge, changers] of above)
    byChanger.set(merge, new Set(changers.flatMap(([, repartitions]) => [...repartitions])))
  for (const changers of above.values()) for (const [changer] of changers) byChanger.delete(changer)
  return byChanger
}

/** Null when values change in between: the merged topic would have other ones. */
function keyChangerAbove(node: GraphNode): GraphNode | null {
  const changer = firstAbove(node, ({ changesKey }) => changesKey)
  const first = firstAbove(node, ({ changesKey, changesValue }) => changesKey || changesValue)
  return changer === first ? changer : null
}

/** The node itself, or the first above it, that is what is looked for. */
function firstAbove(node: GraphNode, matches: (node: GraphNode) => boolean): GraphNode | null {
  if (matches(node)) return node
  for (const parent of node.parents) {
    const found = firstAbove(parent, matches)
    if (found !== null) return found
  }
  return null
}
