import assert from 'node:assert/strict'
import test from 'node:test'

import { PunctuationQueue } from '../../../src/process/punctuation.ts'

function run(queue: PunctuationQueue, nowMs: number): number[] {
  const at: number[] = []
  queue.run(nowMs, (_node, punctuator, timestamp) => {
    punctuator(timestamp)
    at.push(timestamp)
  })
  return at
}

test('a punctuator runs once when due, however many intervals were missed, then at the next multiple', () => {
  const queue = new PunctuationQueue('stream-time')
  queue.add('node', 10, 0, () => {})
  assert.deepEqual(run(queue, 0), [0])
  assert.equal(queue.nextMs, 10)
  assert.deepEqual(run(queue, 9), [])
  assert.deepEqual(run(queue, 35), [35])
  assert.equal(queue.nextMs, 40)
})

test('a cancelled punctuator does not run, not even in the same round', () => {
  const queue = new PunctuationQueue('wall-clock-time')
  const ran: string[] = []
  queue.add('a', 10, 0, () => {
    ran.push('a')
    second.cancel()
  })
  const second = queue.add('b', 10, 0, () => ran.push('b'))
  run(queue, 5)
  assert.deepEqual(ran, ['a'])
  assert.equal(queue.nextMs, 10)
})

test('those that are due run in order of their times', () => {
  const queue = new PunctuationQueue('stream-time')
  const ran: string[] = []
  queue.add('a', 30, 0, () => ran.push('a'))
  queue.add('b', 10, 0, () => ran.push('b'))
  run(queue, 5)
  run(queue, 50)
  assert.deepEqual(ran, ['a', 'b', 'b', 'a'])
})

test('one that a punctuator adds runs in the same round when it is due', () => {
  const queue = new PunctuationQueue('stream-time')
  const ran: string[] = []
  const first = queue.add('a', 10, 0, () => {
    ran.push('a')
    first.cancel()
    queue.add('b', 20, 0, () => ran.push('b'))
  })
  run(queue, 5)
  assert.deepEqual(ran, ['a', 'b'])
  assert.equal(queue.nextMs, 20)
})

test('an interval below one millisecond is refused with the processor named', () => {
  const queue = new PunctuationQueue('stream-time')
  assert.throws(() => queue.add('totals', 0, 0, () => {}), /processor totals: schedule: intervalMs is 0/)
})
