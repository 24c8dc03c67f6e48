import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import { readOnlyView, valueView } from '../../../src/state/read-only-view.ts'
import type { ReadOnlyKeyValueStore, TimestampedKeyValueStore } from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import { OpenedStore, StoreServices } from '../../support/opened-store.ts'

test('views read what the store reads, as it stands, and cannot change it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-view-'))
  await using services = new StoreServices(folder)
  const definition = stores.timestampedKeyValue({
    name: 'rows',
    key: serdes.string,
    value: serdes.int32,
    logging: false,
  })
  const opened = await OpenedStore.open(services, definition, 1 << 20)
  const store = opened.store as unknown as TimestampedKeyValueStore<string, number>
  const whole = readOnlyView(store)
  const values = valueView(store)
  for (const [index, key] of ['a', 'ab', 'b', 'c'].entries()) store.update(key, index, 10 + index)
  await opened.commit()
  store.update('b', 7, 20)

  assert.equal(values.name, 'rows')
  assert.deepEqual(whole.get('b'), { value: 7, timestamp: 20 })
  assert.equal(values.get('b'), 7)
  assert.equal(values.get('x'), null)
  const scans: ((view: ReadOnlyKeyValueStore<string, unknown>) => Iterable<unknown>)[] = [
    (view) => view.all(),
    (view) => view.reverseAll(),
    (view) => view.range('ab', 'b'),
    (view) => view.reverseRange(null, 'b'),
    (view) => view.prefixScan('a', serdes.string),
  ]
  const rows = [
    { key: 'a', value: { value: 0, timestamp: 10 } },
    { key: 'ab', value: { value: 1, timestamp: 11 } },
    { key: 'b', value: { value: 7, timestamp: 20 } },
    { key: 'c', value: { value: 3, timestamp: 13 } },
  ]
  const expected = [rows, rows.toReversed(), rows.slice(1, 3), rows.slice(0, 3).reverse(), rows.slice(0, 2)]
  for (const [index, scan] of scans.entries()) {
    assert.deepEqual([...scan(whole)], expected[index])
    assert.deepEqual(
      [...scan(values)],
      expected[index]!.map(({ key, value }) => ({ key, value: value.value })),
    )
  }
  assert.ok(values.approximateEntryCount() >= 4)
  for (const view of [whole, values]) {
    for (const method of ['put', 'delete', 'putIfAbsent', 'update']) assert.ok(!(method in view), method)
  }
  {
    using open = values.all()
    open.next()
    assert.equal(opened.store.openScans.size, 1)
  }
  assert.equal(opened.store.openScans.size, 0)
  await opened.close()
  await rm(folder, { recursive: true })
})
