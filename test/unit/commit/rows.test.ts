/** A commit and the rows of its tasks for Cassandra. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import type { RefusedRow } from '../../../src/cassandra/row-write.ts'
import {
  type CommittableTask,
  commitAtLeastOnce,
  commitExactlyOnce,
  type DrainStages,
} from '../../../src/commit/commit.ts'
import { LocalProducer, type TopicPartitionOffset } from '../../../src/native.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'

const refused: RefusedRow = {
  source: { taskId: '0_0', node: 'SINK', table: 'rows', asked: null },
  error: new Error('x'),
}

describe('rows of a commit', () => {
  const producer = new LocalProducer()
  after(() => producer.close())

  /** What was done, in order. */
  function begin() {
    const log: string[] = []
    const task = (
      name: string,
      rows: { settles?: boolean; refused?: RefusedRow[]; keptBack?: number; hasRoom?: boolean } | null,
    ): CommittableTask & { name: string } => {
      let keptBack = rows?.keptBack ?? 0
      return {
        name,
        state: {
          database: {
            drain: async () => {
              log.push(`${name} drained`)
              return { records: 1 } as never
            },
            commit: async () => {
              log.push(`${name} state written`)
            },
          },
          flush: () => {},
          readTo: () => {},
        },
        rows:
          rows === null
            ? null
            : {
                get isFull() {
                  return keptBack > 0
                },
                takeRefused: () => rows.refused?.splice(0) ?? [],
                settled: async () => {
                  log.push(`${name} waits for rows`)
                  return rows.settles !== false
                },
                hasRoom: async () => {
                  log.push(`${name} waits for room`)
                  return rows.hasRoom !== false
                },
              },
        flushChanges: () => --keptBack < 0,
        offsets: () => [{ topic: name, partition: 0, offset: 1 }],
        commitDone: () => log.push(`${name} done`),
      }
    }
    const stages: DrainStages & { settleRows(rows: readonly RefusedRow[]): Promise<void> } = {
      producer,
      output: new OutputBatch(producer, 100, 1 << 20),
      flushTimeoutMs: 0,
      rowsTimeoutMs: 100,
      settleRows: async (rows) => {
        if (rows.length > 0) log.push(`${rows.length} refused`)
      },
    }
    const commitOffsets = async (_: readonly unknown[], offsets: readonly TopicPartitionOffset[]) => {
      log.push(`offsets of ${offsets.map(({ topic }) => topic).join()}`)
    }
    return { log, task, stages, commitOffsets }
  }

  test('are written, or decided on, before anything of the task is committed; a task with rows left is left out', async () => {
    const { log, task, stages, commitOffsets } = begin()
    const tasks = [
      task('plain', null),
      task('left', { settles: false, refused: [refused] }),
      task('whole', { refused: [refused] }),
    ]
    assert.equal(await commitAtLeastOnce(tasks, { ...stages, commitOffsets }), 2)
    assert.deepEqual(log, [
      'left waits for rows',
      'whole waits for rows',
      '1 refused',
      'plain drained',
      'whole drained',
      'plain state written',
      'whole state written',
      'offsets of plain,whole',
      'plain done',
      'whole done',
    ])
  })

  test('what caching stores have kept back needs room; without it the task is left out', async () => {
    const { log, task, stages, commitOffsets } = begin()
    const tasks = [
      task('roomy', { keptBack: 2 }),
      task('full', { keptBack: 2, hasRoom: false, refused: [refused] }),
    ]
    assert.equal(await commitAtLeastOnce(tasks, { ...stages, commitOffsets }), 1)
    assert.deepEqual(log, [
      'roomy waits for room',
      '1 refused',
      'full waits for room',
      'roomy waits for rows',
      'roomy drained',
      'roomy state written',
      'offsets of roomy',
      'roomy done',
    ])
  })

  test('exactly once: the others are committed without it; when there are none there is no transaction to commit', async () => {
    const { log, task, stages, commitOffsets } = begin()
    const commitTransaction = commitOffsets
    assert.equal(
      await commitExactlyOnce([task('left', { settles: false }), task('plain', null)], {
        ...stages,
        commitTransaction,
      }),
      1,
    )
    assert.deepEqual(log, [
      'left waits for rows',
      'plain drained',
      'offsets of plain',
      'plain state written',
      'plain done',
    ])
    log.length = 0
    assert.equal(
      await commitExactlyOnce([task('left', { settles: false })], { ...stages, commitTransaction }),
      0,
    )
    assert.deepEqual(log, ['left waits for rows'])
  })

  test('a handler that ends the thread ends the commit', async () => {
    const { log, task, stages, commitOffsets } = begin()
    const settleRows = async (): Promise<void> => {
      throw new Error('production-failed')
    }
    await assert.rejects(
      commitAtLeastOnce([task('whole', { refused: [refused] })], { ...stages, settleRows, commitOffsets }),
      /production-failed/,
    )
    assert.deepEqual(log, ['whole waits for rows'])
  })
})
