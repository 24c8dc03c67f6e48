import { html, nothing } from './lit-html/lit-html.js'
import { table } from './table.js'

let wanted = ''
let onlyGiven = false

/** Every setting, as `weir config` shows it. @param {import('./view.js').View} view */
export function settingsView({ worker, redraw }) {
  if (worker.settings === null) return html`<p class="muted">Asking for the settings …</p>`
  const { settings, memory } = worker.settings
  const words = wanted.toLowerCase().split(/\s+/)
  const rows = settings.filter(
    ({ variable, meaning, source, kafkaName }) =>
      (!onlyGiven || source !== 'default') &&
      words.every((word) => `${variable} ${kafkaName ?? ''} ${meaning}`.toLowerCase().includes(word)),
  )
  return html`<section aria-labelledby="heading-settings">
    <h2 id="heading-settings">Settings</h2>
    <div class="fields-row" role="search">
      <label>
        Find
        <input
          type="search"
          .value=${wanted}
          @input=${(/** @type {any} */ event) => {
            wanted = event.target.value
            redraw()
          }}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          .checked=${onlyGiven}
          @change=${(/** @type {any} */ event) => {
            onlyGiven = event.target.checked
            redraw()
          }}
        />
        Only those that were given
      </label>
    </div>
    ${table({
      caption: 'Settings',
      rows,
      key: ({ variable }) => variable,
      empty: 'No setting is like that.',
      redraw,
      columns: [
        {
          title: 'Variable',
          cell: ({ variable }) => html`<code>${variable}</code>`,
          sort: ({ variable }) => variable,
        },
        {
          title: 'Value',
          cell: ({ value }) =>
            value === null ? html`<span class="muted">not set</span>` : html`<code>${value}</code>`,
        },
        { title: 'From', cell: ({ source }) => source, sort: ({ source }) => source },
        {
          title: 'Meaning',
          cell: ({ meaning, unit }) =>
            html`${meaning}${unit === null ? nothing : html` <span class="muted">In ${unit}.</span>`}`,
        },
      ],
    })}
    ${
      memory === null
        ? nothing
        : table({
            caption: 'Memory as divided',
            rows: Object.entries(memory),
            key: ([part]) => part,
            empty: '',
            redraw,
            columns: [
              { title: 'Part', cell: ([part]) => part },
              { title: 'Size', cell: ([, size]) => size, isNumber: true },
            ],
          })
    }
  </section>`
}
