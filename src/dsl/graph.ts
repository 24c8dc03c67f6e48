import type { Serde } from '../serde/serde.ts'
import type { SourceOptions } from '../topology/node-options.ts'
import { Topology } from '../topology/topology.ts'
import { TopologyError } from '../topology/topology-error.ts'

/** Adds what a step of the DSL stands for to the topology. `parents` are names of nodes that were added before. */
export type NodeWriter = (topology: Topology, parents: readonly string[]) => void

/** One step of the DSL, before it is written to the topology. Kafka Streams' GraphNode. */
export class GraphNode {
  /** What its children name as their parent. */
  readonly name: string
  readonly parents = new Set<GraphNode>()
  readonly children = new Set<GraphNode>()
  readonly write: NodeWriter
  /** Nodes are written in this order. Set whenever a parent is added. */
  buildPriority = 0
  /** Of a windowed aggregate: how long after its end a window still takes records, ms. */
  windowGraceMs: number | null = null
  /** A left join: a null key has meaning below it. */
  relaxesNullKeys = false
  /** What topics below may be merged across: see optimize.ts. */
  changesKey = false
  changesValue = false
  isMerge = false

  constructor(name: string, write: NodeWriter) {
    this.name = name
    this.write = write
  }

  append(child: GraphNode): void {
    this.children.add(child)
    child.parents.add(this)
  }

  remove(child: GraphNode): void {
    this.children.delete(child)
    child.parents.delete(this)
  }
}

/** A stream's source. Several of the same topics, or of the same pattern, become one. */
export class SourceGraphNode extends GraphNode {
  readonly options: SourceOptions<unknown, unknown>
  /** As text: a pattern, which no topic's name looks like, or names. */
  readonly topics: readonly string[]

  constructor(name: string, topics: readonly string[] | RegExp, options: SourceOptions<unknown, unknown>) {
    super(name, (topology) => topology.addSource(name, options))
    this.topics = topics instanceof RegExp ? [String(topics)] : topics
    this.options = options
  }
}

/** A table's topic. */
export class TableSourceGraphNode extends GraphNode {
  /** The table's store is restored from its topic. */
  reusesSourceTopic = false
}

/** A topic between two sub-topologies. */
export class RepartitionGraphNode extends GraphNode {
  readonly topic: { readonly name: string; readonly key: Serde<unknown>; readonly value: Serde<unknown> }
  /** False for one that its user asked for. */
  readonly isMergeable: boolean
  /** Found out when the graph is written: true unless a left join below wants records without a key. */
  dropsNullKeys = true

  constructor(name: string, write: NodeWriter, topic: RepartitionGraphNode['topic'], isMergeable: boolean) {
    super(name, write)
    this.topic = topic
    this.isMergeable = isMergeable
  }
}

/** Where two streams meet. */
export class StreamJoinGraphNode extends GraphNode {
  readonly rightWindow: GraphNode
  /** Both are one stream, whose records are kept by the left window alone. */
  isSelfJoin = false

  constructor(name: string, write: NodeWriter, rightWindow: GraphNode) {
    super(name, write)
    this.rightWindow = rightWindow
  }
}

/**
 * What the DSL was told, in order. Written to a topology once, at the end, because later steps say more about earlier ones: whether a table needs
 * a store, whether two sources are one. Kafka Streams' InternalStreamsBuilder.
 */
export class DslGraph {
  readonly #topology = new Topology()
  readonly #root = new GraphNode('root', () => {})
  /** In the order in which they were added. */
  readonly #nodes = new Set<GraphNode>()
  readonly #copartitioned: ReadonlySet<string>[] = []
  #nameIndex = 0
  #buildPriority = 0
  #isWritten = false

  /** The low-level topology; stores may be added at any time. */
  get topology(): Topology {
    return this.#topology
  }

