import assert from 'node:assert/strict'
import { test } from 'node:test'

import { behindBound, checkBound, mergePositions, positionOf } from '../../../src/query/position.ts'

const inputs = [
  { topic: 'a', partition: 1, offset: 10 },
  { topic: 'b', partition: 1, offset: -1 },
]

test('a position says what was processed, and nothing of what was not', () => {
  assert.deepEqual(positionOf(inputs), { a: { 1: 10 } })
  assert.deepEqual(mergePositions([{ a: { 1: 3, 2: 5 } }, { a: { 1: 4 }, b: { 0: 1 } }, {}]), {
    a: { 1: 4, 2: 5 },
    b: { 0: 1 },
  })
})

test('a bound is fulfilled by what was processed up to it, and concerns its own partitions alone', () => {
  assert.equal(behindBound(inputs, {}), null)
  assert.equal(behindBound(inputs, { a: { 1: 10, 2: 99 } }), null)
  assert.equal(behindBound(inputs, { a: { 1: 11 } }), inputs[0])
  assert.equal(behindBound(inputs, { b: { 1: 0 } }), inputs[1])
})

test('a bound that is none is one line', () => {
  const topics = new Set(['a', 'b'])
  assert.deepEqual(checkBound({ a: { 0: 1 } }, topics, 's'), { a: { 0: 1 } })
  const allowed = {
    code: 'query-invalid',
    message: 'a position bound is { topic: { partition: offset } }, with whole numbers from 0',
  }
  for (const wrong of [
    null,
    1,
    [],
    { a: 1 },
    { a: { x: 1 } },
    { a: { 0: -1 } },
    { a: { 0: 0.5 } },
    { a: { 0: '1' } },
  ])
    assert.throws(() => checkBound(wrong, topics, 's'), allowed, JSON.stringify(wrong))
  assert.throws(() => checkBound({ c: { 0: 1 } }, topics, 's'), {
    code: 'query-invalid',
    message: 'the position bound names c; store s is made of a, b',
  })
})
