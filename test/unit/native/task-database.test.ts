/** The database through the binding, against a Map. The core has its own tests, under native/test. */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import fc from 'fast-check'

import {
  type DatabaseOptions,
  MockCluster,
  Producer,
  Restorer,
  StateMemory,
  TaskDatabase,
} from '../../../src/native.ts'
import { smallStateMemory } from '../../support/state-memory.ts'
import { applyRows, getRow, multiGetRows, type Row, scanRows } from './rows.ts'

const cluster = new MockCluster({ brokers: 1 })
const memory = StateMemory.acquire(smallStateMemory)
let folder = ''
let producer: Producer
let opened = 0

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-database-'))
  producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
})

after(async () => {
  await producer.close()
  memory.close()
  cluster.close()
  await rm(folder, { recursive: true })
})

/** A database with a plain, a timestamped and an unlogged store; the changelogs are topics of its own. */
function newOptions(): DatabaseOptions {
  const name = `db-${opened++}`
  for (const store of ['plain', 'timed']) {
    cluster.createTopic(`${name}-${store}`, 2)
    producer.topic(`${name}-${store}`, 2)
  }
  return {
    path: path.join(folder, name),
    partition: 1,
    stores: [
      { name: 'plain', timestamped: false, changelogTopic: `${name}-plain` },
      { name: 'timed', timestamped: true, changelogTopic: `${name}-timed` },
      { name: 'local', timestamped: false, changelogTopic: null },
    ],
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
  }
}

async function commit(database: TaskDatabase): Promise<{ records: number; bytes: number }> {
  const drained = await database.drain(producer)
  await producer.flush(30_000)
  await database.commit()
  return drained
}

function timestampBytes(timestamp: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(timestamp))
  return bytes.latin1Slice(0, 8)
}

test('rows are read back before and after a commit, and after reopening', async () => {
  const key = fc.integer({ min: 0, max: 30 }).map((number) => `key-${number}`)
  const row = fc.record({
    key,
    value: fc.option(fc.string({ unit: 'binary-ascii', maxLength: 30 }), { nil: null }),
  })
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('apply' as const),
        rows: fc.array(row, { minLength: 1, maxLength: 20 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), key, key, async (steps, from, to) => {
      const options = newOptions()
      let database = await TaskDatabase.open(memory, options)
      let now = new Map<string, string>()
      let committed = new Map<string, string>()
      for (const step of steps) {
        if (step.do === 'apply') {
          assert.ok(applyRows(database, 0, step.rows) > 0)
          for (const { key, value } of step.rows) {
            if (value === null) now.delete(key)
            else now.set(key, value)
          }
        } else if (step.do === 'commit') {
          await commit(database)
          committed = new Map(now)
        } else if (step.do === 'discard') {
          database.discard()
          now = new Map(committed)
        } else {
          await database.close()
          database = await TaskDatabase.open(memory, options)
          now = new Map(committed)
        }
        const keys = Array.from({ length: 32 }, (_, index) => `key-${index % 31}`)
        const expected = keys.map((key) => now.get(key) ?? null)
        assert.deepEqual(await multiGetRows(database, 0, keys), expected)
        assert.deepEqual(
          keys.map((key) => getRow(database, 0, key)),
          expected,
        )
        const sorted = [...now].sort(([a], [b]) => (a < b ? -1 : 1))
        assert.deepEqual(scanRows(database, 0), sorted)
        const range = sorted.filter(([key]) => key >= from && key < to)
        assert.deepEqual(scanRows(database, 0, from, to), range)
        assert.deepEqual(scanRows(database, 0, from, to, true), range.reverse())
      }
      await database.close()
    }),
    { numRuns: 25 },
  )
})

