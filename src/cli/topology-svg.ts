import type { TopologyGraph } from '../topology/topology-graph.ts'
import {
  type BoxShape,
  type LaidBox,
  type LaidEdge,
  type LaidFrame,
  type LayoutOptions,
  layoutTopology,
} from '../topology/topology-layout.ts'

const FONT_PX = 12

const options: LayoutOptions = {
  letterPx: 7,
  paddingPx: 12,
  boxHeightPx: 30,
  boxWidthMinPx: 0,
  titlePx: 18,
  marginPx: 20,
}

const COLOURS: Readonly<Record<BoxShape, string>> = {
  source: '#d9ead3',
  processor: '#ffffff',
  sink: '#f4cccc',
  'cassandra-sink': '#f4cccc',
  store: '#fff2cc',
  topic: '#cfe2f3',
}

/** A topology as a picture: see {@link layoutTopology}. */
export function topologySvg(graph: TopologyGraph): string {
  const { width, height, frames, boxes, edges } = layoutTopology(graph, options)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}" font-family="sans-serif" font-size="${FONT_PX}">`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#444444"/></marker></defs>',
    `<rect width="${px(width)}" height="${px(height)}" fill="#ffffff"/>`,
    ...frames.map(drawFrame),
    ...edges.map(drawEdge),
    ...boxes.map(drawBox),
    '</svg>',
  ].join('\n')}\n`
}

function drawFrame({ subtopology, left, top, width, height }: LaidFrame): string {
  return (
    `<g><rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" rx="6" fill="#f7f7f7" stroke="#999999"/>` +
    `<text x="${px(left + 8)}" y="${px(top + 14)}" fill="#666666">Sub-topology ${subtopology}</text></g>`
  )
}

function drawBox(box: LaidBox): string {
  const { label, left, top, width, height, shape } = box
  return `<g class="${shape}">${outline(box)}<text x="${px(left + width / 2)}" y="${px(top + height / 2 + 4)}" text-anchor="middle">${escaped(label)}</text></g>`
}

/** Topics are pills, stores are cylinders, nodes are boxes. */
function outline({ left, top, width, height, shape }: LaidBox): string {
  const paint = `fill="${COLOURS[shape]}" stroke="#444444"`
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

function drawEdge({ points, isStore }: LaidEdge): string {
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
