import type {
  GlobalStoreDefinition,
  NodeDefinition,
  SinkDefinition,
  SourceDefinition,
  SubtopologyDefinition,
  TopologyDefinition,
} from './definition.ts'
import { hashMapOrder, hashSetOrder, TreeSet } from './java-collections.ts'

interface DescribedNode {
  readonly definition: NodeDefinition
  readonly predecessors: TreeSet<DescribedNode>
  readonly successors: TreeSet<DescribedNode>
  /** Nodes below it, itself included, counted once for each path. */
  size: number
}

/** The bigger sub-tree first, then by name. */
function compareNodes(a: DescribedNode, b: DescribedNode): number {
  if (a === b) return 0
  if (a.size !== b.size) return b.size - a.size
  return a.definition.name < b.definition.name ? -1 : 1
}

function grow(node: DescribedNode, delta: number): void {
  node.size += delta
  for (const predecessor of node.predecessors) grow(predecessor, delta)
}

function connect(subtopology: SubtopologyDefinition): DescribedNode[] {
  const nodes = new Map<string, DescribedNode>()
  for (const definition of subtopology.nodes) {
    nodes.set(definition.name, {
      definition,
      predecessors: new TreeSet(compareNodes),
      successors: new TreeSet(compareNodes),
      size: 1,
    })
  }
  const ordered = hashMapOrder([...nodes.keys()]).map((name) => nodes.get(name)!)
  for (const node of ordered) {
    if (node.definition.kind === 'source') continue
    for (const parent of node.definition.parents) {
      const predecessor = nodes.get(parent)!
      node.predecessors.add(predecessor)
      predecessor.successors.add(node)
      grow(predecessor, node.size)
    }
  }
  return ordered.sort(compareNodes)
}

function names(nodes: Iterable<DescribedNode>): string {
  return [...nodes].map(({ definition }) => definition.name).join(', ') || 'none'
}

/** Kafka Streams shows what the extractor's toString() says; the name of a function takes its place. */
function describeTarget({ topic, chooser }: SinkDefinition): string {
  return chooser === undefined ? `topic: ${topic}` : `extractor class: ${chooser.name || 'chooser'}`
}

function describeTopics({ topics, pattern }: SourceDefinition): string {
  return pattern?.source ?? `[${hashSetOrder(topics).join(', ')}]`
}

function describeNode({ definition, predecessors, successors }: DescribedNode): string {
  const to = `\n      --> ${names(successors)}`
  const from = `\n      <-- ${names(predecessors)}`
  switch (definition.kind) {
    case 'source':
      return `Source: ${definition.name} (topics: ${describeTopics(definition)})${to}`
    case 'processor':
      return `Processor: ${definition.name} (stores: [${hashSetOrder(definition.stores).join(', ')}])${to}${from}`
    case 'sink':
      return `Sink: ${definition.name} (${describeTarget(definition)})${from}`
    case 'cassandra-sink':
      return `Sink: ${definition.name} (table: ${definition.table.name})${from}`
  }
}

/** The text of Kafka Streams' `Topology.describe().toString()`, character by character. */
export function describeTopology({ subtopologies, globalStores = [] }: TopologyDefinition): string {
  const described = subtopologies.map((subtopology) => {
    const nodes = connect(subtopology).map((node) => `    ${describeNode(node)}\n`)
    return { id: subtopology.id, text: `  Sub-topology: ${subtopology.id}\n${nodes.join('')}\n` }
  })
  const global = globalStores.map((store) => ({ id: store.id, text: describeGlobalStore(store) }))
  const all = [...described, ...global].sort((a, b) => a.id - b.id)
  return `Topologies:\n ${all.map(({ text }) => text).join('')}`
}

function describeGlobalStore({ id, source, processor }: GlobalStoreDefinition): string {
  const nodes = connect({
    id,
    nodes: [source, processor],
    stores: [],
    sourceTopics: [],
    copartitionGroups: [],
  })
  const lines = nodes.map((node) => `    ${describeNode(node)}\n`)
  return `  Sub-topology: ${id} for global store (will not generate tasks)\n${lines.join('')}`
}
