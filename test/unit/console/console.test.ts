import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { configFrom } from '../../../src/config/load.ts'
import { Console } from '../../../src/console/console.ts'
import { type HttpServer, startHttpServer } from '../../../src/observe/http-server.ts'
import { RecentLines } from '../../../src/observe/recent-lines.ts'
import type { Application } from '../../../src/runtime/application.ts'
import { loadTopology, moduleUrlOf } from '../../../src/topology/load-topology.ts'
import { topologyGraph } from '../../../src/topology/topology-graph.ts'
import { machine } from '../config/machine-fixture.ts'

const token = 'a-token-of-some-length'
const page = new URL('../../../src/console/page/', import.meta.url)

describe('the console', () => {
  let server: HttpServer
  const recent = new RecentLines()
  let asked = 0

  before(async () => {
    const config = configFrom({ applicationId: 'app', bootstrapServers: 'localhost:1' }, {}, machine)
    const definition = await loadTopology(moduleUrlOf('examples/word-count/word-count.ts'), 'none')
    const shown = new Console({
      config,
      topology: topologyGraph(definition),
      application: (): Application | null => {
        asked++
        return null
      },
      recent,
      settings: () => '{"settings":[]}',
    })
    server = await startHttpServer({
      host: '127.0.0.1',
      port: 0,
      token,
      metrics: async () => '',
      health: () => ({ ok: true }),
      ready: () => ({ ok: true }),
      routes: [shown.routes],
      pages: [shown.pages],
    })
  })
  after(() => server.close())

  async function getJson(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.url}/console/api/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(response.status, 200, path)
    return (await response.json()) as Record<string, unknown>
  }

  test('its files are served without a token, with their types and a policy that loads nothing from elsewhere', async () => {
    const imported = new Set<string>()
    for (const name of ['', ...readdirSync(page).filter((name) => name !== 'tsconfig.json')]) {
      const response = await fetch(`${server.url}/console/${name}`)
      assert.equal(response.status, 200, name)
      assert.match(
        response.headers.get('content-security-policy') ?? '',
        /default-src 'none'; script-src 'self'/,
      )
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      const text = await response.text()
      if (!name.endsWith('.js')) continue
      assert.equal(response.headers.get('content-type'), 'text/javascript; charset=utf-8')
      for (const [, from] of text.matchAll(/ from '(\.[^']+)'/g)) imported.add(from!)
    }
    assert.ok(imported.has('./lit-html/lit-html.js'))
    const missing: string[] = []
    for (const from of imported)
      if ((await fetch(new URL(from, `${server.url}/console/`))).status !== 200) missing.push(from)
    assert.deepEqual(missing, [])
    assert.equal((await fetch(`${server.url}/console`)).url, `${server.url}/console/`)
  })

  test('there is no way from its files to others', async () => {
    for (const path of [
      'tsconfig.json',
      'missing.js',
      '..%2fconsole.ts',
      '%2e%2e/console.ts',
      'lit-html/package.json',
      'lit-html/..%2f..%2fx',
    ])
      assert.equal((await fetch(`${server.url}/console/${path}`)).status, 404, path)
  })

  test('what it shows wants the token', async () => {
    for (const path of ['status', 'history', 'topology', 'settings'])
      assert.equal((await fetch(`${server.url}/console/api/${path}`)).status, 401, path)
    assert.equal(asked, 0)
  })

  test('an application that starts is shown as such, and the log as far as it is not known', async () => {
    recent.add(40, [{ reason: 'x' }, 'first'])
    recent.add(50, ['second'])
    const [status, again] = await Promise.all([getJson('status'), getJson('status?after=1')])
    assert.equal(asked, 1, 'two that look at the same time cost as much as one')
    assert.deepEqual(status.application, again.application)
    const { application, log, tasks } = status as {
      application: { id: string; state: string; ready: unknown }
      log: { warnings: number; errors: number; lines: { message: string }[] }
      tasks: unknown
    }
    assert.deepEqual([application.id, application.state], ['app', 'created'])
    assert.deepEqual(application.ready, { ok: false, reason: 'the application is starting' })
    assert.deepEqual(tasks, { total: 0, entries: [] })
    assert.deepEqual([log.warnings, log.errors], [1, 1])
    assert.deepEqual(
      log.lines.map(({ message }) => message),
      ['first', 'second'],
    )
    const later = again.log as typeof log
    assert.deepEqual(
      later.lines.map(({ message }) => message),
      ['second'],
    )
    const { points } = await getJson('history')
    assert.equal((points as unknown[]).length, 1)
    for (const wrong of ['status?after=x', 'status?after=1&after=2', 'status?after=-1e99']) {
      const { lines } = (await getJson(wrong)).log as typeof log
      assert.equal(lines.length, 2, wrong)
    }
  })

  test('the topology has the names that metrics have, and a place for every node, store and topic', async () => {
    const { subtopologies, realTopics, layout } = (await getJson('topology')) as unknown as {
      subtopologies: { nodes: { name: string }[]; stores: { name: string }[] }[]
      realTopics: Record<string, string>
      layout: { width: number; boxes: { id: string; left: number; width: number }[] }
    }
    assert.deepEqual(realTopics, {
      lines: 'lines',
      'word-counts-repartition': 'app-word-counts-repartition',
      'word-counts': 'word-counts',
    })
    const expected = [
      ...subtopologies.flatMap(({ nodes }) => nodes.map(({ name }) => `node ${name}`)),
      ...subtopologies.flatMap(({ stores }) => stores.map(({ name }) => `store ${name}`)),
      ...Object.keys(realTopics).map((name) => `topic ${name}`),
    ]
    assert.deepEqual(layout.boxes.map(({ id }) => id).sort(), expected.sort())
    for (const { left, width } of layout.boxes) assert.ok(left >= 0 && left + width <= layout.width)
    assert.deepEqual(await getJson('settings'), { settings: [] })
  })
})
