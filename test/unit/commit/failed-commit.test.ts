/** A commit that fails at one of several tasks. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { type CommittableTask, commitAtLeastOnce, commitExactlyOnce } from '../../../src/commit/commit.ts'
import { LocalProducer } from '../../../src/native.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'

const producer = new LocalProducer()
after(() => producer.close())

function taskThat(commit: () => Promise<void>): CommittableTask {
  return {
    state: {
      database: { drain: async () => ({ records: 1 }) as never, commit },
      flush: () => {},
      readTo: () => {},
    },
    flushChanges: () => true,
    offsets: () => [],
    commitDone: () => assert.fail('the commit has failed'),
  }
}

for (const commit of [commitAtLeastOnce, commitExactlyOnce]) {
  test(`${commit.name} fails when no database is written any more: its tasks may be dropped`, async () => {
    const slow = Promise.withResolvers<void>()
    let isWriting = false
    const tasks = [
      taskThat(async () => {
        throw new Error('shared')
      }),
      taskThat(async () => {
        isWriting = true
        await slow.promise
        isWriting = false
      }),
    ]
    const committed = commit(tasks, {
      producer,
      output: new OutputBatch(producer, 100, 1 << 20),
      flushTimeoutMs: 0,
      commitOffsets: async () => {},
      commitTransaction: async () => {},
    }).then(
      () => 'done',
      (error: Error) =>
        `${error.message}, ${isWriting ? 'and one is being written' : 'and none is being written'}`,
    )
    setImmediate(() => slow.resolve())
    assert.equal(await committed, 'shared, and none is being written')
  })
}
