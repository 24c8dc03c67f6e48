/** The console of a worker on a real broker, in a real browser, while one task restores and the others process. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'

import { type OutgoingRecord, produceAll as produceLines } from '../../examples/support/kafka.ts'
import { loadTopology, moduleUrlOf } from '../../src/topology/load-topology.ts'
import { topologyGraph } from '../../src/topology/topology-graph.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { createTopics, produceAll } from '../services/kafka-client.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { findChromium, startChromium } from '../support/browser.ts'
import { accessibilityProblems, figure, tableRows, tabTo, tileFigure } from '../support/console-page.ts'
import { sumOf } from '../support/count-application.ts'
import { WeirProcess } from '../support/weir-process.ts'

const topology = 'examples/word-count/word-count.ts'
const applicationId = 'words'
const changelog = `${applicationId}-word-counts-changelog`
const token = 'only-for-this-test-0123456789'
/** Of the partition whose task restores. */
const restoredRecords = 20_000
/** Behind them, in a transaction that is open: the restore waits for its end. */
const openRecords = 5_000

/** `npm run docs:screenshots` makes the pictures of docs/console.md anew. */
const pictures =
  process.env.WEIR_TEST_SCREENSHOTS === '1' ? join(import.meta.dirname, '../../docs/images') : null

const chromium = findChromium()
const skip =
  chromium === null &&
  'there is no Chromium: on Debian scripts/setup.sh --test installs it (chromium-headless-shell)'

