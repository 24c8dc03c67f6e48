import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import { RowReader } from '../../../src/cassandra/row-reader.ts'
import type { WeirError } from '../../../src/errors/weir-error.ts'
import { CassandraCounters } from '../../../src/observe/cassandra-counters.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'
import {
  driverError,
  invalid,
  noHost,
  timedOut,
  UnsteadyCassandra,
} from '../../support/unsteady-cassandra.ts'

const { table } = stores.tieredKeyValue({ name: 'counts', key: serdes.string, value: serdes.string }).tier!
const wanted = (): boolean => true

async function open(test: TestContext, requestsMax = 4) {
  const session = new UnsteadyCassandra()
  await session.connect()
  session.rows.set('a', { values: [Buffer.from('1'), 5n], timestampUs: 1 })
  const counters = new CassandraCounters()
  const told: (string | null)[] = []
  const failures: WeirError[] = []
  let reads = 0
  const reader = new RowReader({
    session: async () => session,
    requestsMax,
    counters,
    onRead: () => reads++,
    onFailed: (error) => failures.push(error),
    onAway: (reason) => told.push(reason),
  })
  test.after(() => reader.close())
  return { session, counters, reader, told, failures, reads: () => reads }
}

test('what may pass is tried again, for as long as it takes; absence is an answer', async (t) => {
  const { session, counters, reader, reads } = await open(t)
  const errors = [timedOut(), noHost(), driverError('ResponseError', 'overloaded', { code: 0x1001 })]
  session.readFails = () => errors.pop() ?? null
  const row = { value: Buffer.from('1'), ts: 5n }
  assert.deepEqual(await reader.readSome(table, [Buffer.from('a')], wanted), [row])
  assert.deepEqual(await reader.readSome(table, [Buffer.from('b')], wanted), [null])
  assert.deepEqual([counters.retries, session.reads, reads()], [3, 5, 2])
  assert.deepEqual([...counters.errors.keys()].sort(), ['overloaded', 'timeout', 'unreachable'])
})

test('rows of a request that fails are each asked for alone: what is there is found, what can have no row is told', async (t) => {
  const { session, counters, reader, failures, reads } = await open(t)
  session.rows.set('c', { values: [Buffer.from('3'), 6n], timestampUs: 1 })
  const keys = ['a', 'b', 'bad', 'c'].map((name) => Buffer.from(name))
  let timeouts = 1
  session.readFails = (asked) =>
    asked.includes('bad') ? invalid('Key may not be empty') : timeouts-- > 0 ? timedOut() : null
  const [a, b, bad, c] = await reader.readSome(table, keys, wanted)
  assert.deepEqual(
    [a, b, c],
    [{ value: Buffer.from('1'), ts: 5n }, null, { value: Buffer.from('3'), ts: 6n }],
  )
  assert.match(String(bad), /Key may not be empty/)
  // All together, each alone, and the one that was late again.
  assert.deepEqual([session.reads, counters.retries, reads()], [6, 2, 4])
  session.readFails = () => null
  assert.equal((await reader.readSome(table, keys.slice(2), wanted)).length, 2)
  assert.deepEqual([session.reads, reads()], [7, 6])
  session.readFails = () => driverError('ResponseError', 'no permission', { code: 0x2100 })
  await assert.rejects(reader.readSome(table, keys, wanted), { code: 'cassandra-denied' })
  assert.equal(failures[0]!.code, 'cassandra-denied')
  assert.equal(reader.requestsInFlight, 0)
})

test('a request takes a place for each of its rows', async (t) => {
  const { session, reader } = await open(t, 8)
  let come = (): void => {}
  session.gate = new Promise((resolve) => {
    come = resolve
  })
  const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => Buffer.from(name))
  const all = Array.from({ length: 10 }, () => reader.readSome(table, keys, wanted))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([session.reads, reader.requestsInFlight], [2, 10])
  come()
  await Promise.all(all)
  assert.deepEqual([session.reads, reader.requestsInFlight], [10, 0])
})

test('no more at a time than allowed', async (t) => {
  const { session, reader } = await open(t, 3)
  let come = (): void => {}
  session.gate = new Promise((resolve) => {
    come = resolve
  })
  const all = Array.from({ length: 20 }, (_, index) =>
    reader.readSome(table, [Buffer.from(`${index}`)], wanted),
  )
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([session.reads, reader.requestsInFlight], [3, 3])
  come()
  await Promise.all(all)
  assert.deepEqual([session.reads, reader.requestsInFlight], [20, 0])
})

test('what nobody wants any more is not tried again', async (t) => {
  const { session, reader } = await open(t)
  session.readFails = timedOut
  let isWanted = true
  const reading = reader.readSome(table, [Buffer.from('a')], () => isWanted)
  isWanted = false
  await assert.rejects(reading, { code: 'closed' })
  reader.close()
  await assert.rejects(reader.readSome(table, [Buffer.from('a')], wanted), { code: 'closed' })
})

test('a table that is not what it was, and a missing permission, end the thread; a key that has no row does not', async (t) => {
  const { session, reader, failures } = await open(t)
  const read = (): Promise<unknown> => reader.readSome(table, [Buffer.from('a')], wanted)
  session.readFails = () => invalid('Key may not be empty')
  assert.match(String(await read()), /Key may not be empty/)
  assert.deepEqual(failures, [])
  session.problem = 'table counts is not what the topology needs'
  await assert.rejects(read(), { code: 'cassandra-schema' })
  session.readFails = () => driverError('ResponseError', 'no permission', { code: 0x2100 })
  await assert.rejects(read(), { code: 'cassandra-denied' })
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['cassandra-schema', 'cassandra-denied'],
  )
})
