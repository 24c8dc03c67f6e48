import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { FORGIVEN_AFTER_MS, ThreadReplacements } from '../../../src/runtime/thread-replacements.ts'

describe('ThreadReplacements', () => {
  test('come ever more slowly, and not for ever', () => {
    const replacements = new ThreadReplacements(8)
    const delays = Array.from({ length: 9 }, (_, second) => replacements.next(second * 1_000))
    assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, null])
    assert.equal(replacements.count, 8)
  })

  test('are forgiven when all tasks have run for long enough', () => {
    const replacements = new ThreadReplacements(2)
    assert.deepEqual([replacements.next(0), replacements.next(0), replacements.next(0)], [100, 200, null])
    replacements.running(true, 1_000)
    replacements.running(true, 2_000)
    assert.equal(replacements.next(1_000 + FORGIVEN_AFTER_MS), 100)
    assert.equal(replacements.count, 1)
  })

  test('a failure that comes after a long restore counts, however long ago the last was', () => {
    const replacements = new ThreadReplacements(2)
    replacements.next(0)
    // Restoring for an hour, then a moment of running.
    replacements.running(false, 1_000)
    replacements.running(true, 3_600_000)
    assert.equal(replacements.next(3_600_001), 200)
    replacements.running(true, 7_200_000)
    assert.equal(replacements.next(7_200_001), null)
  })

  test('a rebalance in between does not begin the time anew once it has passed', () => {
    const replacements = new ThreadReplacements(1)
    replacements.next(0)
    replacements.running(true, 0)
    replacements.running(false, FORGIVEN_AFTER_MS)
    assert.equal(replacements.next(FORGIVEN_AFTER_MS + 1), 100)
  })
})
