import {
  type NodeDefinition,
  type OffsetReset,
  type StoreType,
  sinkTopics,
  type TopologyDefinition,
} from './definition.ts'

/** A topology as data for other tools: what `weir describe --json` prints. Internal topics go without the application's prefix. */
export interface TopologyGraph {
  readonly subtopologies: readonly {
    readonly id: number
    readonly nodes: readonly GraphedNode[]
    readonly stores: readonly GraphedStore[]
  }[]
  readonly topics: readonly GraphedTopic[]
}

interface Linked {
  readonly name: string
  /** Names of nodes. */
  readonly predecessors: readonly string[]
  readonly successors: readonly string[]
}

export type GraphedNode =
  | (Linked & {
      readonly kind: 'source'
      readonly topics: readonly string[]
      /** Every topic that matches it is read; null for a source of the topics named. */
      readonly pattern: string | null
      readonly offsetReset: OffsetReset | null
    })
  | (Linked & { readonly kind: 'processor'; readonly stores: readonly string[] })
  | (Linked & { readonly kind: 'sink'; readonly topics: readonly string[] })
  | (Linked & { readonly kind: 'cassandra-sink'; readonly table: string })

export interface GraphedStore {
  readonly name: string
  readonly type: StoreType
  readonly inMemory: boolean
  readonly caching: boolean
  /** The topic that its rows are restored from; null for a store that nothing restores. */
  readonly changelog: string | null
}

export interface GraphedTopic {
  readonly name: string
  /** `external`: somebody else's; the others are the application's own. */
  readonly kind: 'external' | 'repartition' | 'changelog'
}

/** What a topology consists of, and how it hangs together. */
export function topologyGraph({ subtopologies, repartitionTopics }: TopologyDefinition): TopologyGraph {
  const topics = new Map<string, GraphedTopic['kind']>()
  const repartition = new Set(repartitionTopics.map(({ name }) => name))
  for (const node of subtopologies.flatMap(({ nodes }) => nodes))
    for (const topic of topicsOf(node)) topics.set(topic, repartition.has(topic) ? 'repartition' : 'external')
  const graphed = subtopologies.map(({ id, nodes, stores }) => ({
    id,
    nodes: nodes.map((node) => graphedNode(node, nodes)),
    stores: stores.map(({ name, type, inMemory, caching, logging, sourceTopic }): GraphedStore => {
      const changelog = sourceTopic ?? (logging ? `${name}-changelog` : null)
      if (logging) topics.set(`${name}-changelog`, 'changelog')
      return { name, type, inMemory: inMemory === true, caching: caching === true, changelog }
    }),
  }))
  return {
    subtopologies: graphed,
    topics: [...topics].map(([name, kind]) => ({ name, kind })),
  }
}

function graphedNode(node: NodeDefinition, nodes: readonly NodeDefinition[]): GraphedNode {
  const { name } = node
  const predecessors = node.kind === 'source' ? [] : node.parents
  const successors = nodes
    .filter((child) => child.kind !== 'source' && child.parents.includes(name))
    .map((child) => child.name)
  const linked = { name, predecessors, successors }
  switch (node.kind) {
    case 'source':
      return {
        kind: 'source',
        ...linked,
        topics: node.topics,
        pattern: node.pattern?.source ?? null,
        offsetReset: node.offsetReset ?? null,
      }
    case 'processor':
      return { kind: 'processor', ...linked, stores: node.stores }
    case 'sink':
      return { kind: 'sink', ...linked, topics: sinkTopics(node) }
    case 'cassandra-sink':
      return { kind: 'cassandra-sink', ...linked, table: node.table.name }
  }
}

function topicsOf(node: NodeDefinition): readonly string[] {
  if (node.kind === 'processor' || node.kind === 'cassandra-sink') return []
  return node.kind === 'source' ? node.topics : sinkTopics(node)
}
