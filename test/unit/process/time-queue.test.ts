import assert from 'node:assert/strict'
import { test } from 'node:test'

import { TimeQueue } from '../../../src/process/time-queue.ts'
import { Random } from '../../support/seed.ts'

test('gives the smallest first, however it was filled', () => {
  const random = new Random()
  for (let round = 0; round < 200; round++) {
    const queue = new TimeQueue<number>((value) => value)
    const waiting: number[] = []
    for (let step = 0; step < 60; step++) {
      if (waiting.length > 0 && random.below(3) === 0) {
        waiting.sort((a, b) => a - b)
        assert.equal(queue.take(), waiting.shift(), `seed ${random.seed}`)
      } else {
        const value = random.below(10)
        queue.add(value)
        waiting.push(value)
      }
      assert.equal(queue.size, waiting.length)
    }
  }
})

test('is empty after its last', () => {
  const queue = new TimeQueue<number>((value) => value)
  assert.equal(queue.take(), undefined)
  queue.add(1)
  assert.equal(queue.take(), 1)
  assert.equal(queue.take(), undefined)
})

/** What java.util.PriorityQueue gives of five equals, added in order. */
test("gives equals in java.util.PriorityQueue's order", () => {
  const queue = new TimeQueue<string>(() => 0)
  for (const name of ['a', 'b', 'c', 'd', 'e']) queue.add(name)
  assert.deepEqual(
    Array.from({ length: 5 }, () => queue.take()),
    ['a', 'e', 'd', 'c', 'b'],
  )
})
