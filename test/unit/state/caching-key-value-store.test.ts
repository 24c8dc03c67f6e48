/** Key-value stores that tell of their changes when they are flushed; test/unit/process/operators has the long sequences. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'

import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { PendingChange } from '../../../src/state/change-buffer.ts'
import type { CachingStore, KeyValueStore } from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import { StoreLaboratory, type TaskStore } from '../../support/task-store.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

const user = (name: string): { readonly user: string } => ({ user: name })

function listen<K>(tested: TaskStore, told: string[]): void {
  const listener = {
    keep: () => {},
    flushed: ({ key, oldValue, newValue }: PendingChange<K, string>) => {
      told.push(`${JSON.stringify(key)} ${oldValue}>${newValue}`)
    },
  }
  assert.ok(tested.store<CachingStore<K, string>>().setFlushListener(listener))
}

/** Keys that the cache shares, and keys of which it has the bytes alone. */
const cases: [string, Serde<unknown>, (name: string) => unknown][] = [
  ['text', serdes.string as Serde<unknown>, (name) => name],
  ['objects', serdes.json<unknown>(), user],
]

for (const [name, serde, keyOf] of cases) {
  test(`keys are ${name}: a change is told once, though its row has left the cache and come back`, async () => {
    const definition = stores.keyValue({
      name: 'rows',
      key: serde,
      value: serdes.string,
      logging: false,
      caching: true,
    })
    const tested = await laboratory.open(definition, 1 << 20)
    const told: string[] = []
    listen(tested, told)
    const store = tested.store<KeyValueStore<unknown, string>>()
    store.put(keyOf('a'), 'one')
    store.put(keyOf('b'), 'two')
    store.put(keyOf('c'), 'three')
    const { cache } = tested.state
    cache.rotate()
    store.put(keyOf('b'), 'four')
    cache.rotate()
    // The rows of a and c have left, that of b has not.
    assert.equal(cache.entries, 1)
    assert.equal(store.get(keyOf('a')), 'one')
    store.put(keyOf('a'), 'five')
    assert.equal(tested.state.pendingChanges.size, 3)
    assert.ok(tested.state.flushChanges(() => false))
    const text = (name: string): string => JSON.stringify(keyOf(name))
    assert.deepEqual(told.splice(0), [
      `${text('c')} null>three`,
      `${text('b')} null>four`,
      `${text('a')} null>five`,
    ])
    assert.equal(tested.state.pendingChanges.bytes, 0)
    store.put(keyOf('a'), 'six')
    assert.ok(tested.state.flushChanges(() => false))
    assert.deepEqual(told, [`${text('a')} five>six`])
    await tested.close()
  })
}
