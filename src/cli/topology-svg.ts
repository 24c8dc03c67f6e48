import { Graph, layout } from '@dagrejs/dagre'

import type { TopologyGraph } from '../topology/topology-graph.ts'

const FONT_PX = 12
/** Of most letters of a sans-serif font; the boxes are a little too wide rather than too narrow. */
const LETTER_PX = 7
const PADDING_PX = 12
const BOX_HEIGHT_PX = 30
const MARGIN_PX = 20
const TITLE_PX = 18

type Shape = 'source' | 'processor' | 'sink' | 'cassandra-sink' | 'store' | 'topic'

/** What is drawn for a node of the layout. Boxes around sub-topologies have no shape. */
interface Drawn {
  readonly label: string
  readonly shape: Shape | null
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const COLOURS: Readonly<Record<Shape, string>> = {
  source: '#d9ead3',
  processor: '#ffffff',
  sink: '#f4cccc',
  'cassandra-sink': '#f4cccc',
  store: '#fff2cc',
  topic: '#cfe2f3',
}

/** A topology as a picture: sub-topologies as frames, with nodes and stores in them, and topics between them. Changelogs are not drawn. */
export function topologySvg({ subtopologies, topics }: TopologyGraph): string {
  const graph = new Graph({ compound: true })
  graph.setGraph({
    rankdir: 'TB',
    nodesep: 24,
    ranksep: 36,
    marginx: MARGIN_PX,
    marginy: MARGIN_PX + TITLE_PX,
  })
  graph.setDefaultEdgeLabel(() => ({}))
  const add = (id: string, shape: Shape, label: string): void => {
    const width = label.length * LETTER_PX + 2 * PADDING_PX
    graph.setNode(id, { label, shape, width, height: BOX_HEIGHT_PX })
  }
  for (const { name, kind } of topics) if (kind !== 'changelog') add(`topic ${name}`, 'topic', name)
  for (const { id, nodes, stores } of subtopologies) {
    const frame = `frame ${id}`
    graph.setNode(frame, { label: `Sub-topology ${id}`, shape: null })
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
  const nodes = graph.nodes().map((id: string) => graph.node(id) as Drawn)
  const frames = nodes.filter(({ shape }: Drawn) => shape === null)
  const edges = graph.edges().map((edge: { v: string; w: string }) => {
    const { points, isStore } = graph.edge(edge) as { points: Point[]; isStore?: true }
    return drawEdge(points, isStore === true)
  })
  const boxes = nodes.filter(({ shape }: Drawn) => shape !== null)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}" font-family="sans-serif" font-size="${FONT_PX}">`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#444444"/></marker></defs>',
    `<rect width="${px(width)}" height="${px(height)}" fill="#ffffff"/>`,
    ...frames.map(drawFrame),
    ...edges,
    ...boxes.map(drawBox),
    '</svg>',
  ].join('\n')}\n`
}

interface Point {
  readonly x: number
  readonly y: number
}

function drawFrame({ label, x, y, width, height }: Drawn): string {
  const left = x - width / 2
  const top = y - height / 2 - TITLE_PX
  return (
    `<g><rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height + TITLE_PX)}" rx="6" fill="#f7f7f7" stroke="#999999"/>` +
    `<text x="${px(left + 8)}" y="${px(top + 14)}" fill="#666666">${escaped(label)}</text></g>`
  )
}

function drawBox(box: Drawn): string {
  const { label, x, y, shape } = box
  return `<g class="${shape}">${outline(box)}<text x="${px(x)}" y="${px(y + 4)}" text-anchor="middle">${escaped(label)}</text></g>`
}

/** Topics are pills, stores are cylinders, nodes are boxes. */
function outline({ x, y, width, height, shape }: Drawn): string {
  const left = x - width / 2
  const top = y - height / 2
  const paint = `fill="${COLOURS[shape!]}" stroke="#444444"`
  if (shape !== 'store') {
    const radius = shape === 'topic' ? height / 2 : 3
    return `<rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" rx="${px(radius)}" ${paint}/>`
  }
  const half = px(width / 2)
  const side = px(height)
  return (
    `<path d="M${px(left)},${px(top)} a${half},4 0 0,0 ${px(width)},0 a${half},4 0 0,0 -${px(width)},0 v${side} ` +
    `a${half},4 0 0,0 ${px(width)},0 v-${side}" ${paint}/>`
  )
}

function drawEdge(points: readonly Point[], isStore: boolean): string {
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${px(x)},${px(y)}`).join(' ')
  const end = isStore ? 'stroke-dasharray="4 3"' : 'marker-end="url(#arrow)"'
  return `<path d="${path}" fill="none" stroke="#444444" ${end}/>`
}

function px(length: number): string {
  return String(Math.round(length * 10) / 10)
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
