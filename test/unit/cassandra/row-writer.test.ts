import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { cassandra } from '../../../src/cassandra/cassandra.ts'
import type { CassandraTable } from '../../../src/cassandra/cassandra-table.ts'
import type { RowWrite } from '../../../src/cassandra/row-write.ts'
import { RowWriter } from '../../../src/cassandra/row-writer.ts'
import { WeirError } from '../../../src/errors/weir-error.ts'
import { CassandraCounters } from '../../../src/observe/cassandra-counters.ts'
import { Random } from '../../support/seed.ts'
import {
  driverError,
  invalid,
  noHost,
  timedOut,
  UnsteadyCassandra,
} from '../../support/unsteady-cassandra.ts'

const WAIT_MS = 60_000
const source = { taskId: '0_0', node: 'SINK', table: 'rows', asked: null }
const table = cassandra.table({
  name: 'rows',
  partitionKey: { p: 'text' },
  clusteringKey: { c: 'int' },
  columns: { v: 'text' },
  map: (_: unknown, value: { v: string }) => value,
}) as CassandraTable

function write(partition: string, clustering: number, timestampUs: number, value: string | null): RowWrite {
  const values = value === null ? null : [value]
  const key = [partition, clustering]
  return { table, partition, goesWithOthers: false, key, values, ttlSeconds: 0, timestampUs, source }
}

function open(test: TestContext, options: { requestsMax?: number; rowTimeoutMs?: number } = {}) {
  const session = new UnsteadyCassandra()
  const counters = new CassandraCounters()
  const told: (string | null)[] = []
  const failures: WeirError[] = []
  let changes = 0
  const writer = new RowWriter({
    session: async () => session,
    requestsMax: options.requestsMax ?? 8,
    queueBytes: 1 << 20,
    rowTimeoutMs: options.rowTimeoutMs ?? 60_000,
    counters,
    onChanged: () => changes++,
    onFailed: (error) => failures.push(error),
    onAway: (reason) => told.push(reason),
  })
  test.after(() => writer.close())
  return { session, counters, writer, told, failures, changes: () => changes }
}

