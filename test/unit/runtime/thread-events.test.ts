import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ThreadEvents } from '../../../src/runtime/thread-events.ts'

/** So far away that a test which waits for it hangs. */
const never = Date.now() + 1e9

test('actions run one after the other, in order, at the beginning of a turn', async () => {
  const events = new ThreadEvents()
  const log: string[] = []
  const action = (name: string) => async (): Promise<void> => {
    log.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    log.push(`${name} ends`)
  }
  const ran = [events.between(action('first')), events.between(action('second'))]
  assert.deepEqual(log, [])
  await events.deliver()
  assert.deepEqual(log, ['first begins', 'first ends', 'second begins', 'second ends'])
  await Promise.all(ran)
})

test('the failure of an action is told to who asked for it, and ends the thread; what comes after it is refused', async () => {
  const events = new ThreadEvents()
  const error = new Error('disk full')
  const failed = events.between(() => Promise.reject(error))
  const after = events.between(() => Promise.resolve())
  const rejected = [assert.rejects(failed, error), assert.rejects(after, { code: 'closed' })]
  await assert.rejects(events.deliver(), error)
  events.close()
  events.refuseRest()
  await Promise.all(rejected)
})

test('of several failures the first one ends the thread', async () => {
  const events = new ThreadEvents()
  events.fail(new Error('first'))
  events.fail(new Error('second'))
  await assert.rejects(events.deliver(), /first/)
})

test('after close nothing is taken, but what waited can still run', async () => {
  const events = new ThreadEvents()
  let ran = false
  const waiting = events.between(async () => {
    ran = true
  })
  events.close()
  assert.equal(events.isClosed, true)
  await assert.rejects(
    events.between(() => Promise.resolve()),
    { code: 'closed' },
  )
  await events.deliver()
  await waiting
  assert.equal(ran, true)
})

test('a wake-up ends the sleep; one since the turn began lets none begin', async () => {
  const events = new ThreadEvents()
  const sleep = events.sleepUntil(never)
  events.wakeUp()
  await sleep
  await events.sleepUntil(never)
  await events.deliver()
  const next = events.sleepUntil(never)
  void events.between(() => Promise.resolve())
  await next
})

test('a failure ends the sleep, and so does its time', async () => {
  const events = new ThreadEvents()
  const sleep = events.sleepUntil(never)
  events.fail(new Error('restore'))
  await sleep
  await new ThreadEvents().sleepUntil(Date.now())
})
