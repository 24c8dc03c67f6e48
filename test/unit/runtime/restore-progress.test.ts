import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { RestoreEvent } from '../../../src/runtime/restore-events.ts'
import { RestoreProgresses } from '../../../src/runtime/restore-progress.ts'

function event(kind: RestoreEvent['kind'], task: string, position: number): RestoreEvent {
  const offsets = { startingOffset: 10, endingOffset: 50, position, records: 0, totalRecords: position - 10 }
  return { kind, task, store: 'counts', topic: 'counts-changelog', partition: 1, ...offsets }
}

test('each store has one restore, its last: those that go on come first', () => {
  const progresses = new RestoreProgresses()
  progresses.observe(event('start', '0_1', 10), 1_000)
  progresses.observe(event('start', '0_2', 10), 1_100)
  progresses.observe(event('batch', '0_1', 30), 1_200)
  progresses.observe(event('batch', '0_2', 50), 1_300)
  progresses.observe(event('end', '0_2', 50), 1_400)
  const figures = (): unknown[] =>
    progresses
      .list()
      .map(({ task, state, position, totalRecords, startedMs, endedMs }) => [
        task,
        state,
        position,
        totalRecords,
        startedMs,
        endedMs,
      ])
  assert.deepEqual(figures(), [
    ['0_1', 'restoring', 30, 20, 1_000, null],
    ['0_2', 'restored', 50, 40, 1_100, 1_400],
  ])
  progresses.observe(event('suspended', '0_1', 30), 1_500)
  assert.deepEqual(figures(), [
    ['0_1', 'suspended', 30, 20, 1_000, 1_500],
    ['0_2', 'restored', 50, 40, 1_100, 1_400],
  ])
  // It comes back, begins anew, and finds that it has all.
  progresses.observe(event('start', '0_1', 10), 1_600)
  assert.deepEqual(figures()[0], ['0_1', 'restoring', 10, 0, 1_600, null])
  progresses.observe(event('end', '0_1', 10), 1_700)
  assert.deepEqual(figures(), [['0_2', 'restored', 50, 40, 1_100, 1_400]])
})

test('of more than a thousand those that have ended are forgotten, and none that goes on', () => {
  const progresses = new RestoreProgresses()
  progresses.observe(event('start', 'first', 10), 0)
  for (let task = 0; task < 2_000; task++) {
    progresses.observe(event('start', `0_${task}`, 10), task)
    progresses.observe(event('batch', `0_${task}`, 50), task)
    progresses.observe(event('end', `0_${task}`, 50), task)
  }
  const tasks = progresses.list().map(({ task }) => task)
  assert.deepEqual([tasks.length, tasks[0], tasks[1]], [1_000, 'first', '0_1999'])
})
