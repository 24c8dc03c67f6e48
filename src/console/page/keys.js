import { getJson } from './api.js'
import { time } from './format.js'
import { html, nothing } from './lit-html/lit-html.js'
import { table } from './table.js'

/** Rows of stores, asked as GET /state/... is. */

/** @typedef {{ name: string, type: string, key: string, value: string, partitions: number, isGlobal: boolean }} Store */
/** @typedef {'key' | 'range' | 'prefix' | 'windows'} Mode */

const ROWS = 100

/** @type {Record<Mode, string>} */
const modes = {
  key: 'One key',
  range: 'From one key to another',
  prefix: 'Keys that begin with',
  windows: 'Windows of a key',
}

/** @type {Record<string, string>} how keys are written, by serde */
const hints = {
  string: 'text',
  bytes: 'base64url',
  int32: 'a whole number',
  int64: 'a whole number',
  bigint64: 'a whole number',
  float64: 'a number',
}

/** null: not asked yet. @type {Store[] | null} */
let stores = null
let storeName = ''
/** @type {Mode} */
let mode = 'range'
let consistency = 'consistent'
/** null: nothing was asked. @type {{ rows: any[], next: string | null, note: string } | null} */
let answer = null
/** @type {string | null} */
let problem = null
let isAsking = false

/** @param {import('./view.js').View} view */
export function keysView({ redraw }) {
  if (stores === null) {
    if (!isAsking) void askForStores(redraw)
    return html`<p class="muted" role="status">${problem ?? 'Asking for the stores …'}</p>`
  }
  if (stores.length === 0) return html`<p class="muted">The topology has no store.</p>`
  const store = stores.find(({ name }) => name === storeName) ?? stores[0]
  const possible = modesOf(store)
  if (!possible.includes(mode)) mode = possible[0]
  return html`<section aria-labelledby="heading-keys">
    <h2 id="heading-keys">Keys</h2>
    ${askForm(store, possible, redraw)}
    ${problem === null ? nothing : html`<p class="banner" role="alert">${problem}</p>`}
    ${answer === null ? nothing : answerTable(store, redraw)}
  </section>`
}

/** @param {Store} store @returns {Mode[]} */
function modesOf({ type, key }) {
  if (type.includes('window') || type === 'session') return ['windows']
  if (type === 'versioned') return ['key']
  return key === 'string' || key === 'bytes' ? ['range', 'prefix', 'key'] : ['range', 'key']
}

/** @param {Store} store @param {Mode[]} possible @param {() => void} redraw */
function askForm(store, possible, redraw) {
  const hint = hints[store.key] ?? 'JSON'
  /** @param {string} name @param {string} title @param {boolean} isNeeded */
  const keyField = (name, title, isNeeded) =>
    html`<label>${title} <input name=${name} autocomplete="off" spellcheck="false" placeholder=${hint} ?required=${isNeeded} /></label>`
  /** @param {string} title @param {string[]} options @param {string} chosen @param {(value: string) => void} choose */
  const select = (title, options, chosen, choose) => html`<label>
    ${title}
    <select
      @change=${(/** @type {any} */ event) => {
        choose(event.target.value)
        answer = null
        problem = null
        redraw()
      }}
    >
      ${options.map((option) => html`<option value=${option} ?selected=${option === chosen}>${modes[option] ?? option}</option>`)}
    </select>
  </label>`
  /** @param {SubmitEvent} event */
  const send = (event) => {
    event.preventDefault()
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target))
    void ask(store, Object.fromEntries([...fields].map(([name, value]) => [name, String(value)])), redraw)
  }
  return html`<form class="fields-row" @submit=${send}>
    ${select(
      'Store',
      stores.map(({ name }) => name),
      store.name,
      (name) => {
        storeName = name
      },
    )}
    ${select('Show', possible, mode, (name) => {
      mode = /** @type {Mode} */ (name)
    })}
    ${mode === 'range' ? [keyField('from', 'From', false), keyField('to', 'To', false)] : nothing}
    ${mode === 'prefix' ? keyField('prefix', 'Prefix', true) : nothing}
    ${mode === 'key' || mode === 'windows' ? keyField('key', 'Key', true) : nothing}
    ${select('Answered by', ['consistent', 'committed', 'stale'], consistency, (name) => {
      consistency = name
    })}
    <button type="submit" ?disabled=${isAsking}>Ask</button>
  </form>`
}