describe('the console', { skip, timeout: 180_000 }, () => {
  let kafka: KafkaService
  let browser: Browser
  let worker: WeirProcess
  let page: Page
  let lines: Lines
  const requested: string[] = []
  const complaints: string[] = []

  before(async () => {
    ;[kafka, browser] = await Promise.all([startKafka(), startChromium(chromium!)])
    const { bootstrapServers } = kafka
    await createTopics(bootstrapServers, [
      { topic: 'lines', partitions: 2 },
      { topic: 'word-counts', partitions: 2 },
      { topic: changelog, partitions: 2, configs: { 'cleanup.policy': 'compact' } },
    ])
    await produceAll(bootstrapServers, changelog, countedWords(0, restoredRecords), { partition: 1 })
    await transaction('none')
    lines = new Lines(bootstrapServers)
    worker = await WeirProcess.start({
      module: topology,
      applicationId,
      bootstrapServers,
      stateDir: makeScratchDir('console'),
      env: {
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_COMMIT_INTERVAL_MS: '500',
        WEIR_HTTP_TOKEN: token,
        // More than it is planned for: something to warn of.
        WEIR_TASKS_MAX: '2',
      },
    })
    page = await browser.newPage({ viewport: { width: 1280, height: 960 }, colorScheme: 'light' })
    page.setDefaultTimeout(15_000)
    page.on('request', (request) => requested.push(request.url()))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await worker.until(() => runningTasks().then((count) => count === 3), 'does not run three tasks')
  })

  after(async () => {
    await browser?.close()
    await worker?.[Symbol.asyncDispose]()
    await lines?.stop()
    await kafka?.[Symbol.asyncDispose]()
  })

  /** An open one ends with the next of the same id, which writes nothing: a changelog is its task's alone. */
  function transaction(end: 'none' | 'abort'): Promise<void> {
    const records = countedWords(restoredRecords, end === 'none' ? openRecords : 0)
    return produceAll(kafka.bootstrapServers, changelog, records, {
      partition: 1,
      transaction: { id: 'holds-the-restore', end },
      settings: { 'transaction.timeout.ms': 180_000 },
    })
  }

  function runningTasks(): Promise<number> {
    return sumOf(worker, 'weir_process_tasks{', 'state="running"')
  }

  async function picture(name: string): Promise<void> {
    if (pictures === null) return
    mkdirSync(pictures, { recursive: true })
    await page.screenshot({ path: join(pictures, `console-${name}.png`) })
  }

  async function openView(name: string): Promise<void> {
    await page.getByRole('navigation').getByRole('link', { name }).click()
    await page.getByRole('link', { name, exact: true }).and(page.locator('[aria-current=page]')).waitFor()
  }

  test('wants the token, and shows nothing to another one', async () => {
    await page.goto(`http://127.0.0.1:${worker.httpPort}/console`)
    await page.getByLabel('Token').fill('not-the-right-token')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'this is not the token' }).waitFor()
    assert.doesNotMatch(await page.locator('body').innerText(), /words/)
    assert.deepEqual(await accessibilityProblems(page), [])
    // Each was refused once: the browser says so of every such answer.
    const refusals = complaints.splice(0)
    assert.ok(refusals.length >= 2 && refusals.every((text) => text.includes('401')), refusals.join('\n'))
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: applicationId, level: 1 }).waitFor()
  })

  test('says what the application does, and why it is not ready', async () => {
    const states = page.getByRole('status')
    await states.getByText('rebalancing').waitFor()
    await states.getByText('not ready').waitFor()
    await page.getByText('the application is rebalancing').waitFor()
  })

  test('every view is reached by the keyboard, and its tables are those of /metrics', async () => {
    await tabTo(page, 'link', /^Tasks$/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Threads and tasks' }).waitFor()
    const tasks = await tableRows(page, 'Tasks')
    assert.deepEqual(tasks.map((row) => [row.Task, row.State]).sort(), [
      ['0_0', 'running'],
      ['0_1', 'running'],
      ['1_0', 'running'],
      ['1_1', 'restoring'],
    ])
    assert.equal(await sumOf(worker, 'weir_process_tasks{', 'state="restoring"'), 1)
    const threads = await tableRows(page, 'Stream threads')
    assert.deepEqual(
      threads.map((row) => [row.Thread, row.State, row.Tasks]),
      [
        ['0', 'answers', '2'],
        ['1', 'answers', '2'],
      ],
    )
    // Of the tasks that run: two of the first sub-topology, one of the second.
    const lags = await tableRows(page, 'Lag by partition')
    assert.deepEqual(lags.map((row) => `${row.Topic} ${row.Partition}`).sort(), [
      'lines 0',
      'lines 1',
      `${applicationId}-word-counts-repartition 0`,
    ])

    await tabTo(page, 'button', /^Task$/)
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    const ordered = await tableRows(page, 'Tasks')
    assert.deepEqual(
      ordered.map((row) => row.Task),
      ['1_1', '1_0', '0_1', '0_0'],
    )
  })

  test('a restore is shown while it goes on', async () => {
    await openView('Stores')
    await page.getByRole('row', { name: /20,000/ }).waitFor()
    const [restore, ...others] = await tableRows(page, 'Restores')
    assert.deepEqual(others, [])
    assert.deepEqual(
      [restore?.Store, restore?.Task, restore?.State, restore?.Changelog],
      ['word-counts', '1_1', 'restoring', `${changelog} 1`],
    )
    assert.equal(figure(restore?.Restored), restoredRecords)
    // The end of the open transaction has an offset of its own, once it is there.
    assert.equal(figure(restore?.Left), openRecords)
    assert.equal(restore?.Progress, '80 %')
    const bar = page.getByRole('progressbar', { name: 'Restore of word-counts in task 1_1' })
    assert.equal(await bar.evaluate(({ value }) => value), 0.8)
    await picture('stores')
  })

  test('the topology is drawn whole, with rates, and is walked by the arrow keys', async () => {
    await openView('Overview')
    const graph = topologyGraph(await loadTopology(moduleUrlOf(topology), 'none'))
    const expected = [
      ...graph.subtopologies.flatMap(({ nodes, stores }) => [...nodes, ...stores]),
      ...graph.topics.filter(({ kind }) => kind !== 'changelog'),
    ].map(({ name }) => name)
    const boxes = page.getByRole('group', { name: /^The topology/ }).getByRole('button')
    const names = await boxes.locator('.name').allTextContents()
    // A topic and a store may have one name.
    assert.deepEqual(names.sort(), expected.sort())

    await page.getByRole('button', { name: /^topic lines: [\d.]+( k)?\/s$/ }).waitFor()
    await page.getByRole('button', { name: 'store word-counts: restoring, 80 %' }).waitFor()
    const chosen = page.getByRole('group', { name: 'Chosen box' })
    await tabTo(page, 'button', /^topic lines:/)
    await page.keyboard.press('Enter')
    await chosen.getByRole('heading', { name: 'lines' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await chosen.getByRole('heading', { name: 'KSTREAM-SOURCE-0000000000' }).waitFor()
    await page.keyboard.press('ArrowUp')
    await chosen.getByRole('heading', { name: 'lines' }).waitFor()
  })

  test('nothing is wrong with any view, light or dark, wide or narrow', async () => {
    const backgrounds = new Set<string>()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      // In the dark only the colours are others, and the views share them.
      const [views, rules] =
        colorScheme === 'light'
          ? [['Overview', 'Tasks', 'Stores', 'Log', 'Settings'], []]
          : [['Overview', 'Tasks', 'Stores'], ['color-contrast']]
      for (const view of views) {
        await openView(view)
        // A few of them: a check of all takes seconds.
        if (view === 'Settings') await page.getByLabel('Find').fill('http')
        assert.deepEqual(await accessibilityProblems(page, ...rules), [], `${view}, ${colorScheme}`)
      }
      await openView('Overview')
      await picture(`overview-${colorScheme}`)
      backgrounds.add(await backgroundOf(page))
    }
    assert.equal(backgrounds.size, 2)
    await page.setViewportSize({ width: 360, height: 740 })
    for (const view of ['Overview', 'Tasks', 'Stores', 'Log', 'Settings']) {
      await openView(view)
      const width = await page.locator('html').evaluate(({ scrollWidth }) => scrollWidth)
      assert.ok(width <= 360, `${view} is ${width} wide`)
    }
    await openView('Tasks')
    await picture('narrow')
    await page.setViewportSize({ width: 1280, height: 960 })
    await page.emulateMedia({ colorScheme: 'light' })
  })

  test('the log has what was warned of, and the settings no secret', async () => {
    await openView('Log')
    const warnings = await tableRows(page, 'Last warnings and errors')
    assert.ok(
      warnings.some((row) => row.Level === 'warn' && row.Message?.startsWith('more tasks than memory')),
      JSON.stringify(warnings),
    )
    await openView('Settings')
    await page.getByLabel('Find').fill('http_token')
    const settings = await tableRows(page, 'Settings')
    const shown = settings.find((row) => row.Variable === 'WEIR_HTTP_TOKEN')
    assert.deepEqual([shown?.Value, shown?.From], ['(hidden)', 'environment'])
    assert.ok(settings.length < 5, JSON.stringify(settings))
    await page.getByLabel('Find').fill('')
    assert.ok(!(await page.content()).includes(token))
  })

  test("a store's rows are shown, and those of the task that restores are not taken for absent", async () => {
    await openView('Keys')
    await page.getByLabel('Show').selectOption('key')
    await tabTo(page, 'textbox', /^$/)
    await page.keyboard.type('word-1')
    await page.keyboard.press('Enter')
    await page
      .getByRole('alert')
      .or(page.getByText(/There is no such row/))
      .waitFor()
    await page.getByLabel('Show').selectOption('range')
    await page.getByRole('button', { name: 'Ask' }).click()
    // All partitions are asked, and one of them restores.
    await page.getByRole('alert').waitFor()
    assert.deepEqual(await accessibilityProblems(page), [])
  })

  test('when the restore has ended, all is running, and nothing was lost', async () => {
    await transaction('abort')
    await page.getByRole('status').getByText('running').waitFor()
    await page.getByRole('status').getByText('ready', { exact: true }).waitFor()
    await openView('Stores')
    await page.getByRole('row', { name: /restored/ }).waitFor()
    const [restore] = await tableRows(page, 'Restores')
    assert.deepEqual([figure(restore?.Restored), restore?.Progress], [restoredRecords, '100 %'])

    await openView('Keys')
    await page.getByLabel('Show').selectOption('prefix')
    await page.getByLabel('Prefix').fill('word-1999')
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByText(/^Answered by/).waitFor()
    const rows = await tableRows(page, 'Rows of word-counts')
    assert.deepEqual(
      rows.map((row) => [row.Key, row.Value]),
      ['1999', ...Array.from({ length: 10 }, (_, digit) => `1999${digit}`)].map((word) => [
        `word-${word}`,
        word,
      ]),
    )
    await picture('keys')
    await page.getByLabel('Show').selectOption('range')
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByRole('table', { name: 'Rows of word-counts 200' }).waitFor()

    await lines.stop()
    await openView('Overview')
    await worker.until(async () => {
      const processed = await worker.recordsProcessed()
      const isCaughtUp = (await sumOf(worker, 'weir_consume_lag_records')) === 0
      const shown = await page
        .getByRole('group', { name: 'Processed', exact: true })
        .locator('.note')
        .innerText()
      return isCaughtUp && figure(shown) === processed && figure(await tileFigure(page, 'Lag')) === 0
    }, 'shows another number of records than /metrics')
  })

  test('a worker that has ended is said to be gone, and what was known stays', async () => {
    const { origin } = new URL(page.url())
    // Of refusals, and of what follows the worker's end, the browser complains itself.
    assert.deepEqual(
      complaints.splice(0).filter((text) => !text.includes('503')),
      [],
    )
    await worker.stop()
    await page.getByRole('alert').filter({ hasText: 'The worker does not answer' }).waitFor()
    await page.getByRole('heading', { name: applicationId, level: 1 }).waitFor()
    assert.ok(requested.length > 20)
    assert.deepEqual(
      requested.filter((url) => new URL(url).origin !== origin),
      [],
    )
  })
})

function backgroundOf(page: Page): Promise<string> {
  return page
    .locator('html')
    .evaluate((html) => html.ownerDocument.defaultView.getComputedStyle(html).backgroundColor)
}

function* countedWords(from: number, count: number): Generator<{ key: string; value: Buffer }> {
  for (let index = from; index < from + count; index++) {
    const value = Buffer.alloc(8)
    value.writeBigInt64BE(BigInt(index))
    yield { key: `word-${index}`, value }
  }
}

/** Lines keep coming until it is stopped. */
class Lines {
  readonly #done: Promise<number>
  #isStopped = false

  constructor(bootstrapServers: string) {
    this.#done = produceLines(bootstrapServers, this.#records())
    // Met by `stop`.
    this.#done.catch(() => {})
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }

  async *#records(): AsyncGenerator<OutgoingRecord> {
    for (let index = 0; !this.#isStopped; index++) {
      yield {
        topic: 'lines',
        key: `${index}`,
        value: 'a stream that is counted is a table',
        timestamp: Date.now(),
      }
      if (index % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
