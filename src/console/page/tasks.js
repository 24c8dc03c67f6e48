import { bytes, count, duration, percent, rate } from './format.js'
import { html } from './lit-html/lit-html.js'
import { stateWord } from './parts.js'
import { table } from './table.js'

/** Threads, their tasks, and how far these are behind. @param {import('./view.js').View} view */
export function tasksView(view) {
  return html`<section aria-labelledby="heading-threads">
      <h2 id="heading-threads">Threads and tasks</h2>
      ${threadsTable(view)} ${tasksTable(view)}
    </section>
    <section aria-labelledby="heading-lags">
      <h2 id="heading-lags">Lag</h2>
      ${lagTable(view)}
    </section>`
}

/** @param {import('./view.js').View} view */
function threadsTable({ worker, redraw }) {
  const { status, rates } = worker
  return table({
    caption: 'Stream threads',
    rows: status.threads,
    key: ({ threadIndex }) => String(threadIndex),
    empty: 'No stream thread runs.',
    redraw,
    columns: [
      { title: 'Thread', cell: ({ threadIndex }) => threadIndex, sort: ({ threadIndex }) => threadIndex },
      { title: 'State', cell: ({ isResponding }) => stateWord(isResponding ? 'answers' : 'no answer') },
      number('Tasks', ({ tasks }) => tasks, count),
      number('Records', ({ threadIndex }) => rates.perSecond(`thread ${threadIndex}`), rate),
      number('Turn, 99 of 100', ({ threadIndex }) => rates.quantile(`batch ${threadIndex}`, 0.99), duration),
      number(
        'Commit, 99 of 100',
        ({ threadIndex }) => rates.quantile(`commit ${threadIndex}`, 0.99),
        duration,
      ),
      number('Heap', ({ heapUsedBytes }) => heapUsedBytes, bytes),
      number('State cache', ({ cacheBytes }) => cacheBytes, bytes),
      number('Cache hits', ({ cacheHits, cacheMisses }) => cacheHits / (cacheHits + cacheMisses), percent),
      number('Not yet delivered', ({ queuedRecords }) => queuedRecords, count),
    ],
  })
}

/** @param {import('./view.js').View} view */
function tasksTable({ worker, redraw }) {
  const { status, rates } = worker
  return table({
    caption: 'Tasks',
    rows: status.tasks.entries,
    total: status.tasks.total,
    key: ({ id }) => id,
    empty: 'This process has no task.',
    redraw,
    columns: [
      { title: 'Task', cell: ({ id }) => id, sort: ({ id }) => id },
      { title: 'State', cell: ({ state }) => stateWord(state), sort: ({ state }) => state },
      number('Thread', ({ thread }) => thread, count),
      number('Records', ({ id }) => rates.perSecond(`task ${id}`), rate),
      number('Processed', ({ recordsProcessed }) => recordsProcessed, count),
      number('Lag', ({ lag, state }) => (state === 'running' ? lag : null), count),
      number('To restore', ({ restoreRemaining }) => restoreRemaining, count),
      number('State size', ({ stateBytes, state }) => (state === 'running' ? stateBytes : null), bytes),
    ],
  })
}

/** @param {import('./view.js').View} view */
function lagTable({ worker, redraw }) {
  const { lags } = worker.status
  const most = Math.max(1, ...lags.entries.map(({ lag }) => lag))
  return table({
    caption: 'Lag by partition',
    rows: lags.entries,
    total: lags.total,
    key: ({ topic, partition }) => `${topic} ${partition}`,
    empty: 'No partition is being processed.',
    redraw,
    columns: [
      { title: 'Topic', cell: ({ topic }) => topic, sort: ({ topic, partition }) => `${topic} ${partition}` },
      number('Partition', ({ partition }) => partition, count),
      { title: 'Thread', cell: ({ thread }) => thread, sort: ({ thread }) => thread, isNumber: true },
      number('Records behind', ({ lag }) => lag, count),
      {
        title: 'Of the largest',
        cell: ({ topic, partition, lag }) =>
          html`<meter min="0" max=${most} .value=${lag} aria-label="Lag of ${topic} ${partition}"></meter>`,
      },
    ],
  })
}

/**
 * @param {string} title
 * @param {(row: any) => number | null} figureOf
 * @param {(value: number | null) => string} shown
 */
export function number(title, figureOf, shown) {
  return {
    title,
    isNumber: true,
    cell: (/** @type {any} */ row) => shown(figureOf(row)),
    sort: (/** @type {any} */ row) => {
      const value = figureOf(row)
      return value === null || Number.isNaN(value) ? -1 : value
    },
  }
}
