import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type RestoreEvent, RestoreEvents } from '../../../src/runtime/restore-events.ts'

test('a store begins when its offsets are known, and every record is told once', () => {
  const told: RestoreEvent[] = []
  const stores = [
    { store: 'a', topic: 'a-log' },
    { store: 'b', topic: 'b-log' },
  ]
  const events = new RestoreEvents('0_3', 3, stores, (event) => told.push(event))
  const progress = (restoredRecords: number, begin: number, position: number, end: number) => ({
    restoredRecords,
    begin,
    position,
    end,
  })
  const seen = (): string[] =>
    told
      .splice(0)
      .map(
        ({ kind, store, startingOffset, endingOffset, position, records, totalRecords }) =>
          `${kind} ${store} ${startingOffset}-${endingOffset} at ${position}: ${records}, ${totalRecords} in all`,
      )
  events.progressed([progress(0, -1, -1, -1), progress(0, -1, -1, 10)])
  assert.deepEqual(seen(), [])
  events.progressed([progress(0, 5, 5, 90), progress(7, 2, 10, 10)])
  assert.deepEqual(seen(), [
    'start a 5-90 at 5: 0, 0 in all',
    'start b 2-10 at 2: 0, 0 in all',
    'batch b 2-10 at 10: 7, 7 in all',
  ])
  events.progressed([progress(30, 5, 40, 90), progress(7, 2, 10, 10)])
  events.progressed([progress(60, 5, 90, 90), progress(7, 2, 10, 10)])
  events.finished('end')
  assert.deepEqual(seen(), [
    'batch a 5-90 at 40: 30, 30 in all',
    'batch a 5-90 at 90: 30, 60 in all',
    'end a 5-90 at 90: 0, 60 in all',
    'end b 2-10 at 10: 0, 7 in all',
  ])
  events.finished('suspended')
  assert.deepEqual(seen(), [])
})

test('what never began does not end', () => {
  const told: RestoreEvent[] = []
  const events = new RestoreEvents('0_0', 0, [{ store: 'a', topic: 'log' }], (event) => told.push(event))
  events.progressed([{ restoredRecords: 0, begin: -1, position: -1, end: -1 }])
  events.finished('suspended')
  assert.deepEqual(told, [])
})
