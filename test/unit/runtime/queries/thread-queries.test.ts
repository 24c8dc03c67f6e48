/** What a thread answers of a task that runs, commits, waits and goes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defineTopology, serdes } from '../../../../src/index.ts'
import type { ThreadQuery } from '../../../../src/runtime/protocol.ts'
import { ThreadQueries } from '../../../../src/runtime/queries/thread-queries.ts'
import { LocalTask } from '../../../support/local-task.ts'

const topology = defineTopology((builder) => {
  builder
    .stream('clicks', { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .count({ store: 'counts', logging: false })
})

const query: ThreadQuery = {
  store: 'counts',
  task: '0_0',
  epoch: 0,
  query: { type: 'key', key: Buffer.from('alice'), withTimestamp: false },
  consistency: 'consistent',
  positionBound: null,
  deadlineMs: Number.POSITIVE_INFINITY,
}

class Asked implements AsyncDisposable {
  readonly local: LocalTask
  readonly queries: ThreadQueries
  wakeUps = 0

  private constructor(local: LocalTask) {
    this.local = local
    this.queries = new ThreadQueries({
      topology: topology.build(),
      task: (id) => (id === local.task.id && local.task.taskState !== 'closed' ? local.task : undefined),
      globalStores: new Map(),
      wakeUp: () => this.wakeUps++,
    })
  }

  static async open(): Promise<Asked> {
    return new Asked(await LocalTask.open(topology))
  }

  async click(count: number): Promise<void> {
    const record = { key: Buffer.from('alice'), value: Buffer.from('x'), timestamp: 1 }
    this.local.append('clicks', ...Array.from({ length: count }, () => record))
    await this.local.run()
  }

  /** @returns the count, or the code of a refusal, when the query is settled by the end of a turn; null while it waits */
  ask(changes: Partial<ThreadQuery> = {}): { answer: () => Promise<number | string | null> } {
    const asked = this.queries.ask({ ...query, ...changes }).then(
      ({ rows: [row] }) => (row === undefined ? 0 : Number(Buffer.from(row.value).readBigInt64BE(0))),
      (error: { code: string }) => error.code,
    )
    return {
      answer: () => Promise.race([asked, new Promise<null>((resolve) => setImmediate(resolve, null))]),
    }
  }

  /** In one turn. */
  async answerOf(changes: Partial<ThreadQuery> = {}): Promise<number | string | null> {
    const { answer } = this.ask(changes)
    this.queries.answer()
    return await answer()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.local[Symbol.asyncDispose]()
  }
}

test('a query waits for the next turn, and is answered with what was processed, committed or not', async () => {
  await using asked = await Asked.open()
  assert.equal(await asked.answerOf(), 0)
  await asked.click(3)
  const { answer } = asked.ask()
  assert.equal(await answer(), null)
  assert.deepEqual([asked.queries.isWaiting, asked.wakeUps], [true, 2])
  asked.queries.answer()
  assert.equal(await answer(), 3)
  assert.equal(asked.queries.isWaiting, false)
})

test('a committed answer waits for the commit of what it was read from', async () => {
  await using asked = await Asked.open()
  const { queries, local } = asked
  await asked.click(2)
  const { answer } = asked.ask({ consistency: 'committed' })
  queries.answer()
  queries.committed()
  assert.equal(await answer(), null, 'nothing is committed yet')
  await local.commit()
  queries.committed()
  assert.equal(await answer(), 2)
  assert.equal(await asked.answerOf({ consistency: 'committed' }), 2, 'nothing has changed since')

  await asked.click(1)
  const lost = asked.ask({ consistency: 'committed' })
  queries.answer()
  await local.crash()
  queries.answer()
  assert.equal(await lost.answer(), 'not-active', 'what it would have told is gone')
  await asked.click(1)
  const late = asked.ask({ consistency: 'committed', deadlineMs: Date.now() + 20 })
  queries.answer()
  while ((await late.answer()) === null) queries.answer()
  assert.equal(await late.answer(), 'timeout')
})

test('a position bound is refused until its record is processed', async () => {
  await using asked = await Asked.open()
  const positionBound = { clicks: { 0: 1 } }
  assert.equal(await asked.answerOf({ positionBound }), 'not-up-to-bound')
  await asked.click(1)
  assert.equal(await asked.answerOf({ positionBound }), 'not-up-to-bound')
  await asked.click(1)
  assert.equal(await asked.answerOf({ positionBound }), 2)
})

test('only the running task of the epoch that was asked for answers; a stale answer also comes of one that waits', async () => {
  await using asked = await Asked.open()
  const { local } = asked
  await asked.click(1)
  assert.equal(await asked.answerOf({ epoch: 1 }), 'not-active')
  assert.equal(await asked.answerOf({ task: '0_1' }), 'not-active')
  await local.commit()
  await local.task.suspend()
  assert.equal(await asked.answerOf(), 'not-active')
  assert.equal(await asked.answerOf({ consistency: 'stale' }), 1)
  local.task.taskState = 'restoring'
  assert.equal(await asked.answerOf({ consistency: 'stale' }), 'not-active')
  local.task.taskState = 'suspended'
  local.task.resume()
  assert.equal(await asked.answerOf(), 1)
})

test('rows that only queries have read do not fill the memory', async () => {
  await using asked = await Asked.open()
  const { cache } = asked.local.task.state!.stores.get('counts')!
  let bytesMax = 0
  for (let n = 0; n < 20_000; n++) {
    void asked.ask({ query: { type: 'key', key: Buffer.from(`key-${n}`), withTimestamp: false } })
    asked.queries.answer()
    bytesMax = Math.max(bytesMax, cache.youngBytes + cache.oldBytes)
  }
  assert.ok(bytesMax > 2 ** 19 && bytesMax <= 2 ** 20 + 4_096, `${bytesMax} bytes of 1 MiB`)
})

test('no more queries wait than may, none is answered too late, and none is left when the thread ends', async () => {
  await using asked = await Asked.open()
  assert.equal(await asked.answerOf({ deadlineMs: Date.now() - 1 }), 'timeout')
  assert.equal(await asked.answerOf({ store: 'count' }), 'does-not-exist')
  const waiting = Array.from({ length: 256 }, () => asked.ask())
  assert.equal(await asked.ask().answer(), 'overloaded')
  while (asked.queries.isWaiting) asked.queries.answer()
  assert.deepEqual(new Set(await Promise.all(waiting.map(({ answer }) => answer()))), new Set([0]))

  await asked.click(1)
  const [next, held] = [asked.ask(), asked.ask({ consistency: 'committed' })]
  asked.queries.answer()
  const queued = asked.ask()
  asked.queries.close()
  assert.deepEqual(await Promise.all([next.answer(), held.answer(), queued.answer(), asked.ask().answer()]), [
    1,
    'not-active',
    'not-active',
    'not-active',
  ])
})
