import { bytes, compact, count, duration, percent, rate, time } from './format.js'
import { graph, kindOf } from './graph.js'
import { html, nothing } from './lit-html/lit-html.js'
import { sparkline, tile } from './parts.js'
import { ratesOver } from './rates.js'
import { table } from './table.js'

/** @typedef {import('./view.js').View} View */

/** The page's first view: how much, how fast, and where in the topology. @param {View} view */
export function overview(view) {
  return html`<section aria-labelledby="heading-figures">
      <h2 id="heading-figures" class="visually-hidden">Figures</h2>
      <div class="tiles">${tiles(view)}</div>
    </section>
    <section aria-labelledby="heading-topology">
      <h2 id="heading-topology">Topology</h2>
      <div class="topology">${picture(view)} ${chosenBox(view)}</div>
      ${nodesTable(view)}
    </section>`
}

/** @param {View} view */
function tiles({ worker }) {
  const { status, rates, history } = worker
  const { now, threads, restores, application, log } = status
  const processed = ratesOver(history, (point) => point.processed)
  const produced = ratesOver(history, (point) => point.produced)
  const perSecond = rates.perSecond('processed')
  const lags = history.map((point) => ({ timeMs: point.timeMs, value: point.lag }))
  const resident = history.map((point) => ({ timeMs: point.timeMs, value: point.residentBytes }))
  const restoring = restores.entries.filter(({ state }) => state === 'restoring')
  const toRestore = restoring.reduce((sum, one) => sum + one.endingOffset - one.position, 0)
  const keys = (/** @type {string} */ what) => threads.map(({ threadIndex }) => `${what} ${threadIndex}`)
  const problems = log.warnings + log.errors
  return [
    tile({
      title: 'Processed',
      value: rate(perSecond),
      line: sparkline(processed, 'Records processed in a second, the last minutes'),
      note: `${count(now.processed)} records`,
    }),
    tile({
      title: 'Lag',
      value: count(now.lag),
      line: sparkline(lags, 'Lag, the last minutes'),
      note:
        now.lag > 0 && perSecond
          ? `${duration(now.lag / perSecond)} at this rate`
          : 'records behind the ends',
    }),
    tile({
      title: 'Produced',
      value: rate(rates.perSecond('produced')),
      line: sparkline(produced, 'Records produced in a second, the last minutes'),
      note: `${count(now.produced)} records`,
    }),
    tile({
      title: 'Restoring',
      value: restoring.length === 0 ? 'nothing' : `${count(toRestore)}`,
      line: sparkline(
        ratesOver(history, (point) => point.restored),
        'Records restored in a second, the last minutes',
      ),
      note:
        restoring.length === 0
          ? `${count(now.restored)} records restored`
          : `records left in ${restoring.length} ${restoring.length === 1 ? 'store' : 'stores'}, ${rate(rates.perSecond('restored'))}`,
    }),
    tile({
      title: 'Turn, 99 of 100',
      value: duration(rates.quantile(keys('batch'), 0.99)),
      note: `a task's turn; half of them ${duration(rates.quantile(keys('batch'), 0.5))}`,
    }),
    tile({
      title: 'Commit, 99 of 100',
      value: duration(rates.quantile(keys('commit'), 0.99)),
      note: `half of them ${duration(rates.quantile(keys('commit'), 0.5))}`,
    }),
    tile({
      title: 'Memory',
      value: bytes(now.residentBytes),
      line: sparkline(resident, 'Memory of the process, the last minutes'),
      note: `of ${bytes(application.memoryBytes)}, ${percent(now.residentBytes / application.memoryBytes)}`,
    }),
    tile({
      title: 'Problems',
      value: count(problems),
      note: html`${log.errors} errors, ${log.warnings} warnings${
        worker.lines.length === 0
          ? nothing
          : html`; <a href="#log">last at ${time(worker.lines[0].timeMs)}</a>`
      }`,
    }),
  ]
}

/** @param {View} view */
function picture({ worker, chosen, choose }) {
  const { status, rates, topology } = worker
  const tasks = status.tasks.entries
  /** @param {number} subtopology */
  const title = (subtopology) => {
    const own = tasks.filter(({ id }) => id.startsWith(`${subtopology}_`))
    const running = own.filter(({ state }) => state === 'running').length
    const perSecond = rates.sumPerSecond(own.map(({ id }) => `task ${id}`))
    return `Sub-topology ${subtopology}: ${running} of ${own.length} tasks run, ${rate(perSecond)}`
  }
  return graph({
    layout: topology.layout,
    chosen,
    choose,
    title,
    figure: (box) => figureOf(box, worker),
    state: (box) => (isRestoring(box, status) ? 'restoring' : ''),
  })
}

