/** Session stores over the real database; test/model has the random sequences. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'

import { serdes } from '../../../src/serde/serdes.ts'
import type { SessionStore } from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import { StoreLaboratory } from '../../support/task-store.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

/** Segments of a minute. */
const definition = stores.session({
  name: 'sessions',
  key: serdes.string,
  value: serdes.string,
  retentionMs: 120_000,
})

test('wrong arguments are refused in one line that names the store', async () => {
  const tested = await laboratory.open(definition, 1 << 20)
  const store = tested.store<SessionStore<string | null, string>>()
  const session = (start: number, end: number) => ({ key: 'a', window: { start, end } })
  assert.throws(() => store.put(session(2, 1), 'v'), {
    name: 'RangeError',
    message: 'store sessions: a session must not start (2) after its end (1)',
  })
  assert.throws(
    () => store.put(session(-1, 1), 'v'),
    /^RangeError: store sessions: the session's start must be a whole number of milliseconds from 0, not -1$/,
  )
  assert.throws(() => store.remove(session(0, 0.5)), /store sessions: the session's end must be a whole/)
  assert.throws(
    () => store.put({ key: null, window: { start: 0, end: 1 } }, 'v'),
    /^TypeError: store sessions: the key must not be null$/,
  )
  assert.throws(() => store.fetch(null), /store sessions: the key must not be null/)
  await tested.close()
})
