/** Queries of real stores over HTTP, without a broker: what is asked, what is answered, what is refused. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import {
  defineTopology,
  QueryError,
  type QueryOptions,
  SessionWindows,
  type StateQuery,
  type StateQueryResult,
  serdes,
  TimeWindows,
} from '../../../src/index.ts'
import { type HttpServer, startHttpServer } from '../../../src/observe/http-server.ts'
import { answerQuery, checkType } from '../../../src/query/answer-query.ts'
import { decodeAnswers } from '../../../src/query/decode-answer.ts'
import { queryRoutes } from '../../../src/query/http-routes.ts'
import { QueryableStores } from '../../../src/query/queryable-stores.ts'
import { toWire } from '../../../src/query/wire-query.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'

const topology = defineTopology((builder) => {
  const clicks = builder.stream('clicks', { key: serdes.string, value: serdes.string }).groupByKey()
  clicks.count({ store: 'counts' })
  clicks.windowedBy(TimeWindows.of({ sizeMs: 10 })).count({ store: 'windows', retentionMs: 60_000 })
  clicks
    .windowedBy(SessionWindows.of({ inactivityGapMs: 5 }))
    .count({ store: 'sessions', retentionMs: 60_000 })
  builder.table('prices', {
    key: serdes.int64,
    value: serdes.bigint64,
    store: 'prices',
    historyRetentionMs: 60_000,
  })
  builder.table('objects', { key: serdes.json<{ id: number }>(), value: serdes.bytes, store: 'objects' })
})

/** Asks the stores of a driver, which has one partition: what a process does without its group. */
class LocalApplication {
  readonly #driver: TopologyTestDriver
  readonly #stores = new QueryableStores(topology.build(), 'test')
  readonly options: QueryOptions[] = []
  refusal: QueryError | null = null

  constructor(driver: TopologyTestDriver) {
    this.#driver = driver
  }

  async query<R>(
    name: string,
    query: StateQuery<R>,
    options: QueryOptions = {},
  ): Promise<StateQueryResult<R>> {
    this.options.push(options)
    if (this.refusal !== null) throw this.refusal
    const { definition } = this.#stores.get(name)
    const wire = toWire(query, definition)
    checkType(definition, wire)
    const answer = { ...(await answerQuery(this.#driver.stateStore(name), definition, wire)), inputs: [] }
    const value = (await decodeAnswers(wire, [answer], definition)) as R
    return { value, position: { clicks: { 0: 9 } }, partitions: [0] }
  }

  queryableStores() {
    return Array.from(this.#stores.all(), ({ definition: { name, type, key, value } }) => ({
      ...{ name, type, key: key.name, value: value.name },
      partitions: 1,
      isGlobal: false,
    }))
  }

  answerForwardedQuery(text: string): Promise<string> {
    return Promise.resolve(JSON.stringify({ heard: text }))
  }
}

let driver: TopologyTestDriver
let application: LocalApplication
let server: HttpServer
before(async () => {
  driver = await TopologyTestDriver.open(topology)
  const clicks = driver.createInputTopic('clicks', { key: serdes.string, value: serdes.string })
  for (const [key, time] of [
    ['alice', 1],
    ['a/b', 2],
    ['bob', 3],
    ['bob', 12],
    ['bob', 25],
    ['', 25],
  ] as const)
    await clicks.pipeInput(key, 'x', time)
  const prices = driver.createInputTopic('prices', { key: serdes.int64, value: serdes.bigint64 })
  await prices.pipeInput(7, 2n ** 60n, 100)
  await prices.pipeInput(7, 1n, 200)
  const objects = driver.createInputTopic('objects', {
    key: serdes.json<{ id: number }>(),
    value: serdes.bytes,
  })
  await objects.pipeInput({ id: 1 }, Buffer.from('hi'), 5)
  application = new LocalApplication(driver)
  server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: null,
    metrics: async () => '',
    health: () => ({ ok: true }),
    ready: () => ({ ok: true }),
    routes: [queryRoutes(() => application, '/forwarded-query')],
  })
})
after(async () => {
  await server.close()
  await driver.close()
})

