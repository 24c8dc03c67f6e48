/** What a stream thread reads of a database that another one writes, against a map of what was committed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import { LocalProducer, StateMemory, TaskDatabase } from '../../../../src/native.ts'
import { globalDefinition } from '../../../../src/runtime/global/definition.ts'
import { GlobalStores } from '../../../../src/runtime/global/global-stores.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { CacheBudget } from '../../../../src/state/cache-budget.ts'
import { openStore } from '../../../../src/state/open-store.ts'
import { OverlayWriter } from '../../../../src/state/overlay-writer.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../../../src/state/store.ts'
import { stores } from '../../../../src/topology/stores.ts'
import { Random } from '../../../support/seed.ts'
import { smallStateMemory } from '../../../support/state-memory.ts'

const text = { key: serdes.string, value: serdes.string }
const topology = defineTopology((builder) => {
  builder.globalTable('rows', { ...text, store: 'rows', inMemory: true })
  builder.addGlobalStore(stores.keyValue({ name: 'plain', ...text }), 'plain', text, () => ({ process() {} }))
}).build()

test('a thread reads what was committed, whatever it has read before, and changes nothing', async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await using resources = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-global-'))
  resources.defer(() => rm(folder, { recursive: true }))
  const memory = StateMemory.acquire(smallStateMemory)
  resources.defer(async () => memory.close())
  const producer = new LocalProducer()
  resources.defer(() => producer.close())
  const { stores: definitions } = globalDefinition(topology)
  const database = await TaskDatabase.open(memory, {
    path: folder,
    partition: 0,
    stores: definitions.map(({ name, type }) => ({
      name,
      timestamped: type === 'timestamped-key-value',
      changelogTopic: null,
    })),
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
  })
  resources.defer(() => database.close())
  const version = new SharedArrayBuffer(4)
  const written = definitions.map((definition, index) =>
    openStore(definition, {
      database,
      index,
      budget: new CacheBudget(1 << 20),
      overlayWriter: new OverlayWriter(),
      recordTimestamp: () => 7,
      onOverlayBytes: () => {},
    }),
  )
  const [rows, plain] = written as unknown as [
    TimestampedKeyValueStore<string, string>,
    KeyValueStore<string, string>,
  ]
  const handle = { databaseId: database.share(), version }
  const budget = new CacheBudget(10_000)
  const global = new GlobalStores(topology, handle, budget, new OverlayWriter())
  resources.defer(() => global.close())
  const readRows = global.stores.get('rows') as TimestampedKeyValueStore<string, string>
  const readPlain = global.stores.get('plain') as KeyValueStore<string, string>
  assert.deepEqual([...global.stores.keys()], ['rows', 'plain'])

  const committed = new Map<string, string>()
  const check = (): void => {
    for (let i = 0; i < 20; i++) {
      const key = `k${random.below(100)}`
      assert.equal(readRows.peek(key)?.value ?? null, committed.get(key) ?? null, `seed ${random.seed}`)
      assert.equal(readPlain.get(key), committed.get(key) ?? null, `seed ${random.seed}`)
    }
    const [from, to] = [`k${random.below(100)}`, `k${random.below(100)}`].sort() as [string, string]
    const expected = [...committed.entries()].filter(([key]) => key >= from && key <= to).sort()
    assert.deepEqual(
      [...readPlain.range(from, to)].map(({ key, value }) => [key, value]),
      expected.sort(([a], [b]) => (a < b ? -1 : 1)),
      `seed ${random.seed}`,
    )
    // Left open: ended by the turn.
    readRows.all().next()
  }
  const counter = new Int32Array(version)
  for (let round = 0; round < 200; round++) {
    const changes = new Map<string, string | null>()
    for (let i = random.below(20); i > 0; i--) {
      const [key, value] = [`k${random.below(100)}`, random.below(4) === 0 ? null : `v${round}-${i}`]
      changes.set(key, value)
      rows.update(key, value, round)
      plain.put(key, value)
    }
    check()
    Atomics.add(counter, 0, 1)
    for (const store of written) store.flush()
    await database.drain(producer)
    check()
    await database.commit()
    for (const [key, value] of changes) value === null ? committed.delete(key) : committed.set(key, value)
    // The write is done, and not yet told: what was remembered is not used.
    check()
    Atomics.add(counter, 0, 1)
    check()
    global.endTurn()
    assert.ok(budget.usedBytes <= budget.limitBytes)
    assert.equal(memory.usage().scans, 0)
  }
  assert.throws(() => readPlain.put('a', 'b'), {
    name: 'TypeError',
    message: 'put of store plain: it is a global store, which only its own processor changes',
  })
})
