import { html, nothing, svg } from './lit-html/lit-html.js'

/**
 * The topology as a picture. It is one stop of the tab key; the arrow keys go from box to box, Enter and the space bar choose one.
 */

/** @typedef {{ id: string, label: string, shape: string, left: number, top: number, width: number, height: number }} Box */

const kinds = {
  source: 'source',
  processor: 'processor',
  sink: 'sink',
  'cassandra-sink': 'sink to Cassandra',
  store: 'store',
  topic: 'topic',
}

/** @param {{ id: string, shape: string }} box */
export function kindOf({ id, shape }) {
  return id.startsWith('table ') ? 'table of Cassandra' : kinds[shape]
}

/**
 * @param {object} options
 * @param {any} options.layout
 * @param {string | null} options.chosen the id of a box
 * @param {(id: string) => void} options.choose
 * @param {(box: Box) => string} options.figure the second line of a box
 * @param {(subtopology: number) => string} options.title of a frame
 * @param {(box: Box) => string} options.state a class, for what needs attention
 */
export function graph({ layout, chosen, choose, figure, title, state }) {
  const { width, height, frames, boxes, edges } = layout
  const stop = boxes.some(({ id }) => id === chosen) ? chosen : boxes[0]?.id
  /** @param {KeyboardEvent} event @param {Box} box */
  const onKey = (event, box) => {
    if (event.key === 'Enter' || event.key === ' ') choose(box.id)
    else {
      const next = neighbour(boxes, box, event.key)
      if (next === null) return
      const drawing = /** @type {Element} */ (event.currentTarget).parentElement
      choose(next.id)
      const drawn = drawing.querySelector(`[data-id="${CSS.escape(next.id)}"]`)
      if (drawn instanceof SVGElement) drawn.focus()
    }
    event.preventDefault()
  }
  /** @param {Box} box */
  const drawBox = (box) => {
    const { id, label, left, top, width: across, height: down, shape } = box
    const isTable = id.startsWith('table ')
    const text = figure(box)
    return svg`<g
      class="box ${shape} ${state(box)}"
      role="button"
      data-id=${id}
      tabindex=${id === stop ? 0 : -1}
      aria-pressed=${id === chosen}
      aria-label="${kindOf(box)} ${label}: ${text}"
      transform="translate(${left} ${top})"
      @click=${() => choose(id)}
      @keydown=${(/** @type {KeyboardEvent} */ event) => onKey(event, box)}
    >
      ${outline(box, isTable)}
      <text class="name" x=${across / 2} y=${down / 2 - 3}>${label}</text>
      <text class="value" x=${across / 2} y=${down / 2 + 13}>${text}</text>
    </g>`
  }
  return html`<div class="graph">
    <svg
      width=${width}
      height=${height}
      viewBox="0 0 ${width} ${height}"
      role="group"
      aria-label="The topology; the arrow keys go from box to box"
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M0,0 L8,4 L0,8 z" />
        </marker>
      </defs>
      ${frames.map(
        ({ left, top, width: across, height: down }) =>
          svg`<rect class="frame" x=${left} y=${top} width=${across} height=${down} rx="6" />`,
      )}
      ${edges.map(
        ({ points, isStore }) => svg`<path
          class="edge ${isStore ? 'to-store' : ''}"
          d=${points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x},${y}`).join(' ')}
          marker-end=${isStore ? nothing : 'url(#arrow)'}
        />`,
      )}
      ${frames.map(
        ({ left, top, subtopology }) =>
          svg`<text class="title" x=${left + 8} y=${top + 15}>${title(subtopology)}</text>`,
      )}
      ${boxes.map(drawBox)}
    </svg>
  </div>`
}

/** Topics are pills, stores are cylinders, nodes are boxes. @param {Box} box @param {boolean} isTable */
function outline({ shape, width, height }, isTable) {
  if (shape !== 'store')
    return svg`<rect class="shape" width=${width} height=${height} rx=${shape === 'topic' ? height / 2 : 4} />`
  const half = width / 2
  return svg`<path
    class="shape ${isTable ? 'table-shape' : ''}"
    d="M0,4 a${half},4 0 0,1 ${width},0 v${height - 8} a${half},4 0 0,1 ${-width},0 z M0,4 a${half},4 0 0,0 ${width},0"
  />`
}

/** The nearest box in the direction of an arrow key; what lies straight ahead is nearer. @param {Box[]} boxes @param {Box} from @param {string} key */
function neighbour(boxes, from, key) {
  const direction = {
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
  }[key]
  if (direction === undefined) return null
  const [dx, dy] = direction
  const middle = (/** @type {Box} */ { left, top, width, height }) => [left + width / 2, top + height / 2]
  const [x, y] = middle(from)
  let nearest = null
  let least = Infinity
  for (const box of boxes) {
    const [otherX, otherY] = middle(box)
    const ahead = (otherX - x) * dx + (otherY - y) * dy
    const aside = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx)
    if (ahead <= 1) continue
    const distance = ahead + 2 * aside
    if (distance < least) {
      least = distance
      nearest = box
    }
  }
  return nearest
}
