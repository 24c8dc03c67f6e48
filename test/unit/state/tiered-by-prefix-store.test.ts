/** What of a tiered store by prefix the model does not ask (test/model/tiered-prefix-stores.test.ts). */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { RecordBatch } from '../../../src/consume/record-batch.ts'
import { LocalProducer, StateMemory } from '../../../src/native.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'
import { openPrefixTier, RememberingPrefixTier } from '../../support/opened-prefix-tier.ts'
import { smallStateMemory } from '../../support/state-memory.ts'

const memory = StateMemory.acquire(smallStateMemory)
const producer = new LocalProducer()
let folder = ''
let databases = 0

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-prefix-'))
})

after(async () => {
  await producer.close()
  memory.close()
  await rm(folder, { recursive: true })
})

async function open<P>(prefix: Serde<P>, tier: RememberingPrefixTier | null = new RememberingPrefixTier()) {
  const definition = stores.tieredByPrefix({
    name: 'orders',
    prefix,
    rest: serdes.string,
    value: serdes.string,
    prefixRowsMax: 3,
  })
  const opened = await openPrefixTier<P>(definition, path.join(folder, String(databases++)), memory)
  if (tier !== null) opened.store.connect(tier)
  const commit = async (): Promise<void> => {
    opened.store.flush()
    await opened.database.drain(producer)
    await opened.database.commit()
  }
  return { ...opened, commit }
}

const row = (key: string, value: string) => ({ key, value })

test('rows come in the order of their rests, those of a prefix alone, also when they were put before it was loaded', async () => {
  const tier = new RememberingPrefixTier()
  tier.set('ann', 'b', 'tier')
  tier.set('ann', 'd', 'tier')
  tier.set('anna', 'c', 'of another')
  const { store, close } = await open(serdes.string, tier)
  store.put('ann', 'a', 'put')
  store.put('ann', 'b', 'put')
  store.delete('ann', 'd')
  store.put('ann', 'e', '')
  const rows = [row('a', 'put'), row('b', 'put'), row('e', '')]
  assert.deepEqual(await store.load('ann'), rows)
  assert.deepEqual([...store.scan('ann')], rows)
  assert.deepEqual([...store.reverseScan('ann')], rows.toReversed())
  assert.deepEqual([...store.scan('ann').keys()], ['a', 'b', 'e'])
  assert.deepEqual([...store.scan('ann').values()], ['put', 'put', ''])
  assert.deepEqual([store.get('ann', 'b'), store.get('ann', 'd'), store.get('ann', 'x')], ['put', null, null])
  await close()
})

test('what is not here cannot be read, until it is loaded; equal loads are one, and what is empty is known to be', async () => {
  const tier = new RememberingPrefixTier()
  tier.set('a', '1', 'x')
  const { store, commit, close } = await open(serdes.string, tier)
  store.put('b', '1', 'put')
  const notHere = /^Error: store orders: a prefix is not here, but in Cassandra: /
  assert.throws(() => store.scan('a'), notHere)
  assert.throws(() => store.get('a', '1'), notHere)
  assert.throws(() => store.scan('b'), notHere)
  assert.equal(store.get('b', '1'), 'put')
  const loads = [store.load('a'), store.load('a'), store.load('none')]
  assert.deepEqual(await Promise.all(loads), [[row('1', 'x')], [row('1', 'x')], []])
  await commit()
  assert.deepEqual(await store.load('none'), [])
  assert.deepEqual([...store.scan('none')], [])
  assert.deepEqual(tier.reads, ['a', 'none'])
  await close()
})

test('what is put while a prefix is on its way lies over what comes, though it is dropped here meanwhile', async () => {
  const tier = new RememberingPrefixTier()
  for (const rest of ['1', '2', '3']) tier.set('a', rest, 'old')
  const { store, commit, tiers, database, close } = await open(serdes.string, tier)
  let answer = (): void => {}
  tier.gate = new Promise((resolve) => {
    answer = resolve
  })
  store.put('a', '1', 'before')
  const load = store.load('a')
  store.put('a', '2', 'since')
  store.delete('a', '3')
  await commit()
  await tiers.committed(database, 0)
  answer()
  const rows = [row('1', 'before'), row('2', 'since')]
  assert.deepEqual(await load, rows)
  store.cache.discard()
  assert.deepEqual([...store.scan('a')], rows)
  assert.deepEqual([store.get('a', '1'), store.get('a', '3')], ['before', null])
  assert.deepEqual(tier.reads, ['a'])
  await close()
})

