import assert from 'node:assert/strict'
import test from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import { stores } from '../../../src/topology/stores.ts'

const common = { name: 's', key: serdes.string, value: serdes.string }

test('segments are half of the retention, and at least a minute', () => {
  const intervals = [0, 60_000, 120_000, 120_001, 300_000, 3_600_000].map(
    (retentionMs) => stores.session({ ...common, retentionMs }).windows!.segmentIntervalMs,
  )
  assert.deepEqual(intervals, [60_000, 60_000, 60_000, 60_000, 150_000, 1_800_000])
})

test('rows are kept in memory when that is asked for', () => {
  const options = { ...common, retentionMs: 10, windowSizeMs: 10 }
  const { inMemory: _, ...onDisk } = stores.window({ ...options, inMemory: true })
  assert.deepEqual(stores.window(options), onDisk)
  assert.deepEqual(
    [
      stores.window({ ...options, inMemory: true }),
      stores.timestampedWindow({ ...options, inMemory: true }),
      stores.session({ ...common, retentionMs: 10, inMemory: true }),
    ].map(({ inMemory }) => inMemory),
    [true, true, true],
  )
  assert.throws(
    () => stores.session({ ...common, retentionMs: 10, inMemory: 'yes' as unknown as boolean }),
    /store s: inMemory must be true or false, not a string/,
  )
})

test('a window store keeps the last value of a window, unless it retains duplicates', () => {
  const options = { ...common, retentionMs: 10, windowSizeMs: 10 }
  const { type, windows } = stores.window(options)
  assert.deepEqual([type, windows!.retainDuplicates], ['window', false])
  assert.equal(
    stores.timestampedWindow({ ...options, retainDuplicates: true }).windows!.retainDuplicates,
    true,
  )
})
