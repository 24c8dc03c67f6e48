/** A revocation closes a thread's databases all at once: each is closed, flushed once, and complete when it is opened again. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { MockCluster, Producer, StateMemory, TaskDatabase } from '../../../src/native.ts'
import { smallStateMemory } from '../../support/state-memory.ts'
import { applyRows, getRow } from './rows.ts'

test('128 databases with unflushed rows are closed at once', { timeout: 120_000 }, async () => {
  const count = 128
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-close-'))
  const cluster = new MockCluster({ brokers: 1 })
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  const memory = StateMemory.acquire(smallStateMemory)
  const open = (index: number): Promise<TaskDatabase> =>
    TaskDatabase.open(memory, {
      path: path.join(folder, String(index)),
      partition: index,
      stores: [{ name: 'a', timestamped: false, changelogTopic: null }],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
  const openAll = (): Promise<TaskDatabase[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => open(index)))
  try {
    const databases = await openAll()
    for (const [index, database] of databases.entries()) {
      applyRows(database, 0, [{ key: `key-${index}`, value: `value-${index}` }])
      await database.drain(producer)
      await database.commit()
    }
    assert.equal(memory.usage().databases, count)
    const { flushes } = memory.counts()
    await Promise.all(databases.map((database) => database.close()))
    // The thread that keeps the memory's budget may just be looking at one.
    while (memory.usage().databases > 0) await sleep(1)
    assert.equal(memory.counts().flushes - flushes, count)
    // A second close is none.
    await Promise.all(databases.map((database) => database.close()))
    assert.equal(memory.counts().flushes - flushes, count)

    const again = await openAll()
    for (const [index, database] of again.entries())
      assert.equal(getRow(database, 0, `key-${index}`), `value-${index}`)
    await Promise.all(again.map((database) => database.close()))
    assert.equal(memory.counts().flushes - flushes, count, 'there was nothing to flush')
  } finally {
    await producer.close()
    memory.close()
    cluster.close()
    await rm(folder, { recursive: true })
  }
})
