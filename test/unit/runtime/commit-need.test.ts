import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CommitNeed } from '../../../src/runtime/commit-need.ts'

test('a change is to be committed, once', () => {
  const need = new CommitNeed(false, () => 0)
  assert.equal(need.isThere, false)
  need.changed()
  assert.equal(need.isThere, true)
  need.committed()
  assert.equal(need.isThere, false)
})

test('a quiet task commits every ten minutes when it has state, and never when it has none', () => {
  let nowMs = 5_000
  const [stateful, stateless] = [true, false].map((hasState) => new CommitNeed(hasState, () => nowMs))
  nowMs += 599_999
  assert.equal(stateful!.isThere, false)
  nowMs += 1
  assert.equal(stateful!.isThere, true)
  stateful!.committed()
  assert.equal(stateful!.isThere, false)
  nowMs += 600_000
  assert.equal(stateful!.isThere, true)
  assert.equal(stateless!.isThere, false)
})
