import { Graph, layout } from '@dagrejs/dagre'

import type { TopologyGraph } from './topology-graph.ts'

export type BoxShape = 'source' | 'processor' | 'sink' | 'cassandra-sink' | 'store' | 'topic'

/** Where something is: its left upper corner and its size, px. */
export interface Rectangle {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** A node, a store, a topic or a table of Cassandra, which has a store's shape. */
export interface LaidBox extends Rectangle {
  /** `node <name>`, `store <name>`, `topic <name>` or `table <name>`. */
  readonly id: string
  readonly label: string
  readonly shape: BoxShape
}

/** Around a sub-topology, with room for a title at its top. */
export interface LaidFrame extends Rectangle {
  readonly subtopology: number
}

export interface LaidEdge {
  /** Ids of boxes. */
  readonly from: string
  readonly to: string
  /** Between a processor and a store: nothing flows. */
  readonly isStore: boolean
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** Where everything of a topology is drawn, px. */
export interface TopologyLayout {
  readonly width: number
  readonly height: number
  readonly frames: readonly LaidFrame[]
  readonly boxes: readonly LaidBox[]
  readonly edges: readonly LaidEdge[]
}

export interface LayoutOptions {
  /** Of most letters; the boxes are a little too wide rather than too narrow. */
  readonly letterPx: number
  /** At both sides of a label. */
  readonly paddingPx: number
  readonly boxHeightPx: number
  readonly boxWidthMinPx: number
  /** A frame's title. */
  readonly titlePx: number
  readonly marginPx: number
}

/** What dagre says of a node: its middle. */
interface Placed {
  readonly label: string
  readonly shape: BoxShape | null
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Lays a topology out: sub-topologies as frames, with nodes and stores in them, and topics between them. Changelogs are left out. */
export function layoutTopology(
  { subtopologies, topics }: TopologyGraph,
  options: LayoutOptions,
): TopologyLayout {
  const { letterPx, paddingPx, boxHeightPx, boxWidthMinPx, titlePx, marginPx } = options
  const graph = new Graph({ compound: true })
  graph.setGraph({ rankdir: 'TB', nodesep: 24, ranksep: 36, marginx: marginPx, marginy: marginPx + titlePx })
  graph.setDefaultEdgeLabel(() => ({}))
  const add = (id: string, shape: BoxShape, label: string): void => {
    const width = Math.max(boxWidthMinPx, label.length * letterPx + 2 * paddingPx)
    graph.setNode(id, { label, shape, width, height: boxHeightPx })
  }
  for (const { name, kind } of topics) if (kind !== 'changelog') add(`topic ${name}`, 'topic', name)
  for (const { id, nodes, stores } of subtopologies) {
    const frame = frameId(id)
    graph.setNode(frame, { label: '', shape: null })
    for (const store of stores) {
      add(`store ${store.name}`, 'store', store.name)
      graph.setParent(`store ${store.name}`, frame)
    }
    for (const node of nodes) {
      add(`node ${node.name}`, node.kind, node.name)
      graph.setParent(`node ${node.name}`, frame)
      for (const successor of node.successors) graph.setEdge(`node ${node.name}`, `node ${successor}`)
      if (node.kind === 'source') {
        if (node.pattern !== null) add(`topic ${node.pattern}`, 'topic', node.pattern)
        for (const topic of node.pattern === null ? node.topics : [node.pattern])
          graph.setEdge(`topic ${topic}`, `node ${node.name}`)
      } else if (node.kind === 'sink')
        for (const topic of node.topics) graph.setEdge(`node ${node.name}`, `topic ${topic}`)
      else if (node.kind === 'cassandra-sink') {
        // A table is outside of all sub-topologies, as topics are.
        add(`table ${node.table}`, 'store', node.table)
        graph.setEdge(`node ${node.name}`, `table ${node.table}`)
      } else
        for (const store of node.stores)
          graph.setEdge(`node ${node.name}`, `store ${store}`, { isStore: true })
    }
  }
  layout(graph)

  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  const placed = (id: string): Placed => graph.node(id) as Placed
  return {
    width,
    height,
    frames: subtopologies.map(({ id }) => {
      const { left, top, width: across, height: down } = rectangle(placed(frameId(id)))
      return { subtopology: id, left, top: top - titlePx, width: across, height: down + titlePx }
    }),
    boxes: graph.nodes().flatMap((id: string) => {
      const { label, shape, ...place } = placed(id)
      return shape === null ? [] : [{ id, label, shape, ...rectangle(place) }]
    }),
    edges: graph.edges().map((edge: { v: string; w: string }) => {
      const { points, isStore } = graph.edge(edge) as { points: LaidEdge['points']; isStore?: true }
      return {
        from: edge.v,
        to: edge.w,
        isStore: isStore === true,
        points: points.map(({ x, y }) => ({ x, y })),
      }
    }),
  }
}

function frameId(subtopology: number): string {
  return `frame ${subtopology}`
}

function rectangle({ x, y, width, height }: Omit<Placed, 'label' | 'shape'>): Rectangle {
  return { left: x - width / 2, top: y - height / 2, width, height }
}