async function get(path: string): Promise<{ status: number; body: unknown; retryAfter: string | null }> {
  const response = await fetch(server.url + path)
  return {
    status: response.status,
    body: await response.json(),
    retryAfter: response.headers.get('retry-after'),
  }
}

const where = { partitions: [0], position: { clicks: { 0: 9 } } }
const row = (key: string, value: number, timestamp: number) => ({ key, value, timestamp })

for (const [path, body] of [
  ['/state/counts/alice', { ...row('alice', 1, 1), ...where }],
  ['/state/counts/a%2Fb', { ...row('a/b', 1, 2), ...where }],
  ['/state/objects/%7B%22id%22%3A1%7D', { key: { id: 1 }, value: 'aGk=', timestamp: 5, ...where }],
  ['/state/prices/7', { key: 7, value: '1', timestamp: 200, validTo: null, ...where }],
  ['/state/prices/7?as-of=150', { key: 7, value: String(2n ** 60n), timestamp: 100, validTo: 200, ...where }],
  [
    '/state/counts',
    {
      rows: [row('', 1, 25), row('a/b', 1, 2), row('alice', 1, 1), row('bob', 3, 25)],
      next: null,
      ...where,
    },
  ],
  ['/state/counts?limit=2', { rows: [row('', 1, 25), row('a/b', 1, 2)], next: 'a/b', ...where }],
  [
    '/state/counts?limit=2&after=a%2Fb',
    { rows: [row('alice', 1, 1), row('bob', 3, 25)], next: null, ...where },
  ],
  ['/state/counts?from=alice&to=alice', { rows: [row('alice', 1, 1)], next: null, ...where }],
  ['/state/counts?reverse&limit=1', { rows: [row('bob', 3, 25)], next: 'bob', ...where }],
  ['/state/counts?reverse&after=bob&limit=1', { rows: [row('alice', 1, 1)], next: 'alice', ...where }],
  ['/state/counts?prefix=a&limit=1', { rows: [row('a/b', 1, 2)], next: 'a/b', ...where }],
  ['/state/counts?prefix=a&limit=9&after=a%2Fb', { rows: [row('alice', 1, 1)], next: null, ...where }],
  [
    '/state/windows/bob/windows?limit=2',
    {
      key: 'bob',
      rows: [
        { window: { start: 0, end: 10 }, value: 1, timestamp: 3 },
        { window: { start: 10, end: 20 }, value: 1, timestamp: 12 },
      ],
      next: 20,
      ...where,
    },
  ],
  [
    '/state/windows/bob/windows?from=20&to=20',
    { key: 'bob', rows: [{ window: { start: 20, end: 30 }, value: 1, timestamp: 25 }], next: null, ...where },
  ],
  [
    '/state/sessions/bob/windows?to=12',
    {
      key: 'bob',
      rows: [
        { window: { start: 3, end: 3 }, value: 1 },
        { window: { start: 12, end: 12 }, value: 1 },
      ],
      next: null,
      ...where,
    },
  ],
] as const) {
  test(`GET ${path}`, async () => {
    assert.deepEqual(await get(path), { status: 200, body, retryAfter: null })
  })
}

test('the stores are told, and how many rows one has', async () => {
  const { body } = (await get('/state')) as { body: { stores: { name: string; type: string }[] } }
  assert.deepEqual(
    body.stores.map(({ name, type }) => [name, type]),
    [
      ['counts', 'timestamped-key-value'],
      ['windows', 'timestamped-window'],
      ['sessions', 'session'],
      ['prices', 'versioned'],
      ['objects', 'timestamped-key-value'],
    ],
  )
  // About: what has changed is counted besides.
  assert.ok(((await get('/state/counts?count')).body as { count: number }).count >= 4)
})

test('no such key is told apart from no such store', async () => {
  assert.deepEqual(await get('/state/counts/carol'), {
    status: 404,
    body: { code: 'key-absent', message: 'store counts has no row with this key', ...where },
    retryAfter: null,
  })
  const store = await get('/state/count/carol')
  assert.equal(store.status, 404)
  assert.deepEqual(store.body, {
    code: 'does-not-exist',
    message: 'there is no store count: there are counts, windows, sessions, prices, objects',
  })
  const windows = (await get('/state/windows/carol/windows')).body as { rows: unknown[] }
  assert.deepEqual(windows.rows, [])
})

