import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DeserializationError } from '../../../src/consume/deserialization.ts'
import { TaskClock } from '../../../src/process/task-clock.ts'
import { processingFailed, recordFailed } from '../../../src/runtime/task-failure.ts'

const clock = new TaskClock(() => 0)
clock.topic = 'events'
clock.partition = 3
clock.offset = 42
clock.node = 'COUNT'

test('a failure names the record, and the processor that ran', () => {
  const cause = new TypeError('no such field')
  const failure = recordFailed(clock, cause)
  assert.equal(failure.code, 'processing-failed')
  assert.equal(failure.message, 'events partition 3 offset 42, processor COUNT: no such field')
  assert.equal(failure.cause, cause)
})

test('bytes that are no record of the serde are a failure of their own', () => {
  const cause = new DeserializationError('value: 3 bytes')
  const failure = recordFailed(clock, cause)
  assert.equal(failure.code, 'deserialization-failed')
  assert.equal(failure.message, 'events partition 3 offset 42: value: 3 bytes')
})

test('a failure outside of records names what failed', () => {
  const failure = processingFailed('task 0_1, processor TICK', 'a string was thrown')
  assert.equal(failure.code, 'processing-failed')
  assert.equal(failure.message, 'task 0_1, processor TICK: a string was thrown')
})
