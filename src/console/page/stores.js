import { bytes, count, duration, percent, rate } from './format.js'
import { html } from './lit-html/lit-html.js'
import { stateWord } from './parts.js'
import { table } from './table.js'
import { number } from './tasks.js'
import { restoreKey } from './worker.js'

/** Restores, and what the stores hold. @param {import('./view.js').View} view */
export function storesView(view) {
  return html`<section aria-labelledby="heading-restores">
      <h2 id="heading-restores">Restores</h2>
      ${restoresTable(view)}
    </section>
    <section aria-labelledby="heading-stores">
      <h2 id="heading-stores">Stores</h2>
      ${storesTable(view)} ${partsTable(view)}
    </section>`
}

/** @param {import('./view.js').View} view */
function restoresTable({ worker, redraw }) {
  const { status, rates } = worker
  const { restores } = status
  const left = (/** @type {any} */ { endingOffset, position, state }) =>
    state === 'restoring' ? endingOffset - position : 0
  // Behind the last record there may be some that were aborted: then the last position that was told is not the end.
  const part = (/** @type {any} */ { startingOffset, endingOffset, position, state }) =>
    state === 'restored' || endingOffset === startingOffset
      ? 1
      : (position - startingOffset) / (endingOffset - startingOffset)
  const perSecond = (/** @type {any} */ restore) =>
    restore.state === 'restoring' ? rates.perSecond(restoreKey(restore)) : null
  return table({
    caption: 'Restores',
    rows: restores.entries,
    total: restores.total,
    key: restoreKey,
    empty: 'Nothing had to be restored.',
    redraw,
    columns: [
      { title: 'Store', cell: ({ store }) => store, sort: ({ store, task }) => `${store} ${task}` },
      { title: 'Task', cell: ({ task }) => task, sort: ({ task }) => task },
      { title: 'State', cell: ({ state }) => stateWord(state), sort: ({ state }) => state },
      {
        title: 'Progress',
        cell: (row) =>
          html`<progress max="1" .value=${part(row)} aria-label="Restore of ${row.store} in task ${row.task}"></progress>
            ${percent(part(row))}`,
        sort: part,
        isNumber: true,
      },
      number('Restored', ({ totalRecords }) => totalRecords, count),
      number('Left', left, count),
      number('Records', perSecond, rate),
      number(
        'Time',
        ({ startedMs, endedMs }) => ((endedMs ?? status.now.timeMs) - startedMs) / 1000,
        duration,
      ),
      number('Left at this rate', (row) => (perSecond(row) ? left(row) / perSecond(row) : null), duration),
      { title: 'Changelog', cell: ({ topic, partition }) => `${topic} ${partition}` },
    ],
  })
}

/** @param {import('./view.js').View} view */
function storesTable({ worker, redraw }) {
  const { status, topology } = worker
  const rows = topology.subtopologies.flatMap(({ id, stores }) =>
    stores.map((store) => {
      const parts = status.stores.entries.filter((one) => one.store === store.name)
      const sum = (/** @type {string} */ field) => parts.reduce((total, one) => total + one[field], 0)
      return {
        ...store,
        subtopology: id,
        tasks: parts.length,
        keys: sum('keys'),
        sstBytes: sum('sstBytes'),
        memtableBytes: sum('memtableBytes'),
        pendingCompactionBytes: sum('pendingCompactionBytes'),
      }
    }),
  )
  return table({
    caption: 'Stores in this process',
    rows,
    key: ({ name }) => name,
    empty: 'The topology has no store.',
    redraw,
    columns: [
      { title: 'Store', cell: ({ name }) => name, sort: ({ name }) => name },
      {
        title: 'Type',
        cell: ({ type, inMemory }) => `${type}${inMemory ? ', in memory' : ''}`,
        sort: ({ type }) => type,
      },
      number('Sub-topology', ({ subtopology }) => subtopology, count),
      number('Tasks', ({ tasks }) => tasks, count),
      ...sizes,
      { title: 'Changelog', cell: ({ changelog }) => changelog ?? 'none' },
    ],
  })
}

/** @param {import('./view.js').View} view */
function partsTable({ worker, redraw }) {
  const { stores } = worker.status
  return html`<details>
    <summary>Stores by task</summary>
    ${table({
      caption: 'Stores by task',
      rows: stores.entries,
      total: stores.total,
      key: ({ store, task }) => `${store} ${task}`,
      empty: 'No task with a store runs.',
      redraw,
      columns: [
        { title: 'Store', cell: ({ store }) => store, sort: ({ store, task }) => `${store} ${task}` },
        { title: 'Task', cell: ({ task }) => task, sort: ({ task }) => task },
        { title: 'Thread', cell: ({ thread }) => thread, sort: ({ thread }) => thread, isNumber: true },
        ...sizes,
      ],
    })}
  </details>`
}

const sizes = [
  number('Rows, estimated', ({ keys }) => keys, count),
  number('Files', ({ sstBytes }) => sstBytes, bytes),
  number('Memtables', ({ memtableBytes }) => memtableBytes, bytes),
  number('To be compacted', ({ pendingCompactionBytes }) => pendingCompactionBytes, bytes),
]
