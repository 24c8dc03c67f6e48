/** The store over the real database, against a sorted list. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import fc from 'fast-check'

import { RecordBatch } from '../../../src/consume/record-batch.ts'
import { MockCluster, Producer, StateMemory, TaskDatabase } from '../../../src/native.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../../src/state/overlay-writer.ts'
import { Prefetch } from '../../../src/state/prefetch.ts'
import { firstAfterPrefix, openKeyValueStore } from '../../../src/state/rocksdb-key-value-store.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { smallStateMemory } from '../../support/state-memory.ts'

const cluster = new MockCluster({ brokers: 1 })
const memory = StateMemory.acquire(smallStateMemory)
let folder = ''
let databases = 0
let producer: Producer

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-store-'))
  producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
})

after(async () => {
  await producer.close()
  memory.close()
  cluster.close()
  await rm(folder, { recursive: true })
})

async function openStore(definition: StoreDefinition, budgetBytes: number) {
  const database = await TaskDatabase.open(memory, {
    path: path.join(folder, String(databases++)),
    partition: 0,
    stores: [
      {
        name: definition.name,
        timestamped: definition.type === 'timestamped-key-value',
        changelogTopic: null,
      },
    ],
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
  })
  const budget = new CacheBudget(budgetBytes)
  const store = openKeyValueStore(definition, {
    database,
    index: 0,
    budget,
    overlayWriter: new OverlayWriter(),
    recordTimestamp: () => 7,
    onOverlayBytes: () => {},
  })
  const commit = async (): Promise<void> => {
    store.flush()
    await database.drain(producer)
    await database.commit()
  }
  return { store, database, commit, trim: () => budget.trim(store.cache) }
}

const plain: StoreDefinition = {
  type: 'key-value',
  name: 'plain',
  key: serdes.string as StoreDefinition['key'],
  value: serdes.string as StoreDefinition['value'],
  logging: false,
  changelogConfig: {},
}

const key = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '\u00e9', '\u{1f600}'),
  minLength: 0,
  maxLength: 3,
})
const bound = fc.option(key, { nil: null })
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value: fc.option(fc.string({ maxLength: 30 }), { nil: null }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('putIfAbsent' as const), key, value: fc.string() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('range' as const),
      from: bound,
      to: bound,
      reverse: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('prefix' as const), prefix: key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
)

test('a store reads as a sorted list does, through cache, overlay and RocksDB', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 120 }),
      fc.constantFrom(500, 1 << 20),
      async (steps, budgetBytes) => {
        const opened = await openStore(plain, budgetBytes)
        const store = opened.store as unknown as KeyValueStore<string, string>
        const model = new Map<string, string>()
        const sorted = (): [string, string][] =>
          [...model].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        try {
          for (const command of steps) {
            switch (command.do) {
              case 'put':
                store.put(command.key, command.value)
                if (command.value === null) model.delete(command.key)
                else model.set(command.key, command.value)
                break
              case 'get':
                assert.equal(store.get(command.key), model.get(command.key) ?? null)
                break
              case 'delete':
                assert.equal(store.delete(command.key), model.get(command.key) ?? null)
                model.delete(command.key)
                break
              case 'putIfAbsent':
                assert.equal(store.putIfAbsent(command.key, command.value), model.get(command.key) ?? null)
                if (!model.has(command.key)) model.set(command.key, command.value)
                break
              case 'range': {
                const { from, to, reverse } = command
                const expected = sorted().filter(([at]) => isWithin(at, from, to))
                using rows = reverse ? store.reverseRange(from, to) : store.range(from, to)
                const found = [...rows].map((row) => [row.key, row.value])
                assert.deepEqual(found, reverse ? expected.reverse() : expected)
                break
              }
              case 'prefix': {
                const expected = sorted().filter(([at]) => at.startsWith(command.prefix))
                using rows = store.prefixScan(command.prefix, serdes.string)
                assert.deepEqual(
                  [...rows].map((row) => [row.key, row.value]),
                  expected,
                )
                break
              }
              case 'trim':
                opened.trim()
                break
              case 'commit':
                await opened.commit()
                break
            }
          }
          using rows = store.all()
          assert.deepEqual(
            [...rows].map((row) => [row.key, row.value]),
            sorted(),
          )
        } finally {
          opened.store.close()
          await opened.database.close()
        }
      },
    ),
    { numRuns: 60 },
  )
})

function isWithin(at: string, from: string | null, to: string | null): boolean {
  const bytes = Buffer.from(at)
  if (from !== null && Buffer.compare(bytes, Buffer.from(from)) < 0) return false
  return to === null || Buffer.compare(bytes, Buffer.from(to)) <= 0
}

test('a scan of many rows, of rows larger than a chunk, and several at once', async () => {
  const opened = await openStore(plain, 1 << 20)
  const store = opened.store as unknown as KeyValueStore<string, string>
  const rows = Array.from({ length: 1000 }, (_, index): [string, string] => [
    `key-${String(index).padStart(4, '0')}`,
    'v'.repeat(index % 100 === 0 ? 100_000 : index % 50),
  ])
  for (const [at, value] of rows) store.put(at, value)
  await opened.commit()
  const scans = [store.all(), store.all(), store.range('key-0500', null)]
  const found: [string, string][] = []
  for (const row of scans[0]!) {
    found.push([row.key, row.value])
    scans[1]!.next()
  }
  assert.deepEqual(found, rows)
  assert.equal([...scans[2]!].length, 500)
  assert.equal(scans[1]!.next().done, true)
  opened.store.close()
  await opened.database.close()
})

test('a scan that is closed gives no more rows, and is forgotten by its store', async () => {
  const opened = await openStore(plain, 1 << 20)
  const store = opened.store as unknown as KeyValueStore<string, string>
  for (const at of ['a', 'c']) store.put(at, at)
  await opened.commit()
  using rows = store.all()
  assert.equal(rows.next().value.key, 'a')
  assert.equal(opened.store.openScans.size, 1)
  rows.close()
  assert.equal(opened.store.openScans.size, 0)
  assert.equal(rows.next().done, true)
  opened.store.close()
  await opened.database.close()
})

test('a scan ends with an error after a commit, not with wrong rows', async () => {
  const opened = await openStore(plain, 1 << 20)
  const store = opened.store as unknown as KeyValueStore<string, string>
  for (let index = 0; index < 100; index++) store.put(`k${index}`, 'v')
  const rows = store.all()
  rows.next()
  store.put('k5', 'other')
  await opened.commit()
  assert.throws(() => [...rows], { code: 'closed' })
  opened.store.close()
  await opened.database.close()
})

test('a timestamped store keeps value and timestamp, over a commit too', async () => {
  const definition: StoreDefinition = {
    ...plain,
    type: 'timestamped-key-value',
    name: 'timestamped',
    value: serdes.int64 as StoreDefinition['value'],
  }
  const opened = await openStore(definition, 500)
  const store = opened.store as unknown as TimestampedKeyValueStore<string, number>
  store.update('a', 5, 1_700_000_000_123)
  store.put('b', { value: 6, timestamp: 3 })
  assert.deepEqual(store.get('a'), { value: 5, timestamp: 1_700_000_000_123 })
  assert.equal(store.peek('b')?.value, 6)
  await opened.commit()
  opened.store.discard()
  assert.deepEqual(store.get('a'), { value: 5, timestamp: 1_700_000_000_123 })
  assert.deepEqual(
    [...store.all()],
    [
      { key: 'a', value: { value: 5, timestamp: 1_700_000_000_123 } },
      { key: 'b', value: { value: 6, timestamp: 3 } },
    ],
  )
  store.update('a', null, 4)
  assert.equal(store.get('a'), null)
  assert.equal(store.peek('a'), null)
  opened.store.close()
  await opened.database.close()
})

test('rows that are fetched ahead are those of the keys as the store writes them', async () => {
  const definition: StoreDefinition = { ...plain, name: 'json', key: serdes.json() as StoreDefinition['key'] }
  const { store, database, commit } = await openStore(definition, 1 << 20)
  store.put({ user: 1 }, 'one')
  store.put({ user: 2 }, 'two')
  await commit()
  store.discard()
  const texts = ['{"user":1}', '{"user": 2}', '{"user":3}', '{"user', '{"user":1}']
  const batch = new RecordBatch(texts.length + 1, 1024)
  for (const text of texts) {
    const start = batch.count * 16
    batch.keyStart[batch.count] = start
    batch.keyLength[batch.count++] = batch.arena.write(text, start)
  }
  batch.keyLength[batch.count++] = -1
  const prefetch = new Prefetch(batch.capacity)
  prefetch.collect(batch, store)
  assert.equal(prefetch.count, texts.length)
  prefetch.land(batch, store, await prefetch.start(database, 0, batch))
  // Written with a blank the key has other bytes than the store's, and what is no JSON has none: they are left to when their turn comes.
  assert.deepEqual(
    prefetch.entries.map((entry) => entry?.value),
    ['one', undefined, null, undefined, 'one', undefined],
  )
  assert.equal(prefetch.entries[0], prefetch.entries[4])
  assert.equal(store.get({ user: 2 }), 'two')
  // Objects are nobody's to share.
  assert.deepEqual(batch.keys, new Array(batch.capacity).fill(undefined))
  prefetch.collect(batch, store)
  assert.equal(prefetch.count, 2)
  store.close()
  await database.close()
})

test('a null key is refused with the store named', async () => {
  const opened = await openStore(plain, 1 << 20)
  assert.throws(() => opened.store.get(null), /store plain: the key must not be null/)
  assert.throws(() => opened.store.put(undefined, 'x'), /store plain: the key must not be undefined/)
  opened.store.close()
  await opened.database.close()
})

test('the first key after a prefix', () => {
  assert.deepEqual(firstAfterPrefix(Buffer.from('ab')), Buffer.from('ac'))
  assert.deepEqual(firstAfterPrefix(Buffer.of(1, 0xff, 0xff)), Buffer.of(2))
  assert.equal(firstAfterPrefix(Buffer.of(0xff, 0xff)), null)
  assert.equal(firstAfterPrefix(Buffer.of()), null)
})

test('keys and values come without their counterparts, go on where the rows are, and close the scan', async () => {
  const opened = await openStore(plain, 1 << 20)
  const store = opened.store as KeyValueStore<string, string> & {
    readonly openScans: ReadonlySet<unknown>
  }
  const rows = Array.from({ length: 600 }, (_, index) => ({
    key: `key-${String(index).padStart(4, '0')}`,
    value: `value ${index}`,
  }))
  for (const { key, value } of rows.slice(0, 300)) store.put(key, value)
  await opened.commit()
  for (const { key, value } of rows.slice(300)) store.put(key, value)

  assert.deepEqual(
    [...store.all().keys()],
    rows.map(({ key }) => key),
  )
  assert.deepEqual([...store.reverseAll().values()], rows.map(({ value }) => value).reverse())
  using scan = store.range(rows[10]!.key, rows[400]!.key)
  assert.deepEqual(scan.next().value, rows[10])
  const values = scan.values()
  assert.equal(values.next().value, rows[11]!.value)
  assert.equal(scan.keys().next().value, rows[12]!.key)
  for (const value of values) if (value === rows[100]!.value) break
  assert.equal(store.openScans.size, 0)
  assert.equal(scan.next().done, true)

  // Scans that are open at once, and rows larger than what usually is copied at a time.
  const large = 'x'.repeat(100_000)
  store.put('large', large)
  using outer = store.all()
  let outerRows = 0
  for (const { key } of outer) {
    outerRows++
    if (outerRows % 200 === 0) assert.deepEqual([...store.range(key, key).keys()], [key])
  }
  assert.equal(outerRows, 601)
  assert.deepEqual([...store.range('large', null).values()], [large])
  assert.deepEqual([...store.range('key-0599', null).keys()], ['key-0599', 'large'])
  opened.store.close()
  await opened.database.close()
})
