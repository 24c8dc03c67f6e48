import { html, svg } from './lit-html/lit-html.js'

/** How a state is meant. @type {Record<string, 'ok' | 'busy' | 'bad' | 'idle'>} */
const meanings = {
  running: 'ok',
  restored: 'ok',
  ready: 'ok',
  answers: 'ok',
  created: 'busy',
  rebalancing: 'busy',
  restoring: 'busy',
  stopping: 'busy',
  paused: 'busy',
  warn: 'busy',
  suspended: 'idle',
  closed: 'idle',
  stopped: 'idle',
  failing: 'bad',
  failed: 'bad',
  error: 'bad',
  'not ready': 'busy',
  unhealthy: 'bad',
  'no answer': 'bad',
}

/** A word with a colour: either says it alone. @param {string} state */
export function stateWord(state) {
  return html`<span class="state ${meanings[state] ?? 'idle'}">${state}</span>`
}

const WIDTH = 160
const HEIGHT = 28
/** Of what is drawn. */
const SPAN_MS = 300_000

/**
 * The last minutes as a line.
 *
 * @param {{ timeMs: number, value: number }[]} points
 * @param {string} what for those who do not see it
 */
export function sparkline(points, what) {
  const end = points.at(-1)?.timeMs ?? 0
  const begin = Math.max(points[0]?.timeMs ?? 0, end - SPAN_MS)
  const shown = points.filter(({ timeMs }) => timeMs >= begin)
  const most = Math.max(...shown.map(({ value }) => value), 0)
  const span = Math.max(1, end - begin)
  const line = shown
    .map(({ timeMs, value }) => {
      const x = ((timeMs - begin) / span) * WIDTH
      const y = HEIGHT - 1 - (most === 0 ? 0 : value / most) * (HEIGHT - 2)
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
  return html`<svg class="sparkline" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${what}>
    ${shown.length < 2 ? svg`` : svg`<polyline points=${line} />`}
  </svg>`
}

/**
 * One figure, with its last minutes.
 *
 * @param {{ title: string, value: unknown, note: unknown, line?: unknown }} options
 */
export function tile({ title, value, note, line = '' }) {
  return html`<div class="tile" role="group" aria-label=${title}>
    <h3>${title}</h3>
    <p class="figure">${value}</p>
    ${line}
    <p class="note">${note}</p>
  </div>`
}
