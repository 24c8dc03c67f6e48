import { forgetToken, hasToken, keepToken, TokenNeeded } from './api.js'
import { duration, time } from './format.js'
import { keysView } from './keys.js'
import { html, nothing, render } from './lit-html/lit-html.js'
import { logView } from './log.js'
import { overview } from './overview.js'
import { stateWord } from './parts.js'
import { settingsView } from './settings.js'
import { storesView } from './stores.js'
import { tasksView } from './tasks.js'
import { Worker } from './worker.js'

const INTERVAL_MS = 1_000
/** Between two attempts at a worker that does not answer. */
const RETRY_MS = 3_000

/** In the order of the navigation. */
const views = {
  overview: { title: 'Overview', draw: overview },
  tasks: { title: 'Tasks', draw: tasksView },
  stores: { title: 'Stores', draw: storesView },
  keys: { title: 'Keys', draw: keysView },
  log: { title: 'Log', draw: logView },
  settings: { title: 'Settings', draw: settingsView },
}

const root = /** @type {HTMLElement} */ (document.getElementById('console'))
const worker = new Worker()
let view = 'overview'
/** @type {string | null} */
let chosen = null
let isPaused = false
/** Why the last answer is no newer; null: it is the newest. @type {string | null} */
let problem = null
/** What the worker says of the token; null: it wants none, or has been shown the right one. @type {string | null} */
let tokenProblem = null
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

function draw() {
  render(tokenProblem === null ? page() : tokenPage(tokenProblem), root)
  const { status } = worker
  document.title = status === null ? 'Weir console' : `${status.application.id}: ${status.application.state}`
}

function page() {
  const { status } = worker
  return html`${header()}
    <main id="content" tabindex="-1">
      ${problem === null ? nothing : html`<p class="banner" role="alert">${problem}</p>`}
      ${
        status === null
          ? html`<p class="muted">${problem === null ? 'Asking the worker …' : nothing}</p>`
          : views[view].draw({ worker, chosen, choose, redraw: draw })
      }
    </main>
    ${status === null ? nothing : footer(status)}`
}

function header() {
  const { status } = worker
  const application = status?.application
  return html`<header>
    <div class="bar">
      <h1>${application?.id ?? 'Weir'}</h1>
      <p class="states" role="status">
        ${
          application === undefined
            ? nothing
            : html`${stateWord(application.state)}
            ${application.isPaused ? stateWord('paused') : nothing}
            ${stateWord(application.ready.ok ? 'ready' : 'not ready')}
            ${application.health.ok ? nothing : stateWord('unhealthy')}`
        }
      </p>
      <p class="answered">
        ${worker.answeredMs === 0 ? nothing : html`<span class="muted">as of ${time(worker.answeredMs)}</span>`}
        <button type="button" aria-pressed=${isPaused} @click=${pause}>Pause updates</button>
        ${hasToken() ? html`<button type="button" @click=${forget}>Forget the token</button>` : nothing}
      </p>
    </div>
    ${reasons(application)}
    <nav aria-label="Views">
      ${Object.entries(views).map(
        ([name, { title }]) =>
          html`<a href="#${name}" aria-current=${name === view ? 'page' : nothing}>${title}</a>`,
      )}
    </nav>
  </header>`
}

/** Why it is not ready, or not well. @param {any} application */
function reasons(application) {
  const probe = [application?.health, application?.ready].find((one) => one !== undefined && !one.ok)
  return probe === undefined ? nothing : html`<p class="reason">${probe.reason}</p>`
}

/** @param {any} status */
function footer({ application }) {
  const { versions, host, pid, uptimeSeconds, processingGuarantee, assignedPartitions } = application
  return html`<footer>
    Weir ${versions.version ?? ''} with librdkafka ${versions.librdkafka ?? ''} and RocksDB ${versions.rocksdb ?? ''};
    process ${pid} on ${host}, up ${duration(Math.floor(uptimeSeconds))}; ${processingGuarantee.replaceAll('_', ' ')};
    ${assignedPartitions} partitions assigned
  </footer>`
}

/** @param {string} why */
function tokenPage(why) {
  /** @param {SubmitEvent} event */
  const send = (event) => {
    event.preventDefault()
    const form = /** @type {HTMLFormElement} */ (event.target)
    keepToken(String(new FormData(form).get('token')).trim())
    void look()
  }
  return html`<main id="content" class="token">
    <h1>Weir console</h1>
    <form @submit=${send}>
      <label>Token <input name="token" type="password" required autocomplete="off" autofocus /></label>
      <button type="submit">Show the console</button>
      <p class="muted" role="alert">${why}</p>
    </form>
  </main>`
}

/** @param {string} id */
function choose(id) {
  chosen = id
  draw()
}

function pause() {
  isPaused = !isPaused
  if (!isPaused) void look()
  draw()
}

function forget() {
  forgetToken()
  void look()
}

/** Asks the worker, shows its answer, and does so again after a while: as long as somebody can see it. */
async function look() {
  clearTimeout(timer)
  try {
    await worker.ask()
    if (view === 'settings') await worker.askForSettings()
    problem = null
    tokenProblem = null
  } catch (error) {
    if (error instanceof TokenNeeded) {
      forgetToken()
      tokenProblem = error.message
    } else {
      const since = worker.answeredMs === 0 ? '' : ` What is shown is as of ${time(worker.answeredMs)}.`
      problem = `The worker does not answer: ${/** @type {Error} */ (error).message}.${since}`
    }
  }
  draw()
  clearTimeout(timer)
  if (tokenProblem === null && !isPaused && !document.hidden)
    timer = setTimeout(look, problem === null ? INTERVAL_MS : RETRY_MS)
}

function route() {
  const [name] = location.hash.slice(1).split('/')
  if (name !== '' && !Object.hasOwn(views, name)) return
  view = name === '' ? 'overview' : name
  draw()
  if (view === 'settings' && worker.settings === null) void look()
}

addEventListener('hashchange', route)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isPaused) void look()
})
route()
void look()
