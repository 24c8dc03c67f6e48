/** What of a tiered store the model does not ask (test/model/tiered-stores.test.ts). */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { RecordBatch } from '../../../src/consume/record-batch.ts'
import { LocalProducer, StateMemory } from '../../../src/native.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { Prefetch } from '../../../src/state/prefetch.ts'
import type { TieredKeyValueStore } from '../../../src/state/store.ts'
import type { ValueCache } from '../../../src/state/value-cache.ts'
import { stores } from '../../../src/topology/stores.ts'
import { openTier, RememberingTier } from '../../support/opened-tier.ts'
import { smallStateMemory } from '../../support/state-memory.ts'

const memory = StateMemory.acquire(smallStateMemory)
const producer = new LocalProducer()
let folder = ''
let databases = 0

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-tier-'))
})

after(async () => {
  await producer.close()
  memory.close()
  await rm(folder, { recursive: true })
})

async function open<K>(key: Serde<K>, tier: RememberingTier | null = new RememberingTier()) {
  const definition = stores.tieredKeyValue({ name: 'counts', key, value: serdes.string })
  const opened = await openTier(definition, path.join(folder, String(databases++)), memory)
  if (tier !== null) opened.store.connect(tier)
  const commit = async (): Promise<void> => {
    opened.store.flush()
    await opened.database.drain(producer)
    await opened.database.commit()
  }
  return { ...opened, commit, tier, store: opened.store as unknown as TieredKeyValueStore<K, string> }
}

/** Nothing is in the cache any more. */
function forget(store: object): void {
  const { cache } = store as { readonly cache: ValueCache }
  for (let generation = 0; generation < 2; generation++) cache.rotate()
}

test('an empty value is there, a deleted one is not; neither is asked for again', async () => {
  const { store, tier, commit, tiers, database, close } = await open(serdes.string)
  assert.equal(await store.load('a'), null)
  store.put('a', '')
  store.put('b', 'x')
  await commit()
  await tiers.committed(database, 0)
  assert.equal(store.get('a'), '')
  assert.equal(store.delete('b'), 'x')
  await commit()
  assert.equal(store.get('b'), null)
  assert.equal(store.putIfAbsent('b', 'y'), null)
  assert.equal(store.putIfAbsent('b', 'z'), 'y')
  assert.deepEqual(tier?.reads, ['a'])
  await close()
})

test('what is not here cannot be read, until it is loaded; equal loads are one', async () => {
  const tier = new RememberingTier()
  tier.write(Buffer.from('a'), { value: Buffer.from('1'), timestampMs: 5 })
  const { store, close } = await open(serdes.string, tier)
  assert.throws(() => store.get('a'), /^Error: store counts: a row is not here, but in Cassandra: /)
  assert.deepEqual(await Promise.all([store.load('a'), store.load('a'), store.load('b')]), ['1', '1', null])
  assert.deepEqual([store.get('a'), store.get('b')], ['1', null])
  assert.deepEqual(tier.reads, ['a', 'b'])
  await close()
})

test('what was loaded does not come to light when what was put is dropped here', async () => {
  const tier = new RememberingTier()
  tier.write(Buffer.from('a'), { value: Buffer.from('old'), timestampMs: 5 })
  const { store, commit, tiers, database, close } = await open(serdes.string, tier)
  assert.equal(await store.load('a'), 'old')
  await commit()
  store.put('a', 'new')
  await commit()
  await tiers.committed(database, 0)
  forget(store)
  assert.equal(await store.load('a'), 'new')
  await close()
})

test('a row that comes after its key was put is not kept', async () => {
  const tier = new RememberingTier()
  tier.write(Buffer.from('a'), { value: Buffer.from('old'), timestampMs: 5 })
  const { store, close } = await open(serdes.string, tier)
  let come = (): void => {}
  tier.gate = new Promise((resolve) => {
    come = resolve
  })
  const loading = store.load('a')
  store.put('a', 'new')
  forget(store)
  come()
  await loading
  assert.equal(store.get('a'), 'new')
  await close()
})

test('without a second tier what is not here does not exist', async () => {
  const { store, close } = await open(serdes.string, null)
  assert.deepEqual([store.get('a'), await store.load('a')], [null, null])
  await close()
})

test('scans, and keys and values that Cassandra does not take, are refused', async () => {
  const { store, commit, close } = await open(serdes.string)
  for (const scan of ['range', 'reverseRange', 'all', 'reverseAll', 'prefixScan', 'approximateEntryCount'])
    assert.throws(
      () => (store as unknown as Record<string, () => void>)[scan]!(),
      /^TypeError: \w+ of store counts: a tiered store has a part of its rows here/,
    )
  assert.throws(() => store.put('', 'x'), /a key has 0 bytes; Cassandra takes from 1 to 65535/)
  assert.throws(() => store.get('k'.repeat(65_536)), /a key has 65536 bytes/)
  store.put('a', 'x'.repeat(16 << 20))
  await assert.rejects(
    commit(),
    /store counts: a row could not be written: it has \d+ bytes; Cassandra takes up to/,
  )
  await close()
})

test('a batch has its rows from what was put, what was loaded and the second tier, also under other bytes', async () => {
  const tier = new RememberingTier()
  for (const id of [1, 2, 3])
    tier.write(Buffer.from(`{"id":${id}}`), { value: Buffer.from(`tier ${id}`), timestampMs: 5 })
  const { store, commit, database, close } = await open(serdes.json<{ id: number }>(), tier)
  store.put({ id: 1 }, 'put')
  assert.equal(await store.load({ id: 2 }), 'tier 2')
  await commit()
  const prefetching = store as unknown as Parameters<Prefetch['land']>[1] & { readonly lowerIndex: number }
  prefetching.cache.discard()
  const keys = ['{"id":1}', '{"id":2}', '{"id":3}', '{ "id": 3 }', '{"id":4}', '{"id":4}', 'none']
  const batch = new RecordBatch(8, 1024)
  batch.count = keys.length
  let end = 0
  for (const [index, text] of keys.entries()) {
    batch.keyStart[index] = end
    batch.keyLength[index] = batch.arena.write(text, end)
    end += text.length
  }
  const pin = prefetching.pin()
  const prefetch = new Prefetch(batch.capacity)
  prefetch.collect(batch, prefetching)
  const rows = await prefetch.start(database, 0, batch, prefetching.lowerIndex)
  await prefetch.awaits(batch, prefetching, rows)
  prefetch.land(batch, prefetching, rows)
  assert.deepEqual(
    prefetch.entries.slice(0, keys.length).map((entry) => entry?.value),
    ['put', 'tier 2', 'tier 3', undefined, null, null, undefined],
  )
  assert.equal(store.get({ id: 3 }), 'tier 3')
  assert.deepEqual(tier.reads, ['{"id":2}', '{"id":3}', '{"id":4}'])
  prefetching.cache.unpin(pin)
  await close()
})
