import { getJson } from './api.js'
import { Rates } from './rates.js'

/** What of the last minutes is kept here. */
const POINTS_MAX = 600
const LINES_MAX = 100

/** What is known of the worker: its last answer, and what the answers before say of its rates. */
export class Worker {
  /** The last answer; null before the first. @type {any} */
  status = null
  /** @type {any} */
  topology = null
  /** @type {any} */
  settings = null
  /** @type {any[]} */
  history = []
  /** The log's last lines, the newest first. @type {any[]} */
  lines = []
  rates = new Rates()
  /** When it has answered last. */
  answeredMs = 0

  /** Asks for the figures of this moment. @throws what getJson throws */
  async ask() {
    const after = this.lines[0]?.id ?? 0
    const status = await getJson(`api/status?after=${after}`)
    const isOther = this.status !== null && this.status.application.pid !== status.application.pid
    if (this.status === null || isOther) await this.#begin(isOther)
    this.#take(status)
  }

  async askForSettings() {
    this.settings ??= await getJson('api/settings')
  }

  /** A process that was started anew begins to count anew. @param {boolean} isOther */
  async #begin(isOther) {
    this.rates.clear()
    const [topology, { points }] = await Promise.all([getJson('api/topology'), getJson('api/history')])
    this.topology = topology
    this.history = points
    if (isOther) {
      this.lines = []
      this.settings = null
    }
  }

  /** @param {any} status */
  #take(status) {
    this.status = status
    this.answeredMs = Date.now()
    this.lines = [...status.log.lines.toReversed(), ...this.lines].slice(0, LINES_MAX)
    // Other pages ask too, and are given the same answer for a moment.
    if (status.now.timeMs <= (this.history.at(-1)?.timeMs ?? 0) && this.rates.isKnown) return
    this.history = [...this.history.filter(({ timeMs }) => timeMs < status.now.timeMs), status.now].slice(
      -POINTS_MAX,
    )
    this.rates.add(status.now.timeMs, totalsOf(status), histogramsOf(status))
  }
}

/** Every counter by a key. @param {any} status @returns {Map<string, number>} */
function totalsOf({ now, threads, tasks, topics, nodes, restores }) {
  const totals = new Map([
    ['processed', now.processed],
    ['consumed', now.consumed],
    ['produced', now.produced],
    ['restored', now.restored],
  ])
  for (const thread of threads) totals.set(`thread ${thread.threadIndex}`, thread.recordsProcessed)
  for (const task of tasks.entries) totals.set(`task ${task.id}`, task.recordsProcessed)
  for (const topic of topics.entries) {
    totals.set(`consumed ${topic.topic}`, topic.consumedRecords)
    totals.set(`consumed bytes ${topic.topic}`, topic.consumedBytes)
    totals.set(`produced ${topic.topic}`, topic.producedRecords)
    totals.set(`produced bytes ${topic.topic}`, topic.producedBytes)
  }
  for (const node of nodes.entries) totals.set(`node ${node.node}`, node.records)
  for (const restore of restores.entries) totals.set(restoreKey(restore), restore.totalRecords)
  return totals
}

/** @param {any} status */
function histogramsOf({ threads, nodes }) {
  const histograms = new Map()
  for (const { threadIndex, batch, commit } of threads) {
    if (batch !== null) histograms.set(`batch ${threadIndex}`, batch)
    if (commit !== null) histograms.set(`commit ${threadIndex}`, commit)
  }
  for (const { node, seconds, endToEnd } of nodes.entries) {
    if (seconds !== null) histograms.set(`seconds ${node}`, seconds)
    if (endToEnd !== null) histograms.set(`end to end ${node}`, endToEnd)
  }
  return histograms
}

/** @param {any} restore */
export function restoreKey({ task, store }) {
  return `restore ${task} ${store}`
}