/** @param {any} box @param {any} status */
function isRestoring({ id, label }, { restores }) {
  if (!id.startsWith('store ')) return false
  return restores.entries.some(({ store, state }) => store === label && state === 'restoring')
}

/** A box's second line. @param {any} box @param {any} worker */
function figureOf({ id, label, shape }, worker) {
  const { rates, topology, status } = worker
  const [kind] = id.split(' ', 1)
  if (kind === 'table') return 'table'
  if (kind === 'store') {
    const restored = restoredPart(label, status)
    if (restored !== null) return `restoring, ${percent(restored)}`
    const parts = storeParts(label, status)
    return parts.length === 0 ? '–' : `${compact(sum(parts, 'keys'))} rows`
  }
  if (kind === 'topic') {
    const topic = topology.realTopics[label] ?? label
    const into = isWritten(label, topology) ? rates.perSecond(`produced ${topic}`) : null
    const out = isRead(label, topology) ? rates.perSecond(`consumed ${topic}`) : null
    if (into !== null && out !== null) return `${perSecond(into)} in, ${perSecond(out)} out`
    return perSecond(into ?? out)
  }
  const own = rates.perSecond(`node ${label}`)
  if (own !== null) {
    const mean = rates.mean(`seconds ${label}`)
    return mean === null ? perSecond(own) : `${perSecond(own)}, ${duration(mean)}`
  }
  if (shape !== 'source') return kindOf({ id, shape })
  return perSecond(rates.sumPerSecond(topicsOf(label, worker).map((topic) => `consumed ${topic}`)))
}

/** @param {string} topic @param {any} topology */
function isWritten(topic, { subtopologies }) {
  return subtopologies.some(({ nodes }) =>
    nodes.some(({ kind, topics }) => kind === 'sink' && topics.includes(topic)),
  )
}

/** @param {string} topic @param {any} topology */
function isRead(topic, { subtopologies }) {
  return subtopologies.some(({ nodes }) =>
    nodes.some(({ kind, topics }) => kind === 'source' && topics.includes(topic)),
  )
}

/** The real topics of a source or a sink. @param {string} name @param {any} worker @returns {string[]} */
function topicsOf(name, { topology }) {
  const node = nodeOf(name, topology)
  return (node?.topics ?? []).map((topic) => topology.realTopics[topic] ?? topic)
}

/** @param {string} name @param {any} topology */
function nodeOf(name, topology) {
  return topology.subtopologies.flatMap(({ nodes }) => nodes).find((node) => node.name === name)
}

/** @param {number | null} value */
function perSecond(value) {
  return value === null ? '–' : `${compact(Math.round(value * 10) / 10)}/s`
}

/** @param {string} name @param {any} status */
function storeParts(name, { stores }) {
  return stores.entries.filter(({ store }) => store === name)
}

/** Of all tasks that restore it; null: none does. @param {string} name @param {any} status */
function restoredPart(name, { restores }) {
  const running = restores.entries.filter(({ store, state }) => store === name && state === 'restoring')
  if (running.length === 0) return null
  const all = running.reduce((total, one) => total + one.endingOffset - one.startingOffset, 0)
  const done = running.reduce((total, one) => total + one.position - one.startingOffset, 0)
  return all === 0 ? 1 : done / all
}

/** @param {any[]} rows @param {string} field */
function sum(rows, field) {
  return rows.reduce((total, row) => total + row[field], 0)
}

/** What is known of the chosen box. @param {View} view */
function chosenBox({ worker, chosen }) {
  const box = worker.topology.layout.boxes.find(({ id }) => id === chosen)
  if (box === undefined)
    return html`<div class="chosen" role="group" aria-label="Chosen box"><p class="muted">Choose a box to see more of it.</p></div>`
  return html`<div class="chosen" role="group" aria-label="Chosen box">
    <h3>${box.label}</h3>
    <dl>
      <dt>Kind</dt>
      <dd>${kindOf(box)}</dd>
      ${facts(box, worker).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
    </dl>
  </div>`
}

