import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { RestoreEvent } from '../../../src/runtime/restore-events.ts'
import { RestoreObserver } from '../../../src/runtime/restore-listener.ts'
import { startApplication } from '../../../src/runtime/start-application.ts'

const event: RestoreEvent = {
  kind: 'start',
  task: '0_1',
  store: 'counts',
  topic: 'counts-changelog',
  partition: 1,
  startingOffset: 10,
  endingOffset: 50,
  position: 10,
  records: 0,
  totalRecords: 0,
}
const batch = (position: number, records: number): RestoreEvent => ({
  ...event,
  kind: 'batch',
  position,
  records,
  totalRecords: position - 10,
})

test('a restore is told to the listener as it goes, and to the log when it begins, lasts, and ends', async () => {
  let nowMs = 0
  const lines: string[] = []
  const log = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`)
  const calls: unknown[][] = []
  const observer = new RestoreObserver(
    { debug: log, info: log, warn: log, error: log },
    {
      onRestoreStart: (...values) => void calls.push(['start', ...values]),
      onBatchRestored: (...values) => void calls.push(['batch', ...values]),
      onRestoreSuspended: (...values) => void calls.push(['suspended', ...values]),
    },
    () => nowMs,
  )
  observer.observe(event)
  nowMs = 9_999
  observer.observe(batch(20, 10))
  nowMs = 10_000
  observer.observe(batch(30, 10))
  observer.observe(batch(35, 5))
  observer.observe({ ...batch(35, 0), kind: 'suspended' })
  observer.observe({ ...event, startingOffset: 50, position: 50 })
  observer.observe({ ...event, kind: 'end' })
  const changelog = { topic: 'counts-changelog', partition: 1 }
  assert.deepEqual(calls, [
    ['start', changelog, 'counts', 10, 50],
    ['batch', changelog, 'counts', 20, 10],
    ['batch', changelog, 'counts', 30, 10],
    ['batch', changelog, 'counts', 35, 5],
    ['suspended', changelog, 'counts', 25],
    ['start', changelog, 'counts', 50, 50],
  ])
  assert.deepEqual(lines, [
    'restoring a store {"task":"0_1","store":"counts","from":10,"to":50}',
    'still restoring {"task":"0_1","store":"counts","position":30,"to":50,"records":20}',
    'a restore is given up {"task":"0_1","store":"counts","position":35,"to":50,"records":25}',
  ])
})

test('a listener that throws, now or later, is told of in the log', async () => {
  const errors: object[] = []
  const nothing = (): void => {}
  const observer = new RestoreObserver(
    { debug: nothing, info: nothing, warn: nothing, error: (fields) => void errors.push(fields) },
    {
      onRestoreStart: () => {
        throw new Error('at once')
      },
      onRestoreEnd: (async () => {
        throw new Error('later')
      }) as () => void,
    },
  )
  observer.observe(event)
  observer.observe({ ...event, kind: 'end' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(errors, [
    { store: 'counts', reason: 'at once' },
    { store: 'counts', reason: 'later' },
  ])
})

test('a misspelt method is refused', async () => {
  const start = (restoreListener: object): Promise<unknown> =>
    startApplication({ topology: 'nowhere.ts', restoreListener })
  await assert.rejects(start({ onRestoreStarted: () => {} }), {
    code: 'config-invalid',
    message: /restoreListener\.onRestoreStarted is no method of a listener; it may have onRestoreStart,/,
  })
  await assert.rejects(start({ onRestoreEnd: 'text' }), { code: 'config-invalid' })
})
