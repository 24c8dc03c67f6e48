/** Window stores over the real database; test/model has the random sequences. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import type { TimestampedWindowStore, WindowStore } from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { StoreLaboratory } from '../../support/task-store.ts'
import { scanRows } from '../native/rows.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

const WINDOW_SIZE_MS = 10_000
/** Segments of a minute. */
const RETENTION_MS = 120_000

function definition(options: { retainDuplicates?: boolean; plainKeys?: boolean } = {}): StoreDefinition {
  return stores.window({
    name: 'windows',
    // Without `primitive` the store's keys are compared by their bytes.
    key: options.plainKeys === false ? { ...serdes.string, primitive: false } : serdes.string,
    value: serdes.string,
    retentionMs: RETENTION_MS,
    windowSizeMs: WINDOW_SIZE_MS,
    retainDuplicates: options.retainDuplicates ?? false,
  })
}

const timestamped = stores.timestampedWindow({
  name: 'windows',
  key: serdes.string,
  value: serdes.string,
  retentionMs: RETENTION_MS,
  windowSizeMs: WINDOW_SIZE_MS,
})

test('of a window with duplicates, fetch finds what was put last', async () => {
  const tested = await laboratory.open(definition({ retainDuplicates: true }), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  store.put('a', 'one', 0)
  store.put('a', 'two', 0)
  assert.equal(store.fetch('a', 0), 'two')
  store.put('b', 'three', 0)
  assert.equal(store.fetch('a', 0), null)
  store.put('b', null, 0)
  assert.deepEqual(
    [...store.fetch('a', 0, 0)].map((row) => row.value),
    ['one', 'two'],
  )
  await tested.close()
})

test('duplicates that are put after a restart, or on another disk, do not replace earlier ones', async () => {
  const tested = await laboratory.open(definition({ retainDuplicates: true }), 1 << 20)
  const values = (): string[] =>
    [...tested.store<WindowStore<string, string>>().fetch('a', 0, 0)].map((row) => row.value)
  for (const value of ['one', 'two']) tested.store<WindowStore<string, string>>().put('a', value, 0)
  await tested.commit()
  await tested.reopen()
  tested.store<WindowStore<string, string>>().put('a', 'three', 0)
  await tested.commit()
  await tested.crash()
  tested.store<WindowStore<string, string>>().put('a', 'four', 0)
  assert.deepEqual(values(), ['one', 'two', 'three', 'four'])
  await tested.close()
})

test('a changelog that is long enough for a bulk restore is restored, without what has expired', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  const count = 51_000
  for (let index = 0; index < count; index++) {
    // Ten windows, of which the last two minutes are seen at the end.
    store.put(`k${index % 5_100}`, 'v', Math.floor(index / 5_100) * 30_000)
    if (index % 1_000 === 999) await tested.commit()
  }
  await tested.commit()
  const rows = (): unknown[] => [...tested.store<WindowStore<string, string>>().all()]
  const before = rows()
  assert.equal(before.length, 4 * 5_100)
  await tested.crash()
  assert.deepEqual(rows(), before)
  await tested.close()
})

test('a timestamped window store shows its rows without a copy', async () => {
  const tested = await laboratory.open(timestamped, 1 << 20)
  const store = tested.store<TimestampedWindowStore<string, string>>()
  assert.equal(store.peek('a', 5), null)
  store.update('a', 'one', 1_700_000_000_123, 5)
  assert.deepEqual(store.fetch('a', 5), { value: 'one', timestamp: 1_700_000_000_123 })
  assert.equal(store.peek('a', 5)?.value, 'one')
  store.update('a', null, 1, 5)
  assert.equal(store.peek('a', 5), null)
  await tested.close()
})

for (const inMemory of [false, true]) {
  test(`expired windows are counted, and take no room ${inMemory ? 'in memory' : 'on disk'}`, async () => {
    const tested = await laboratory.open({ ...definition(), inMemory }, 1 << 20)
    const store = tested.store<WindowStore<string, string>>()
    const big = 'v'.repeat(1000)
    for (let minute = 0; minute < 60; minute++) {
      for (let index = 0; index < 50; index++) store.put(`key-${index}`, big, minute * 60_000)
      await tested.commit()
      await tested.database.flush()
    }
    store.put('late', big, 0)
    assert.equal(tested.expired, 1)
    assert.equal([...store.all()].length, 100)
    // The database has the rows of three minutes, whatever else its files hold.
    assert.equal(scanRows(tested.database, 0, null, null, false, 256, 1 << 20).length, 150)
    await tested.close()
  })
}

test('a scan is closed by using, forgotten by its store, and ends with an error after a commit', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  for (const start of [0, 60_000, 120_000]) store.put('a', 'v', start)
  {
    using rows = store.fetch('a', 0, 200_000)
    rows.next()
    assert.equal(tested.state.openScans.size, 1)
  }
  assert.equal(tested.state.openScans.size, 0)
  const [fresh, begun, between] = [0, 0, 0].map(() => store.fetch('a', 0, 200_000))
  begun!.next()
  for (let index = 0; index < 1; index++) between!.next()
  await tested.commit()
  for (const rows of [fresh, begun, between]) assert.throws(() => [...rows!], { code: 'closed' })
  tested.state.closeScans()
  assert.equal(tested.state.openScans.size, 0)
  await tested.close()
})

test('wrong arguments are refused in one line that names the store', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string | null, string>>()
  assert.throws(() => store.put(null, 'v', 0), /^TypeError: store windows: the key must not be null$/)
  assert.throws(() => store.fetch(null, 0), /store windows: the key must not be null/)
  assert.throws(() => store.fetch(null, 0, 1), /store windows: the key must not be null/)
  for (const start of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => store.put('a', 'v', start),
      new RegExp(
        `^RangeError: store windows: the window's start must be a whole number of milliseconds from 0, not ${start}$`,
      ),
    )
  }
  assert.throws(() => store.fetch('a', Number.NaN, 0), /store windows: times must be numbers/)
  assert.equal([...store.fetch('a', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)].length, 0)
  await tested.close()
})