/** @param {any} box @param {any} worker @returns {[string, unknown][]} */
function facts({ id, label }, worker) {
  const { rates, topology, status } = worker
  const [kind] = id.split(' ', 1)
  if (kind === 'topic') {
    const topic = topology.realTopics[label] ?? label
    const lags = status.lags.entries.filter((one) => one.topic === topic)
    return [
      ...(topic === label ? [] : [/** @type {[string, unknown]} */ (['In the cluster', topic])]),
      [
        'Consumed',
        `${rate(rates.perSecond(`consumed ${topic}`))}, ${bytes(rates.perSecond(`consumed bytes ${topic}`))}/s`,
      ],
      [
        'Produced',
        `${rate(rates.perSecond(`produced ${topic}`))}, ${bytes(rates.perSecond(`produced bytes ${topic}`))}/s`,
      ],
      ['Lag', lags.length === 0 ? '–' : `${count(sum(lags, 'lag'))} in ${lags.length} partitions`],
    ]
  }
  if (kind === 'store') {
    const store = topology.subtopologies.flatMap(({ stores }) => stores).find(({ name }) => name === label)
    const parts = storeParts(label, status)
    return [
      ['Type', store?.type ?? '–'],
      ['Kept', store?.inMemory ? 'in memory' : 'on disk'],
      ['Changelog', store?.changelog ?? 'none'],
      ['Rows', `${count(sum(parts, 'keys'))} in ${parts.length} tasks`],
      ['Files', bytes(sum(parts, 'sstBytes'))],
      ['Memtables', bytes(sum(parts, 'memtableBytes'))],
    ]
  }
  const node = nodeOf(label, topology)
  if (node === undefined) return []
  return [
    ['Records', rate(rates.perSecond(`node ${label}`))],
    [
      'Own time',
      `${duration(rates.mean(`seconds ${label}`))} a record; 99 of 100 below ${duration(rates.quantile(`seconds ${label}`, 0.99))}`,
    ],
    [
      'End to end',
      `half within ${duration(rates.quantile(`end to end ${label}`, 0.5))}; 99 of 100 within ${duration(rates.quantile(`end to end ${label}`, 0.99))}`,
    ],
    ['Comes from', node.predecessors.join(', ') || (node.topics ?? []).join(', ') || '–'],
    [
      'Goes to',
      node.successors.join(', ') || (node.kind === 'sink' ? node.topics.join(', ') : (node.table ?? '–')),
    ],
    ...(node.stores?.length > 0
      ? [/** @type {[string, unknown]} */ (['Stores', node.stores.join(', ')])]
      : []),
  ]
}

/** The same as a table. @param {View} view */
function nodesTable({ worker, redraw, choose }) {
  const { topology, rates } = worker
  const rows = topology.subtopologies.flatMap(({ id, nodes }) =>
    nodes.map((node) => ({ ...node, subtopology: id })),
  )
  return html`<details>
    <summary>Nodes as a table</summary>
    ${table({
      caption: 'Nodes',
      rows,
      key: ({ name }) => name,
      empty: 'The topology has no nodes.',
      redraw,
      columns: [
        {
          title: 'Node',
          cell: ({ name }) =>
            html`<button type="button" class="link" @click=${() => choose(`node ${name}`)}>${name}</button>`,
          sort: ({ name }) => name,
        },
        { title: 'Kind', cell: ({ kind }) => kind, sort: ({ kind }) => kind },
        {
          title: 'Sub-topology',
          cell: ({ subtopology }) => subtopology,
          sort: ({ subtopology }) => subtopology,
          isNumber: true,
        },
        {
          title: 'Records',
          cell: ({ name }) => rate(rates.perSecond(`node ${name}`)),
          sort: ({ name }) => rates.perSecond(`node ${name}`) ?? -1,
          isNumber: true,
        },
        {
          title: 'Own time',
          cell: ({ name }) => duration(rates.mean(`seconds ${name}`)),
          sort: ({ name }) => rates.mean(`seconds ${name}`) ?? -1,
          isNumber: true,
        },
        {
          title: 'End to end, 99 of 100',
          cell: ({ name }) => duration(rates.quantile(`end to end ${name}`, 0.99)),
          sort: ({ name }) => rates.quantile(`end to end ${name}`, 0.99) ?? -1,
          isNumber: true,
        },
        {
          title: 'Stores',
          cell: ({ stores }) => (stores ?? []).join(', '),
          sort: ({ stores }) => (stores ?? []).join(', '),
        },
      ],
    })}
  </details>`
}
