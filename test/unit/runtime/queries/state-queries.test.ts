/** Which partitions are asked, and what follows from what other processes say. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { defineTopology, queries, serdes } from '../../../../src/index.ts'
import { QueryMetrics } from '../../../../src/observe/query-metrics.ts'
import { partitionOfKey } from '../../../../src/produce/partition-of-key.ts'
import { QueryableStores } from '../../../../src/query/queryable-stores.ts'
import {
  decodeForwardedQuery,
  encodeForwarded,
  type ForwardedQuery,
} from '../../../../src/runtime/queries/forwarding.ts'
import { Peers } from '../../../../src/runtime/queries/peers.ts'
import { StateQueries } from '../../../../src/runtime/queries/state-queries.ts'

const PARTITIONS = 4
const topology = defineTopology((builder) => {
  builder.table('numbers', { key: serdes.string, value: serdes.int32, store: 'numbers' })
}).build()
const tasks = Array.from({ length: PARTITIONS }, (_, partition) => ({
  id: `0_${partition}`,
  subtopology: 0,
  partition,
  inputs: [{ topic: 'numbers', partition }],
}))

/** Another process: answers as `answer` says. */
async function peer(answer: (query: ForwardedQuery) => [status: number, body: string]) {
  const heard: ForwardedQuery[] = []
  const tokens: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    tokens.push(request.headers.authorization)
    const query = decodeForwardedQuery(body)
    heard.push(query)
    const [status, text] = answer(query)
    response.writeHead(status).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    heard,
    tokens,
    server: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function rows(...given: [key: string, value: number][]): string {
  return encodeForwarded({
    rows: given.map(([key, value]) => {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32BE(value)
      return { key: Buffer.from(key), value: bytes }
    }),
    hasMore: false,
    inputs: [],
  })
}

const refused = (code: string): [number, string] => [503, JSON.stringify({ code, message: 'no' })]

/** A process that has no task; the group gives all of them to the first of `owners`, then the next. */
function asking(...owners: string[]): { queries: StateQueries; asked: () => number } {
  let asked = 0
  let nowMs = 0
  const peers = new Peers({
    describe: async () => {
      const owner = owners[Math.min(asked++, owners.length - 1)]
      const assignment = tasks.flatMap(({ inputs }) => inputs)
      return {
        members: [{ memberId: 'm', instanceId: null, host: '', clientId: `x@${owner}`, assignment }],
      }
    },
    // Each look is long after the one before.
    nowMs: () => (nowMs += 1_000),
  })
  return {
    asked: () => asked,
    queries: new StateQueries({
      applicationId: 'shop',
      httpToken: 'a-token-of-this-test',
      applicationServer: 'this:1',
      stores: new QueryableStores(topology, 'shop'),
      coordinator: { tasks, placeOf: () => undefined, isCurrent: () => false },
      threads: () => [],
      peers,
      metrics: new QueryMetrics(),
    }),
  }
}

test('a key is asked in the partition that producers choose for it, once, with the token', async () => {
  await using other = await peer(() => [200, rows(['', 7])])
  const { queries: asker } = asking(other.server)
  for (const key of ['alice', 'bob', 'carol']) {
    const { value, partitions } = await asker.query('numbers', queries.key<string, number>(key))
    const partition = partitionOfKey(Buffer.from(key), key.length, PARTITIONS)
    assert.deepEqual({ value, partitions }, { value: 7, partitions: [partition] })
    const { applicationId, store, query, partition: heard } = other.heard.at(-1)!
    assert.deepEqual(
      { applicationId, store, heard, key: (query as unknown as { key: Buffer }).key.toString() },
      { applicationId: 'shop', store: 'numbers', heard: partition, key },
    )
  }
  assert.equal(other.heard.length, 3)
  assert.deepEqual(new Set(other.tokens), new Set(['Bearer a-token-of-this-test']))
})

test('rows of all partitions come in one order, and no more of them than are certain', async () => {
  const parts: [string, number][][] = [
    [
      ['a', 1],
      ['d', 4],
    ],
    [['b', 2]],
    [],
    [['c', 3]],
  ]
  await using other = await peer(({ partition }) => {
    const answer = JSON.parse(rows(...parts[partition]!)) as { hasMore: boolean }
    // Of the last partition there may be rows before d.
    return [200, JSON.stringify({ ...answer, hasMore: partition === 3 })]
  })
  const { queries: asker } = asking(other.server)
  const { value, partitions } = await asker.query('numbers', queries.range<string, number>())
  assert.deepEqual(value, {
    rows: [
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
      { key: 'c', value: 3 },
    ],
    next: 'c',
  })
  assert.deepEqual(partitions, [0, 1, 2, 3])
  const first = await asker.query('numbers', queries.range<string, number>({ limit: 2 }))
  assert.deepEqual([first.value.rows.length, first.value.next], [2, 'b'])
  const one = await asker.query('numbers', queries.range<string, number>(), { partition: 1 })
  assert.deepEqual([one.value.rows.length, one.partitions], [1, [1]])
})

test('whoever has the task no more is asked once; then its new owner, once', async () => {
  await using old = await peer(() => refused('not-active'))
  await using next = await peer(() => [200, rows(['', 1])])
  const moved = asking(old.server, next.server)
  const { value } = await moved.queries.query('numbers', queries.key('alice'))
  assert.equal(value, 1)
  assert.deepEqual([old.heard.length, next.heard.length, moved.asked()], [1, 1, 2])

  const stuck = asking(old.server)
  await assert.rejects(stuck.queries.query('numbers', queries.key('alice')), {
    code: 'not-active',
    isRetriable: true,
  })
  // The group names the same one again: nothing is gained by asking it.
  assert.equal(old.heard.length, 2)

  await using older = await peer(() => refused('not-active'))
  await assert.rejects(asking(old.server, older.server).queries.query('numbers', queries.key('alice')), {
    code: 'not-active',
  })
  assert.deepEqual([old.heard.length, older.heard.length], [3, 1])
})

test('what this process had when it asked the group last is asked for anew', async () => {
  await using next = await peer(() => [200, rows(['', 1])])
  const moved = asking('this:1', next.server)
  assert.equal((await moved.queries.query('numbers', queries.key('alice'))).value, 1)
  assert.equal(moved.asked(), 2)
  await assert.rejects(asking('this:1').queries.query('numbers', queries.key('alice')), {
    code: 'not-active',
    isRetriable: true,
  })
})

test('what is no answer is never taken for an empty one', async () => {
  for (const [status, text, code] of [
    [200, 'hello', 'not-active'],
    [200, '{}', 'not-active'],
    [404, '{"code":"route-unknown","message":"there is nothing"}', 'not-active'],
    [401, '{"code":"token-wrong","message":"another token"}', 'not-present'],
    [503, '{"code":"not-up-to-bound","message":"behind"}', 'not-up-to-bound'],
    [500, '', 'not-active'],
  ] as const) {
    await using other = await peer(() => [status, text])
    await assert.rejects(
      asking(other.server).queries.query('numbers', queries.key('alice')),
      { name: 'QueryError', code },
      text,
    )
  }
  // Nobody listens there any more.
  const gone = await peer(() => [200, ''])
  await gone[Symbol.asyncDispose]()
  await assert.rejects(asking(gone.server).queries.query('numbers', queries.key('alice')), {
    code: 'not-active',
    message: new RegExp(`^${gone.server} cannot be reached: `),
  })
})

test('a process that does not answer is waited for as long as the query says', async () => {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const { queries: asker } = asking(`127.0.0.1:${port}`)
    await assert.rejects(asker.query('numbers', queries.key('alice'), { timeoutMs: 50 }), {
      code: 'timeout',
      isRetriable: true,
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('a query of another process is answered here or not at all', async () => {
  await using other = await peer(() => [200, rows(['', 1])])
  const { queries: asked } = asking(other.server)
  const forwarded: ForwardedQuery = {
    applicationId: 'shop',
    store: 'numbers',
    partition: 0,
    query: { type: 'key', key: Buffer.from('a'), withTimestamp: false },
    consistency: 'consistent',
    positionBound: null,
    timeoutMs: 1_000,
  }
  await assert.rejects(asked.answerForwarded(forwarded), { code: 'not-active' })
  await assert.rejects(asked.answerForwarded({ ...forwarded, applicationId: 'other' }), {
    code: 'not-active',
    message: 'this is a process of shop, not of other',
  })
  await assert.rejects(asked.answerForwarded({ ...forwarded, partition: 4 }), { code: 'does-not-exist' })
  assert.equal(other.heard.length, 0)
})

test('what cannot be asked is one line', async () => {
  const { queries: asker } = asking('127.0.0.1:1')
  for (const [asked, message] of [
    [asker.query('number', queries.key('a')), 'there is no store number: there are numbers'],
    [asker.query('numbers', queries.key(7)), /^store numbers: this is no key \(serde string\): /],
    [asker.query('numbers', queries.key(null)), 'store numbers: the key must not be null'],
    [
      asker.query('numbers', queries.key('a'), { partition: 4 }),
      'store numbers has no partition 4: it has 4, from 0 on',
    ],
    [
      asker.query('numbers', queries.key('a'), { consistency: 'fresh' as 'stale' }),
      'consistency is fresh: expected one of consistent, committed, stale',
    ],
    [
      asker.query('numbers', queries.key('a'), { timeoutMs: 0 }),
      'timeoutMs is 0: expected a whole number from 1 to 60000',
    ],
    [
      asker.query('numbers', queries.key('a'), { positionBound: { other: { 0: 1 } } }),
      'the position bound names other; store numbers is made of numbers',
    ],
  ] as const)
    await assert.rejects(asked, { name: 'QueryError', message })
})
