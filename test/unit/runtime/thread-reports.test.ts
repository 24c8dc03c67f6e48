import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'

import { Channel } from '../../../src/runtime/channel.ts'
import type { MainRequests, ThreadNotice, ThreadRequests } from '../../../src/runtime/protocol.ts'
import { StreamThreadHandle } from '../../../src/runtime/thread-pool.ts'
import { ThreadReports } from '../../../src/runtime/thread-reports.ts'

const listener = {
  commit: async () => {},
  confirm: async () => {},
  beginCommit: () => assert.fail('nothing is committed'),
  endCommit: () => {},
  ended: () => {},
  schemas: { schema: async () => null, schemas: async () => [] },
  notice: () => {},
}
const nothing = async (): Promise<void> => {}

/** The other side of a stream thread's channel: it answers as long as it is not stuck. */
class Answering {
  readonly handle: StreamThreadHandle
  readonly end: () => void
  recordsProcessed = 0
  isStuck = false

  constructor(threadIndex: number) {
    const { port1, port2 } = new MessageChannel()
    const { promise: job, resolve } = Promise.withResolvers<void>()
    this.end = resolve
    this.handle = new StreamThreadHandle(threadIndex, port1, listener, job)
    const answer = async <T>(value: T): Promise<T> => (this.isStuck ? new Promise<T>(() => {}) : value)
    new Channel<MainRequests, ThreadRequests, ThreadNotice>(port2, {
      assign: nothing,
      loaded: nothing,
      topics: nothing,
      suspend: nothing,
      release: nothing,
      stop: nothing,
      pause: nothing,
      query: () => answer({ rows: [], hasMore: false, inputs: [] }),
      metrics: () => answer([{ name: `thread-${threadIndex}` }]),
      status: () =>
        answer({ threadIndex, recordsProcessed: this.recordsProcessed, recordsProduced: 1, tasks: [] }),
    })
  }
}

test('a thread that does not answer is reported as it was last, and its metrics are left out', async () => {
  const threads = [new Answering(0), new Answering(1)]
  const reports = new ThreadReports(() => threads.map(({ handle }) => handle))
  const figures = async () =>
    (await reports.status()).map(({ recordsProcessed, isResponding }) => [recordsProcessed, isResponding])
  threads[0]!.recordsProcessed = 10
  threads[1]!.recordsProcessed = 20
  assert.deepEqual(await figures(), [
    [10, true],
    [20, true],
  ])

  threads[1]!.isStuck = true
  for (const thread of threads) thread.recordsProcessed += 5
  assert.deepEqual(await figures(), [
    [15, true],
    [20, false],
  ])
  assert.deepEqual(
    (await reports.metrics()).map((snapshot) => snapshot[0]?.name),
    ['thread-0'],
  )

  // One that has ended cannot answer either.
  threads[0]!.end()
  await threads[0]!.handle.ended
  assert.deepEqual((await figures())[0], [15, false])
  threads[1]!.end()
  await threads[1]!.handle.ended
})
