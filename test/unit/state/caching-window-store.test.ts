/** Window and session stores that tell of their changes when they are flushed; test/unit/process/operators has the long sequences. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import type { PendingChange } from '../../../src/state/change-buffer.ts'
import type {
  CachingStore,
  SessionStore,
  TimestampedWindowStore,
  Windowed,
} from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import { StoreLaboratory, type TaskStore } from '../../support/task-store.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

const common = { name: 'windows', key: serdes.string, value: serdes.string, logging: false, caching: true }
/** Segments of a minute. */
const windows = stores.timestampedWindow({ ...common, retentionMs: 120_000, windowSizeMs: 10_000 })
const sessions = stores.session({ ...common, retentionMs: 120_000 })

/** Makes the store tell `told`, as `key@start-end old>new`. */
function listen(tested: TaskStore, told: string[]): void {
  const listener = {
    keep: () => {},
    flushed: ({ key: { key, window }, oldValue, newValue }: PendingChange<Windowed<string>, string>) => {
      told.push(`${key}@${window.start}-${window.end} ${oldValue}>${newValue}`)
    },
  }
  assert.ok(tested.store<CachingStore<Windowed<string>, string>>().setFlushListener(listener))
}

function flush(tested: TaskStore, told: string[]): string[] {
  assert.ok(tested.state.flushChanges(() => false))
  return told.splice(0)
}

test("a window's last change is told, with the value of the last time, in the order of the last changes", async () => {
  const tested = await laboratory.open(windows, 1 << 20)
  const told: string[] = []
  listen(tested, told)
  const store = tested.store<TimestampedWindowStore<string, string>>()
  store.update('a', 'one', 1, 0)
  store.update('b', 'two', 2, 0)
  store.update('a', 'three', 3, 10_000)
  store.update('a', 'four', 4, 0)
  store.update('c', 'gone', 5, 0)
  store.update('c', null, 6, 0)
  assert.equal(tested.state.pendingChanges.size, 4)
  assert.deepEqual(flush(tested, told), [
    'b@0-10000 null>two',
    'a@10000-20000 null>three',
    'a@0-10000 null>four',
  ])
  await tested.commit()
  store.update('a', 'five', 7, 0)
  store.update('b', null, 8, 0)
  assert.deepEqual(flush(tested, told), ['a@0-10000 four>five', 'b@0-10000 two>null'])
  assert.deepEqual(flush(tested, told), [])
  await tested.close()
})

test('an abort leaves nothing to tell', async () => {
  const tested = await laboratory.open(sessions, 1 << 20)
  const told: string[] = []
  listen(tested, told)
  const store = tested.store<SessionStore<string, string>>()
  store.put({ key: 'a', window: { start: 5, end: 9 } }, 'one')
  assert.equal(tested.state.pendingChanges.size, 1)
  tested.discard()
  assert.deepEqual(flush(tested, told), [])
  assert.equal(tested.state.pendingChanges.bytes, 0)
  store.put({ key: 'a', window: { start: 5, end: 9 } }, 'two')
  assert.deepEqual(flush(tested, told), ['a@5-9 null>two'])
  await tested.close()
})

test('a session that has expired when it is told has no old value, and its deletion is not told', async () => {
  const tested = await laboratory.open(sessions, 1 << 20)
  const told: string[] = []
  listen(tested, told)
  const store = tested.store<SessionStore<string, string>>()
  const at = (key: string, time: number): Windowed<string> => ({ key, window: { start: time, end: time } })
  for (const key of ['a', 'b', 'c']) store.put(at(key, 1000), key)
  flush(tested, told)
  store.put(at('a', 1000), null)
  store.put(at('late', 121_000), 'late')
  store.put(at('b', 1000), 'changed')
  store.remove(at('c', 1000))
  assert.deepEqual(flush(tested, told), [
    'a@1000-1000 a>null',
    'late@121000-121000 null>late',
    'b@1000-1000 null>changed',
  ])
  await tested.close()
})

test('a window whose segment has gone is told, but not kept', async () => {
  const tested = await laboratory.open(windows, 1 << 20)
  const told: string[] = []
  listen(tested, told)
  const store = tested.store<TimestampedWindowStore<string, string>>()
  store.update('a', 'one', 1, 600_000)
  store.update('a', 'old', 2, 0)
  assert.equal(tested.expired, 1)
  assert.deepEqual(flush(tested, told), ['a@600000-610000 null>one', 'a@0-10000 null>old'])
  assert.equal(store.peek('a', 0), null)
  assert.equal(tested.state.cache.dirtyEntries, 1)
  await tested.close()
})

test('a store that retains duplicates has no caching', () => {
  assert.throws(
    () => stores.window({ ...common, retentionMs: 10, windowSizeMs: 10, retainDuplicates: true }),
    { message: 'store windows: caching is given, but a store that retains duplicates has no last change' },
  )
})
