/** What a put row takes is counted when it is put, not when it is read back. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { CacheBudget } from '../../../src/state/cache-budget.ts'
import type { KeyValueStore } from '../../../src/state/store.ts'
import { ValueCache } from '../../../src/state/value-cache.ts'
import { stores } from '../../../src/topology/stores.ts'
import { OpenedStore, StoreServices } from '../../support/opened-store.ts'

let services: StoreServices
let folder = ''

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-accounting-'))
  services = new StoreServices(folder)
})

after(async () => {
  await services[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function open<V>(value: Serde<V>) {
  const definition = stores.keyValue({ name: 'rows', key: serdes.string, value, logging: false })
  const opened = await OpenedStore.open(services, definition, 1 << 30)
  return { opened, store: opened.store as unknown as KeyValueStore<string, V> }
}

test('a text, bytes and a number count exactly, and anew with every put', async () => {
  for (const [serde, sized] of [
    [serdes.string, (size: number): unknown => 'x'.repeat(size)],
    [serdes.bytes, (size: number): unknown => Buffer.alloc(size)],
    [serdes.int64, (size: number): unknown => size],
  ] as const) {
    const { opened, store } = await open(serde as Serde<unknown>)
    const { cache } = opened.store
    // Rows that were not read go past the cache.
    for (const key of ['key', 'other']) assert.equal(store.get(key), null)
    for (const size of [10, 100_000, 0, 5_000]) {
      store.put('key', sized(size))
      assert.equal(cache.dirtyBytes, 3 + (serde === serdes.int64 ? 8 : size))
    }
    const before = opened.budget.usedBytes
    store.put('other', sized(70_000))
    if (serde !== serdes.int64) assert.ok(opened.budget.usedBytes - before >= 70_000)
    store.put('other', null)
    opened.store.flush()
    assert.equal(cache.dirtyBytes, 0)
    await opened.close()
    assert.equal(opened.budget.usedBytes, 0)
  }
})

test('an object that grows from put to put is known within a factor of two, and exactly once it is written out', async () => {
  const { opened, store } = await open(serdes.json<number[]>())
  const { cache } = opened.store
  assert.equal(store.get('list'), null)
  for (let length = 1; length <= 3_000; length++) {
    const list = Array.from({ length }, (_, index) => index)
    store.put('list', list)
    if (length % 100 !== 0) continue
    const bytes = 4 + Buffer.byteLength(JSON.stringify(list))
    assert.ok(cache.dirtyBytes <= bytes, `${cache.dirtyBytes} of ${bytes}`)
    assert.ok(cache.dirtyBytes > bytes / 2.5, `${cache.dirtyBytes} of ${bytes}`)
  }
  const bytes = 4 + Buffer.byteLength(JSON.stringify(store.get('list')))
  opened.store.flush()
  assert.ok(opened.overlayBytes >= bytes)
  const charged = opened.budget.usedBytes
  assert.ok(charged >= 2 * bytes && charged < 2 * bytes + 1_000, `${charged} for ${bytes}`)
  await opened.close()
})

test('a row that cannot be serialised stays unwritten, and keeps the others from being left out', async () => {
  const { opened, store } = await open(serdes.int32)
  for (const key of ['good', 'bad']) assert.equal(store.get(key), null)
  store.put('good', 1)
  store.put('bad', 2 ** 40)
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.throws(() => opened.store.flush(), /store rows: a row could not be written/)
    assert.equal(opened.store.cache.dirtyEntries, 2)
  }
  store.put('bad', 2)
  opened.store.flush()
  assert.equal(opened.store.cache.dirtyEntries, 0)
  opened.evict()
  assert.deepEqual([store.get('good'), store.get('bad')], [1, 2])
  await opened.close()
})

test('rows that are put and not read leave the cache alone, and are there for who reads them then', async () => {
  const { opened, store } = await open(serdes.int32)
  const { cache } = opened.store
  for (let row = 0; row < 1_000; row++) store.put(`key-${row}`, row)
  assert.deepEqual([cache.entries, cache.dirtyEntries, opened.budget.usedBytes], [0, 0, 0])
  // What is not yet in the overlay is to be committed, too.
  assert.equal(opened.store.uncommittedBytes, (1_000 % 256) * (7 + 4))
  opened.store.flush()
  assert.equal(opened.store.uncommittedBytes, 0)
  assert.equal(store.get('key-999'), 999)
  assert.equal(cache.entries, 1)
  store.put('key-999', -1)
  assert.equal(cache.dirtyEntries, 1)
  assert.equal(
    [...store.all()].reduce((sum, { value }) => sum + value, 0),
    (998 * 999) / 2 - 1,
  )
  await opened.close()
})

test('a row that was not read and cannot be serialised is refused when it is put', async () => {
  const { opened, store } = await open(serdes.int32)
  store.put('good', 1)
  assert.throws(() => store.put('bad', 2 ** 40), /store rows: a row could not be written/)
  store.put('other', 2)
  assert.deepEqual(
    [...store.all()],
    [
      { key: 'good', value: 1 },
      { key: 'other', value: 2 },
    ],
  )
  await opened.close()
})

test('no cache is pushed below its share by another', () => {
  const budget = new CacheBudget(400_000)
  const quiet = new ValueCache(budget, () => {})
  const busy = new ValueCache(budget, () => {})
  for (let row = 0; row < 500; row++) add(quiet, row)
  // The quiet one's rows have become old; their 100,000 bytes are less than its half of the budget.
  quiet.rotate()
  for (let row = 0; row < 20_000; row++) {
    add(busy, row)
    budget.trim(busy)
  }
  assert.equal(quiet.entries, 500)
  assert.ok(budget.usedBytes <= budget.limitBytes)
})

function add(cache: ValueCache, row: number): void {
  const key = Buffer.alloc(8)
  key.writeInt32BE(row)
  cache.add(key, 0, 8, row, 'x', 0, 20)
}
