import assert from 'node:assert/strict'
import { test } from 'node:test'

import { RecordRetry } from '../../../src/runtime/record-retry.ts'

test('pauses double from 100 ms to a second, give or take a fifth, until the time is over', () => {
  const retry = new RecordRetry(5_000, 4_000)
  let now = 5_000
  const pauses: number[] = []
  while (retry.isOpen(now)) {
    retry.failed(now)
    pauses.push(retry.dueMs - now)
    now = retry.dueMs
  }
  // The last one ends with the time.
  assert.equal(now, 9_000)
  assert.equal(retry.attempts, pauses.length)
  for (const [index, pause] of pauses.slice(0, -1).entries()) {
    const plain = Math.min(1_000, 100 * 2 ** index)
    assert.ok(pause >= 0.8 * plain && pause <= 1.2 * plain, `pause ${index}: ${pause} ms`)
  }
})

test('a clock that stands still gets no attempt at once for ever', () => {
  const retry = new RecordRetry(0, 10)
  retry.failed(10)
  assert.ok(retry.dueMs > 10)
})