for (const [path, message] of [
  ['/state/prices/seven', 'the key is no key of this store (int64): expected a whole number'],
  ['/state/prices/9999999999999999', /^store prices: this is no key \(serde int64\): /],
  ['/state/objects/%7B', 'the key is no key of this store (json): expected JSON'],
  ['/state/counts?limit=0', 'limit is 0: expected a whole number from 1 to 1000'],
  ['/state/counts?limit=1001', 'limit is 1001: expected a whole number from 1 to 1000'],
  ['/state/counts?limit=x', 'limit: expected a whole number from 0'],
  ['/state/counts?limit=1&limit=2', 'limit: it is given more than once'],
  ['/state/counts?reverse=1', 'reverse: expected true or false'],
  ['/state/objects?prefix=a', 'prefix: keys of store objects (json) have none'],
  ['/state/counts?prefix=a&from=a', 'prefix: goes with neither from nor to, and not with reverse'],
  [
    '/state/counts/alice?as-of=1',
    'as-of: there is no such parameter; allowed: consistency, partition, position, timeout-ms',
  ],
  ['/state/counts/alice?position=x', 'position: expected JSON: { topic: { partition: offset } }'],
] as const) {
  test(`GET ${path}: ${message}`, async () => {
    const { status, body } = await get(path)
    assert.equal(status, 400)
    const { code, message: told } = body as { code: string; message: string }
    assert.equal(code, 'query-invalid')
    if (typeof message === 'string') assert.equal(told, message)
    else assert.match(told, message)
  })
}

test('a store is not asked for what it does not have', async () => {
  for (const [path, message] of [
    ['/state/windows/bob', 'store windows is of type timestamped-window: ask it for windows, not key'],
    [
      '/state/counts/bob/windows',
      'store counts is of type timestamped-key-value: ask it for key, range, count, not windows',
    ],
    ['/state/prices', 'store prices is of type versioned: ask it for version, not range'],
  ] as const) {
    const { status, body } = await get(path)
    assert.deepEqual({ status, body }, { status: 400, body: { code: 'unknown-query-type', message } })
  }
})

test('how it is to be answered is handed on', async () => {
  const position = encodeURIComponent('{"clicks":{"0":3}}')
  await get(`/state/counts/bob?consistency=stale&partition=all&timeout-ms=7&position=${position}`)
  assert.deepEqual(application.options.at(-1), {
    consistency: 'stale',
    partition: 'all',
    positionBound: { clicks: { 0: 3 } },
    timeoutMs: 7,
  })
  await get('/state/counts?partition=2')
  assert.deepEqual(application.options.at(-1), { partition: 2 })
})

test('what may be answered in a moment says so', async () => {
  for (const [code, status, retryAfter] of [
    ['not-active', 503, '1'],
    ['not-up-to-bound', 503, '1'],
    ['overloaded', 503, '1'],
    ['timeout', 503, '1'],
    ['not-present', 503, null],
    ['store-exception', 500, null],
  ] as const) {
    application.refusal = new QueryError(code, 'it is so')
    assert.deepEqual(await get('/state/counts/bob'), {
      status,
      body: { code, message: 'it is so' },
      retryAfter,
    })
  }
  application.refusal = null
})

test('no path leads to a file', async () => {
  for (const path of [
    '/state/../package.json',
    '/state/..%2F..%2Fetc%2Fpasswd',
    '/state/counts/..%2F..%2Fetc%2Fpasswd',
  ]) {
    const { status, body } = await get(path)
    assert.equal(status, 404)
    assert.match((body as { code: string }).code, /^(does-not-exist|key-absent|route-unknown)$/)
  }
})

test('another process is heard as it speaks', async () => {
  const response = await fetch(`${server.url}/forwarded-query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"any":"text"}',
  })
  assert.deepEqual(await response.json(), { heard: '{"any":"text"}' })
})