describe('writing rows', () => {
  test('answers that are late, out of order, missing, or errors: the last write of each row stays, and nothing is lost', async (t) => {
    const random = new Random()
    const seed = `seed ${random.seed}`
    const { session, writer, counters } = open(t)
    session.delayMs = () => random.below(4)
    session.fails = () => {
      const dice = random.below(10)
      if (dice > 2) return null
      const error = [timedOut(), noHost(), driverError('ResponseError', 'overloaded', { code: 0x1001 })][
        dice
      ]!
      return { error, done: random.below(2) === 0 }
    }
    const rows = writer.open()
    const should = new Map<string, { values: readonly unknown[] | null; timestampUs: number | bigint }>()
    for (let number = 1; number <= 3_000; number++) {
      const [partition, clustering] = [`p${random.below(30)}`, random.below(5)]
      const value = random.below(5) === 0 ? null : `v${number}`
      const one = write(partition, clustering, number * 16, value)
      rows.add(one)
      should.set(one.key.join(), { values: one.values, timestampUs: one.timestampUs })
      if (number % 200 === 0) await sleep(1)
    }
    // On a busy machine nothing is answered for so long that it waits no longer.
    const deadlineMs = Date.now() + WAIT_MS
    while (!(await rows.settled(WAIT_MS))) assert.ok(Date.now() < deadlineMs, seed)
    assert.deepEqual(new Map([...session.rows].sort()), new Map([...should].sort()), seed)
    assert.equal(counters.rows.get('rows'), 3_000, seed)
    assert.ok(counters.retries > 0 && counters.errors.has('timeout'), seed)
    assert.ok(session.inFlightMax <= 8, `${seed}: ${session.inFlightMax} requests at the same time`)
    assert.equal(writer.queuedRows, 0)
    assert.equal(writer.queuedBytes, 0)
    for (const { keys, partition } of session.requests)
      assert.ok(
        keys.every((key) => key.startsWith(`${partition},`)),
        'a request with several partitions',
      )
  })

  test('rows that are refused are found among those that were refused with them, and kept', async (t) => {
    const { session, writer, counters, changes } = open(t)
    session.fails = (batch) =>
      batch.some(({ key }) => key[1] === 13 || key[1] === 40)
        ? { error: invalid('Key may not be empty\n  at somewhere'), done: false }
        : null
    const rows = writer.open()
    for (let clustering = 0; clustering < 60; clustering++) rows.add(write('a', clustering, 16, 'v'))
    assert.equal(await rows.settled(WAIT_MS), true)
    assert.equal(session.rows.size, 58)
    assert.equal(rows.wantsCommit, true)
    assert.ok(changes() > 0, 'the thread is not told')
    assert.deepEqual(
      rows.takeRefused().map(({ error, source: { node } }) => [error.message, node]),
      [
        ['Key may not be empty', 'SINK'],
        ['Key may not be empty', 'SINK'],
      ],
    )
    assert.equal(rows.wantsCommit, false)
    assert.equal(counters.rows.get('rows'), 58)
  })

  test('partitions that one node has go together, where they may; refused ones are found among them', async (t) => {
    const { session, writer, counters } = open(t)
    session.replicaOf = (key) => String(key[0]! % 3)
    session.fails = (batch) =>
      batch.some(({ partition }) => partition === 'k33') ? { error: invalid('too large'), done: false } : null
    assert.equal(await writer.connected(), true)
    const rows = writer.open()
    for (let index = 0; index < 60; index++) {
      const partition = `${'klm'[index % 3]}${index}`
      const key = [Buffer.from(partition), 0]
      rows.add({ ...write(partition, 0, 1, 'v'), key, goesWithOthers: true })
    }
    rows.add({ ...write('alone', 0, 1, 'v'), key: [Buffer.from('k-alone'), 0] })
    assert.equal(await rows.settled(WAIT_MS), true)
    const first = session.requests.slice(0, 7)
    assert.deepEqual(
      first.map(({ keys }) => keys.length),
      [10, 10, 10, 10, 10, 10, 1],
    )
    for (const { keys } of first) assert.equal(new Set(keys.map((key) => key[0])).size, 1, keys.join(' '))
    assert.equal(session.rows.size, 60)
    assert.equal(counters.rows.get('rows'), 60)
    assert.deepEqual(
      rows.takeRefused().map(({ error }) => error.message),
      ['too large'],
    )
  })

  test('a refusal because the table is another one ends the writer, with what differs', async (t) => {
    const { session, writer, failures } = open(t)
    session.fails = () => ({ error: invalid('Undefined column name v'), done: false })
    session.problem = 'table rows is not what the topology needs'
    const rows = writer.open()
    rows.add(write('a', 1, 16, 'v'))
    await assert.rejects(rows.settled(WAIT_MS), {
      code: 'cassandra-schema',
      message: /^table rows is not what/,
    })
    assert.deepEqual(
      failures.map(({ code }) => code),
      ['cassandra-schema'],
    )
    // Nothing is taken for written.
    await assert.rejects(rows.settled(0), { code: 'cassandra-schema' })
  })

  test('when the table cannot be looked at, or is as it should be, an unknown statement is tried again', async (t) => {
    const { session, writer, counters } = open(t)
    let attempts = 0
    session.fails = () =>
      ++attempts < 4
        ? {
            error: driverError('NoHostAvailableError', 'x', {
              innerErrors: { a: driverError('ResponseError', 'not prepared', { code: 0x2500 }) },
            }),
            done: false,
          }
        : null
    let looks = 0
    session.problemFails = () => (++looks === 1 ? timedOut() : null)
    const rows = writer.open()
    rows.add(write('a', 1, 16, 'v'))
    assert.equal(await rows.settled(WAIT_MS), true)
    assert.deepEqual([attempts, session.rows.size, counters.retries], [4, 1, 3])
    assert.deepEqual(rows.takeRefused(), [])
  })

  test('a permission that is missing ends the writer', async (t) => {
    const { session, writer, failures } = open(t)
    session.fails = () => ({
      error: driverError('ResponseError', 'no MODIFY permission', { code: 0x2100 }),
      done: false,
    })
    const rows = writer.open()
    rows.add(write('a', 1, 16, 'v'))
    await assert.rejects(rows.settled(WAIT_MS), { code: 'cassandra-denied' })
    assert.equal(failures.length, 1)
  })

  test('while nobody answers nobody waits: a commit does without, the task takes nothing more until it is settled', async (t) => {
    const { session, writer, told } = open(t)
    let isAway = true
    session.fails = () => (isAway ? { error: noHost(), done: false } : null)
    const [rows, idle] = [writer.open(), writer.open()]
    rows.add(write('a', 1, 16, 'v'))
    assert.equal(rows.isFull, false)
    assert.equal(await rows.settled(WAIT_MS), false)
    assert.deepEqual([rows.isFull, rows.isHeldUp, rows.wantsCommit], [true, true, false])
    // A task that has nothing there is not held up by others.
    assert.deepEqual([idle.isFull, idle.isHeldUp, await idle.settled(WAIT_MS)], [false, false, true])
    assert.equal(await rows.hasRoom(WAIT_MS), false)
    assert.deepEqual(told, ['no node answers'])
    isAway = false
    while (!rows.wantsCommit) await sleep(10)
    assert.deepEqual(told, ['no node answers', null])
    assert.equal(rows.isFull, true)
    assert.equal(await rows.settled(0), true)
    assert.deepEqual([rows.isFull, rows.isHeldUp, rows.wantsCommit], [false, false, false])
    assert.equal(session.rows.size, 1)
  })

  test('what nobody wants any more is dropped, also in the middle of an outage; then nothing tells of that', async (t) => {
    const { session, writer, told } = open(t, { requestsMax: 1 })
    session.fails = () => ({ error: noHost(), done: false })
    const rows = writer.open()
    for (const partition of ['a', 'b', 'c']) rows.add(write(partition, 1, 16, 'v'))
    assert.equal(await rows.settled(WAIT_MS), false)
    rows.close()
    rows.add(write('d', 1, 16, 'v'))
    while (writer.queuedRows > 0) await sleep(10)
    assert.equal(session.rows.size, 0)
    assert.deepEqual(told, ['no node answers', null])
  })

  test('a row that fails while all others are written is to blame after its time', async (t) => {
    const { session, writer } = open(t, { rowTimeoutMs: 300 })
    session.fails = (batch) =>
      batch.some(({ key }) => key[0] === 'bad' && key[1] === 1)
        ? { error: driverError('ResponseError', 'java.lang.NullPointerException', { code: 0 }), done: false }
        : null
    const rows = writer.open()
    for (const clustering of [0, 1, 2]) rows.add(write('bad', clustering, 16, 'v'))
    const others = setInterval(() => rows.add(write('good', 1, 32, 'v')), 20)
    try {
      const refused: string[] = []
      for (const endMs = Date.now() + WAIT_MS; refused.length === 0 && Date.now() < endMs; ) {
        await sleep(20)
        refused.push(...rows.takeRefused().map(({ error }) => error.message))
      }
      assert.deepEqual(refused, ['java.lang.NullPointerException'])
    } finally {
      clearInterval(others)
    }
    assert.equal(await rows.settled(WAIT_MS), true)
    assert.deepEqual([...session.rows.keys()].sort(), ['bad,0', 'bad,2', 'good,1'])
  })

  test('rows wait for the connection, which is tried until it is made; credentials end it', async (t) => {
    const session = new UnsteadyCassandra()
    let failures = 3
    session.connectFails = () => (failures-- > 0 ? new WeirError('cassandra-unreachable', 'away') : null)
    const make = (onFailed: (error: WeirError) => void): RowWriter =>
      new RowWriter({
        session: async () => session,
        requestsMax: 1,
        queueBytes: 1 << 20,
        rowTimeoutMs: 1_000,
        counters: new CassandraCounters(),
        onChanged: () => {},
        onFailed,
        onAway: () => {},
      })
    const writer = make(() => {})
    t.after(() => writer.close())
    const rows = writer.open()
    rows.add(write('a', 1, 16, 'v'))
    assert.equal(await rows.settled(WAIT_MS), true)
    assert.equal(session.connects, 4)

    session.connectFails = () => new WeirError('cassandra-denied', 'refused')
    const { promise, resolve } = Promise.withResolvers<WeirError>()
    const denied = make(resolve)
    t.after(() => denied.close())
    assert.equal((await promise).code, 'cassandra-denied')
  })
})
