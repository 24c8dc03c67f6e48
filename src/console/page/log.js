import { time } from './format.js'
import { html } from './lit-html/lit-html.js'
import { stateWord } from './parts.js'
import { table } from './table.js'

/** The last warnings and errors. @param {import('./view.js').View} view */
export function logView({ worker, redraw }) {
  const { log } = worker.status
  return html`<section aria-labelledby="heading-log">
    <h2 id="heading-log">Warnings and errors</h2>
    <p class="muted">${log.errors} errors and ${log.warnings} warnings since the worker has started; the last 100 are here.</p>
    ${table({
      caption: 'Last warnings and errors',
      rows: worker.lines,
      key: ({ id }) => String(id),
      empty: 'Nothing was warned of.',
      redraw,
      columns: [
        {
          title: 'Time',
          cell: ({ timeMs }) => html`<time datetime=${new Date(timeMs).toISOString()}>${time(timeMs)}</time>`,
          sort: ({ timeMs }) => timeMs,
        },
        { title: 'Level', cell: ({ level }) => stateWord(level), sort: ({ level }) => level },
        { title: 'Message', cell: ({ message }) => message, sort: ({ message }) => message },
        {
          title: 'Fields',
          cell: ({ fields }) =>
            html`<span class="fields">${Object.entries(fields).map(([name, value]) => html`<span><b>${name}</b> ${value}</span> `)}</span>`,
        },
      ],
    })}
  </section>`
}