  /** The next generated name. */
  newName(prefix: string): string {
    return prefix + String(this.#nameIndex++).padStart(10, '0')
  }

  newStoreName(prefix: string): string {
    return this.newName(`${prefix}STATE-STORE-`)
  }

  /** The given name, or a generated one. An index is used up either way, as in Kafka Streams. */
  nameOr(given: string | undefined, prefix: string): string {
    const generated = this.newName(prefix)
    return given ?? generated
  }

  add<N extends GraphNode>(node: N, ...parents: GraphNode[]): N {
    if (this.#isWritten) {
      throw new TopologyError(
        `${node.name}: the topology is complete: streams and tables come before builder.topology`,
      )
    }
    for (const parent of parents.length === 0 ? [this.#root] : parents) {
      parent.append(node)
      node.buildPriority = this.#buildPriority++
    }
    this.#nodes.add(node)
    return node
  }

  /** The topics of these sources must have the same number of partitions. */
  copartition(sources: ReadonlySet<string>): void {
    this.#copartitioned.push(sources)
  }

  /**
   * Writes every node to the topology, parents first. Afterwards nothing can be added.
   *
   * @param rewrite changes the graph before that. @returns the sources that went, and what they are now
   */
  write(rewrite: (nodes: readonly GraphNode[]) => ReadonlyMap<string, string>): Topology {
    if (this.#isWritten) return this.#topology
    this.#isWritten = true
    const renamed = new Map([...this.#mergeSources(), ...rewrite([...this.#nodes])])
    this.#findNullKeys()
    const written = new Set([this.#root])
    const waiting = new Set(this.#root.children)
    while (waiting.size > 0) {
      let next: GraphNode | null = null
      for (const node of waiting) if (next === null || node.buildPriority < next.buildPriority) next = node
      waiting.delete(next!)
      if (written.has(next!) || ![...next!.parents].every((parent) => written.has(parent))) continue
      next!.write(
        this.#topology,
        [...next!.parents].filter((parent) => parent !== this.#root).map(({ name }) => name),
      )
      written.add(next!)
      for (const child of next!.children) waiting.add(child)
    }
    for (const sources of this.#copartitioned) {
      this.#topology.copartitionSources([...sources].map((name) => renamed.get(name) ?? name))
    }
    return this.#topology
  }

  /** One source for all streams of the same topics. @returns the sources that went, and what they are now */
  #mergeSources(): Map<string, string> {
    const byTopic = new Map<string, SourceGraphNode>()
    const renamed = new Map<string, string>()
    for (const node of [...this.#root.children]) {
      if (!(node instanceof SourceGraphNode)) continue
      const main = node.topics.map((topic) => byTopic.get(topic)).find((source) => source !== undefined)
      if (main === undefined) {
        for (const topic of node.topics) byTopic.set(topic, node)
        continue
      }
      checkMergeable(main, node)
      for (const child of node.children) {
        main.children.add(child)
        child.parents.delete(node)
        child.parents.add(main)
      }
      this.#root.children.delete(node)
      renamed.set(node.name, main.name)
    }
    return renamed
  }

  /** Records without a key go through a repartition topic only where a left join below can use them. KIP-962. */
  #findNullKeys(): void {
    const visited = new Map<GraphNode, boolean>()
    const wantsNullKeys = (node: GraphNode): boolean => {
      const known = visited.get(node)
      if (known !== undefined) return known
      let wants = false
      for (const child of node.children) {
        if (wantsNullKeys(child) || child.relaxesNullKeys) wants = true
      }
      visited.set(node, wants)
      if (node instanceof RepartitionGraphNode) node.dropsNullKeys = !wants
      return wants
    }
    wantsNullKeys(this.#root)
  }
}

function checkMergeable(main: SourceGraphNode, other: SourceGraphNode): void {
  const topics = other.topics.join(', ')
  if ([...main.topics].sort().join() !== [...other.topics].sort().join()) {
    throw new TopologyError(
      `streams of ${main.topics.join(', ')} and of ${topics} overlap; allowed are the same topics, or none in common`,
    )
  }
  for (const option of ['key', 'value', 'offsetReset', 'timestampExtractor'] as const) {
    if (main.options[option] !== other.options[option]) {
      throw new TopologyError(
        `two streams of ${topics} differ in ${option}; use one stream, or the same ${option} for both`,
      )
    }
  }
}
