import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'

import type { WeirError } from '../../../src/errors/weir-error.ts'
import { TaskRequests } from '../../../src/runtime/task-requests.ts'
import { StreamThreadHandle } from '../../../src/runtime/thread-pool.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const listener = {
  commit: async () => {},
  confirm: async () => {},
  beginCommit: () => assert.fail('nothing is committed'),
  endCommit: () => {},
  ended: () => {},
  schemas: { schema: async () => null, schemas: async () => [] },
  notice: () => {},
}

/** A thread that answers nothing. */
function setUp(maxPollIntervalMs: number) {
  const { port1, port2 } = new MessageChannel()
  const job = Promise.withResolvers<void>()
  const thread = new StreamThreadHandle(0, port1, listener, job.promise)
  const failures: WeirError[] = []
  const requests = new TaskRequests({ maxPollIntervalMs, logger, onFailed: (error) => failures.push(error) })
  return { thread, job, requests, failures, other: port2 }
}

test('what a thread that ends was asked for is done when it has ended, not when it stops answering', async () => {
  const { thread, job, requests, failures, other } = setUp(60_000)
  const done: string[] = []
  const asked = [
    requests.suspend(thread, ['0_0'], false).then(() => done.push('suspend')),
    requests.release(thread, '0_1').then(() => done.push('release')),
    requests.released(['0_1', '0_2']).then(() => done.push('released')),
    requests.assign(thread, []).then(() => done.push('assign')),
  ]
  other.close()
  await sleep(50)
  // It still closes its databases.
  assert.deepEqual(done, [])
  job.reject(new Error('planned'))
  await Promise.all(asked)
  assert.equal(done.length, 4)
  assert.deepEqual(failures, [])
})

test('a thread that is stuck, and abandoned, is not waited for', async () => {
  const { thread, requests, failures } = setUp(20)
  await requests.suspend(thread, ['0_0'], false)
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['thread-stuck'],
  )
  const releasing = requests.release(thread, '0_0')
  thread.abandon()
  await releasing
})