test('without a second tier what is not here does not exist', async () => {
  const { store, close } = await open(serdes.string, null)
  store.put('a', '1', 'x')
  assert.deepEqual([...store.scan('a')], [row('1', 'x')])
  assert.deepEqual([[...store.scan('b')], await store.load('b'), store.get('b', '1')], [[], [], null])
  await close()
})

test('a prefix with more rows than may be is told, to loads and to reads', async () => {
  const tier = new RememberingPrefixTier()
  for (const rest of ['1', '2', '3']) tier.set('just', rest, 'x')
  for (const rest of ['1', '2', '3', '4']) tier.set('many', rest, 'x')
  const { store, close } = await open(serdes.string, tier)
  assert.equal((await store.load('just')).length, 3)
  const tooMany =
    /^RangeError: store orders: prefix 0x6d616e79 has more than 3 rows \(prefixRowsMax\) or 16777216 bytes \(prefixBytesMax\): it is not loaded$/
  await assert.rejects(store.load('many'), tooMany)
  assert.throws(() => store.scan('many'), tooMany)
  await close()
})

test('parts of keys that Cassandra does not take, and rows that are too large, are refused', async () => {
  const { store, commit, close } = await open(serdes.string)
  assert.throws(() => store.put('', 'a', 'x'), /a prefix has 0 bytes; Cassandra takes from 1 to 65535/)
  assert.throws(() => store.put('a', '', 'x'), /a rest has 0 bytes; Cassandra takes from 1 to 65535/)
  assert.throws(() => store.scan('k'.repeat(65_536)), /a prefix has 65536 bytes/)
  assert.throws(() => store.put('a', 'k'.repeat(65_536), 'x'), /a rest has 65536 bytes/)
  assert.throws(() => store.put('a', null as never, 'x'), /the rest must not be null/)
  store.put('a', 'a', 'x'.repeat(16 << 20))
  await assert.rejects(commit(), /store orders: a row could not be written: it has \d+ bytes/)
  await close()
})

test('the prefixes of a batch are here until it is done with, also under other bytes', async () => {
  const tier = new RememberingPrefixTier()
  for (const id of [1, 2]) tier.set(`{"id":${id}}`, 'a', `tier ${id}`)
  const { store, commit, tiers, database, close } = await open(serdes.json<{ id: number }>(), tier)
  const batch = new RecordBatch(8, 1024)
  const keys = ['{"id":1}', '{ "id": 1 }', '{"id":2}', '{"id":3}', 'none']
  batch.count = keys.length
  let end = 0
  for (const [index, text] of keys.entries()) {
    batch.keyStart[index] = end
    batch.keyLength[index] = batch.arena.write(text, end)
    end += text.length
  }
  const pin = store.pin()
  await (await store.prepare(batch)).loads
  assert.deepEqual(tier.reads, ['{"id":1}', '{"id":2}', '{"id":3}'])
  for (let round = 0; round < 3; round++) {
    store.put({ id: 3 }, `${round}`, 'put')
    await commit()
    await tiers.committed(database, 0)
    assert.deepEqual([...store.scan({ id: 1 })], [row('a', 'tier 1')])
    assert.equal([...store.scan({ id: 3 })].length, round + 1)
  }
  batch.clear()
  store.cache.unpin(pin)
  await commit()
  await tiers.committed(database, 0)
  assert.throws(() => store.scan({ id: 1 }), /a prefix is not here/)
  assert.equal(tier.reads.length, 3)
  await close()
})

test('a scan that is left open is closed with the record, and one that is closed gives no more', async () => {
  const { store, close } = await open(serdes.string, null)
  store.put('a', '1', 'x')
  store.put('a', '2', 'x')
  const scan = store.scan('a')
  assert.equal(scan.next().value?.key, '1')
  assert.equal(store.openScans.size, 1)
  store.closeScans()
  assert.equal(store.openScans.size, 0)
  assert.equal(scan.next().done, true)
  await close()
})