/** @param {Store} store @param {() => void} redraw */
function answerTable(store, redraw) {
  const { rows, next, note } = answer
  const hasWindows = mode === 'windows'
  const moment = (/** @type {number | undefined} */ timeMs) =>
    timeMs === undefined
      ? '–'
      : html`<time datetime=${new Date(timeMs).toISOString()}>${new Date(timeMs).toISOString()}</time>`
  return html`${table({
    caption: `Rows of ${store.name}`,
    rows,
    key: (row) => `${JSON.stringify(row.key)} ${row.window?.start} ${row.window?.end}`,
    empty: 'There is no such row.',
    redraw,
    columns: [
      ...(hasWindows
        ? [
            { title: 'Begins', cell: ({ window }) => moment(window.start) },
            { title: 'Ends', cell: ({ window }) => moment(window.end) },
          ]
        : [{ title: 'Key', cell: ({ key }) => html`<code>${text(key)}</code>` }]),
      { title: 'Value', cell: ({ value }) => html`<code>${text(value)}</code>` },
      { title: 'Time', cell: ({ timestamp }) => moment(timestamp) },
    ],
  })}
    <p class="muted" role="status">${note}</p>
    ${
      next === null
        ? nothing
        : html`<p><button type="button" ?disabled=${isAsking} @click=${() => void askForMore(redraw)}>Show more</button></p>`
    }`
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What was asked last, without where it goes on. */
let asked = { path: '', parameters: new URLSearchParams() }

/** @param {Store} store @param {Record<string, string>} fields @param {() => void} redraw */
async function ask(store, { key = '', ...others }, redraw) {
  const parameters = new URLSearchParams({ consistency })
  for (const [name, value] of Object.entries(others)) if (value !== '') parameters.set(name, value)
  const name = encodeURIComponent(store.name)
  if (mode === 'key') asked = { path: `../state/${name}/${encodeURIComponent(key)}`, parameters }
  else {
    parameters.set('limit', String(ROWS))
    const path =
      mode === 'windows' ? `../state/${name}/${encodeURIComponent(key)}/windows` : `../state/${name}`
    asked = { path, parameters }
  }
  answer = null
  await request(asked.parameters, redraw)
}

/** @param {() => void} redraw */
async function askForMore(redraw) {
  const parameters = new URLSearchParams(asked.parameters)
  parameters.delete('from')
  parameters.set(mode === 'windows' ? 'from' : 'after', answer.next)
  await request(parameters, redraw)
}

/** @param {URLSearchParams} parameters @param {() => void} redraw */
async function request(parameters, redraw) {
  isAsking = true
  problem = null
  redraw()
  try {
    const before = answer?.rows ?? []
    const body = await getJson(`${asked.path}?${parameters}`)
    const rows = [...before, ...(body.rows ?? [body])]
    const partitions =
      body.partitions.length === 1
        ? `partition ${body.partitions[0]}`
        : `${body.partitions.length} partitions`
    const next = body.next === undefined || body.next === null ? null : String(body.next)
    answer = { rows, next, note: `Answered by ${partitions} at ${time(Date.now())}` }
  } catch (error) {
    if (/** @type {any} */ (error).code === 'key-absent') answer = { rows: [], next: null, note: '' }
    else problem = /** @type {Error} */ (error).message
  }
  isAsking = false
  redraw()
}

/** @param {() => void} redraw */
async function askForStores(redraw) {
  isAsking = true
  try {
    stores = (await getJson('../state')).stores
    problem = null
  } catch (error) {
    problem = /** @type {Error} */ (error).message
  }
  isAsking = false
  // While it fails it is asked again with the next figures.
  if (stores !== null) redraw()
}