test('a commit writes each key once to the changelog, and the offsets', async () => {
  const options = newOptions()
  const database = await TaskDatabase.open(memory, options)
  const memoryBefore = memory.usage()
  applyRows(database, 0, [
    { key: 'a', value: '1' },
    { key: 'a', value: '22' },
    { key: 'b', value: null },
  ])
  applyRows(database, 1, [{ key: 'c', value: `${timestampBytes(7)}xyz`, timestamp: 7 }])
  applyRows(database, 2, [{ key: 'd', value: 'unlogged' }])
  assert.ok(memory.usage().overlayBytes > memoryBefore.overlayBytes)
  database.setTopicIds([{ store: 'plain', topicId: 'id-1' }])
  assert.deepEqual(await commit(database), { records: 3, bytes: 'a22'.length + 'b'.length + 'cxyz'.length })
  const offsets = database.offsets()
  assert.deepEqual(
    offsets.map(({ store, offset, topicId }) => ({ store, offset, topicId })),
    [
      { store: 'plain', offset: 2, topicId: 'id-1' },
      { store: 'timed', offset: 1, topicId: '' },
      { store: 'local', offset: -1, topicId: '' },
    ],
  )
  assert.ok(offsets[0]!.writtenAtMs > 1.5e12)
  assert.equal(getRow(database, 1, 'c'), `${timestampBytes(7)}xyz`)
  assert.deepEqual(database.properties(['rocksdb.estimate-num-keys', 'weir.overlay-entries']).length, 2)
  await database.flush()
  await database.close()
})

test('a lost database is restored from its changelogs', async () => {
  const options = newOptions()
  const lost = await TaskDatabase.open(memory, options)
  for (let commits = 0; commits < 5; commits++) {
    const rows: Row[] = []
    for (let index = 0; index < 500; index++) {
      rows.push({
        key: `key-${(commits * 317 + index) % 900}`,
        value: index % 7 === 0 ? null : `${commits}/${index}`,
      })
    }
    applyRows(lost, 0, rows)
    applyRows(
      lost,
      1,
      rows.map(({ key, value }) => ({
        key,
        value: value && timestampBytes(commits + 1) + value,
        timestamp: commits + 1,
      })),
    )
    await commit(lost)
  }
  const expected = [scanRows(lost, 0), scanRows(lost, 1)]
  const ends = lost.offsets().map(({ offset }) => offset)
  await lost.close()
  await rm(options.path, { recursive: true })

  const database = await TaskDatabase.open(memory, options)
  const restorer = Restorer.acquire({ 'bootstrap.servers': cluster.bootstrapServers }, 2, 2 ** 24)
  const job = restorer.restore(
    database,
    ['plain', 'timed'].map((name, store) => ({
      store,
      topic: options.stores[store]!.changelogTopic!,
      partition: 1,
      topicId: `id-${name}`,
      from: -1,
    })),
  )
  await job.done
  assert.deepEqual(
    job.progress().map(({ position, end }) => ({ position, end })),
    [
      { position: ends[0], end: ends[0] },
      { position: ends[1], end: ends[1] },
    ],
  )
  assert.deepEqual([scanRows(database, 0), scanRows(database, 1)], expected)
  assert.deepEqual(
    database.offsets().map(({ offset, topicId }) => [offset, topicId]),
    [
      [ends[0], 'id-plain'],
      [ends[1], 'id-timed'],
      [-1, ''],
    ],
  )

  // As far as it is told, and on from there.
  const half = Math.floor(ends[0]! / 2)
  const plain = { store: 0, topic: options.stores[0]!.changelogTopic!, partition: 1, topicId: 'id-plain' }
  const bounded = restorer.restore(database, [{ ...plain, from: -1, until: half }])
  await bounded.done
  assert.equal(database.offsets()[0]!.offset, half)
  assert.ok(bounded.progress()[0]!.restoredRecords <= half)
  assert.notDeepEqual(scanRows(database, 0), expected[0])
  const rest = restorer.restore(database, [{ ...plain, from: half }])
  await rest.done
  assert.deepEqual(scanRows(database, 0), expected[0])
  // What is newer already stays.
  await restorer.restore(database, [{ ...plain, from: ends[0]!, until: half }]).done
  assert.deepEqual([scanRows(database, 0), database.offsets()[0]!.offset], [expected[0], ends[0]])
  await restorer.restore(database, [{ ...plain, from: -1, until: 0 }]).done
  assert.deepEqual([scanRows(database, 0), database.offsets()[0]!.offset], [[], 0])

  const stopped = restorer.restore(database, [
    { store: 0, topic: options.stores[0]!.changelogTopic!, partition: 1, topicId: '', from: -1 },
  ])
  stopped.stop()
  await stopped.done.catch((error) => assert.equal(error.code, 'closed'))
  const beyond = restorer.restore(database, [
    { store: 0, topic: options.stores[0]!.changelogTopic!, partition: 1, topicId: '', from: 1e9 },
  ])
  await assert.rejects(beyond.done, { code: 'kafka:_AUTO_OFFSET_RESET', retriable: false, fatal: false })
  restorer.close()
  await database.close()
})

test('what is closed says so; closing twice is no error', async () => {
  const database = await TaskDatabase.open(memory, newOptions())
  applyRows(database, 0, [{ key: 'a', value: '1' }])
  const scan = database.scan(0, null, null, false)
  await database.close()
  await database.close()
  assert.throws(() => getRow(database, 0, 'a'), { code: 'closed' })
  assert.throws(() => database.offsets(), { code: 'closed' })
  assert.throws(() => scan.next(Buffer.alloc(10), new Int32Array(4), 1), { code: 'closed' })
  scan.close()
  scan.close()
})

test('a scan ends at the next drain, commit and discard', async () => {
  const database = await TaskDatabase.open(memory, newOptions())
  const next = () => scan.next(Buffer.alloc(10), new Int32Array(4), 1)
  applyRows(database, 0, [{ key: 'a', value: '1' }])
  let scan = database.scan(0, null, null, false)
  assert.equal(next(), 3)
  await database.drain(producer)
  assert.throws(next, { code: 'closed' })
  await producer.flush(30_000)
  scan = database.scan(0, null, null, false)
  assert.equal(next(), 3)
  await database.commit()
  assert.throws(next, { code: 'closed' })
  scan = database.scan(0, null, null, false)
  database.discard()
  assert.throws(next, { code: 'closed' })
  await database.close()
})

test('errors are coded and name what is wrong', async () => {
  const options = newOptions()
  const database = await TaskDatabase.open(memory, options)
  await assert.rejects(
    TaskDatabase.open(memory, options),
    (error: Error & { code: string; retriable: boolean }) => {
      assert.equal(error.code, 'rocksdb:Busy')
      assert.equal(error.retriable, true)
      return error.message.includes(options.path)
    },
  )
  assert.throws(() => applyRows(database, 9, [{ key: 'a', value: '1' }]), {
    code: 'invalid',
    message: /no store number 9/,
  })
  assert.throws(() => database.get(0, 'text' as unknown as Buffer, 0, 1, Buffer.alloc(1)), {
    code: 'invalid',
    message: 'TaskDatabase.get: argument 2 (arena) must be a Buffer',
  })
  assert.throws(() => database.apply(0, Buffer.alloc(4), new Int32Array(3), new Float64Array(1), 1, 1), {
    code: 'invalid',
    message: 'TaskDatabase.apply: argument 3 (columns) must be an Int32Array of at least 4 x 1 elements',
  })
  assert.throws(
    () => database.apply(0, Buffer.alloc(4), Int32Array.of(0, 5, 0, 0), new Float64Array(1), 1, 1),
    { code: 'invalid' },
  )
  assert.throws(() => database.properties(['rocksdb.nonsense']), {
    code: 'invalid',
    message: /rocksdb\.nonsense/,
  })
  assert.throws(() => database.commit(), { code: 'invalid', message: /without a drain/ })
  assert.throws(() => StateMemory.acquire({ ...smallStateMemory, readThreads: 7 }), { code: 'invalid' })
  assert.throws(() => StateMemory.acquire({ ...smallStateMemory, colour: 'blue' } as never), {
    code: 'invalid',
    message: /unknown property colour/,
  })
  assert.throws(() => TaskDatabase.open(memory, { ...newOptions(), partition: -1 }), {
    code: 'invalid',
    message: /options\.partition/,
  })
  await assert.rejects(TaskDatabase.open(memory, { ...newOptions(), rocksdb: { nonsense: '1' } }), {
    code: 'invalid',
    message: /nonsense/,
  })
  await database.close()
  await writeFile(path.join(folder, 'a-file'), '')
  await assert.rejects(
    TaskDatabase.open(memory, { ...newOptions(), path: path.join(folder, 'a-file', 'db') }),
    { code: 'rocksdb:IOError' },
  )
  await writeFile(path.join(options.path, 'CURRENT'), 'MANIFEST-999999\n')
  await assert.rejects(TaskDatabase.open(memory, options), (error: Error & { code: string }) =>
    error.code.startsWith('rocksdb:'),
  )
})

test('a read-only folder is coded', {
  skip: process.getuid?.() === 0 && 'root may write everywhere',
}, async () => {
  const options = newOptions()
  await chmod(folder, 0o500)
  await assert.rejects(TaskDatabase.open(memory, options), { code: 'rocksdb:IOError' })
  await chmod(folder, 0o700)
})
