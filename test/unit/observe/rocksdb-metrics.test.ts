/** What RocksDB counts and estimates, against what was done to it. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  type DatabaseOptions,
  MockCluster,
  Producer,
  type RocksDbCounts,
  StateMemory,
  TaskDatabase,
} from '../../../src/native.ts'
import { meterDatabase } from '../../../src/observe/rocksdb-metrics.ts'
import { smallStateMemory } from '../../support/state-memory.ts'
import { applyRows, getRow, multiGetRows, scanRows } from '../native/rows.ts'

interface Measured {
  readonly database: TaskDatabase
  readonly memory: StateMemory
  readonly producer: Producer
  readonly folder: string
}

/** Runs `work` on a database of its own, with memory that nothing else counts in. */
async function measure(
  options: Pick<DatabaseOptions, 'stores' | 'rocksdb'>,
  work: (measured: Measured) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-counts-'))
  const cluster = new MockCluster({ brokers: 1 })
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  const memory = StateMemory.acquire(smallStateMemory)
  const database = await TaskDatabase.open(memory, {
    path: folder,
    partition: 0,
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
    ...options,
  })
  try {
    await work({ database, memory, producer, folder })
  } finally {
    await database.close()
    await producer.close()
    memory.close()
    cluster.close()
    await rm(folder, { recursive: true })
  }
}

test('reads, writes, flushes and the sizes of stores', async () => {
  const stores = [
    { name: 'a', timestamped: false, changelogTopic: null },
    { name: 'b', timestamped: false, changelogTopic: null },
    { name: 'm', timestamped: false, changelogTopic: null, inMemory: true },
  ]
  await measure({ stores }, async ({ database, memory, producer, folder }) => {
    let before = memory.counts()
    /** What was counted since the last time. */
    const counted = (): Record<keyof RocksDbCounts, number> => {
      const now = memory.counts()
      const grown = Object.entries(now).map(([name, total]) => [
        name,
        total - before[name as keyof RocksDbCounts],
      ])
      before = now
      return Object.fromEntries(grown)
    }
    const a = 0
    const m = 2
    const rows = Array.from({ length: 500 }, (_, index) => ({
      key: `key-${1_000 + index}`,
      value: 'v'.repeat(100),
    }))
    applyRows(database, a, rows)
    applyRows(database, m, rows.slice(0, 7))
    await database.drain(producer)
    await database.commit()
    // A write's header, and a few bytes around each row.
    const bytes = rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
    const written = counted()
    assert.ok(
      written.bytesWritten >= bytes && written.bytesWritten < bytes * 1.2,
      String(written.bytesWritten),
    )
    assert.equal(written.flushes, 0)

    const names = ['a', 'b', 'm']
    let metered = meterDatabase(database, names)
    assert.deepEqual(
      metered.stores.map(({ store, keys, sstBytes }) => [store, keys, sstBytes]),
      [
        ['a', 500, 0],
        ['b', 0, 0],
        ['m', 7, 0],
      ],
    )
    assert.ok(metered.stores[0]!.memtableBytes > bytes)

    assert.equal(getRow(database, a, 'key-1003'), 'v'.repeat(100))
    // Once for the length, once for the row.
    const inMemtable = counted()
    assert.deepEqual([inMemtable.memtableHits, inMemtable.memtableMisses], [2, 0])

    await database.flush()
    const flushed = counted()
    assert.equal(flushed.flushes, 1, 'one for all families')
    assert.ok(flushed.flushMicros > 0)
    const files = (await readdir(folder)).filter((name) => name.endsWith('.sst'))
    const sizes = await Promise.all(files.map(async (name) => (await stat(path.join(folder, name))).size))
    assert.equal(
      flushed.flushBytesWritten,
      sizes.reduce((sum, size) => sum + size, 0),
    )
    metered = meterDatabase(database, names)
    assert.equal(metered.stores[0]!.sstBytes, Math.max(...sizes))
    assert.deepEqual([metered.isStopped, metered.isDelayed, metered.runningFlushes], [false, false, 0])

    await multiGetRows(database, a, ['key-1001', 'key-1002'])
    const fromFile = counted()
    assert.equal(fromFile.memtableMisses, 2)
    assert.equal(fromFile.multiGetBytesRead, 200)
    assert.ok(fromFile.dataBlockMisses >= 1)
    await multiGetRows(database, a, ['key-1001', 'key-1002'])
    const fromCache = counted()
    assert.equal(fromCache.dataBlockMisses, 0)
    assert.ok(fromCache.dataBlockHits >= 1 && fromCache.filterBlockHits >= 1 && fromCache.indexBlockHits >= 1)
    assert.equal(getRow(database, a, 'key-1001x'), null)
    assert.ok(counted().filterSparedReads >= 1)
    assert.equal(scanRows(database, a, 'key-1400', null, false, 200, 40_000).length, 100)
    // Told when the scan's iterator goes, which a commit would do, too.
    database.discard()
    const scanned = counted()
    assert.ok(scanned.scanBytesRead >= 100 * 108)
    assert.deepEqual([scanned.scanSeeks, scanned.scanSkippedKeys], [1, 0])

    applyRows(
      database,
      a,
      rows.slice(400, 450).map(({ key }) => ({ key, value: null })),
    )
    await database.drain(producer)
    await database.commit()
    assert.equal(scanRows(database, a, 'key-1400', null, true, 200, 40_000).length, 50)
    database.discard()
    // Each deletion, and the row that it hides.
    assert.equal(counted().scanSkippedKeys, 100)
    assert.equal(memory.counts().backgroundErrors, 0)
  })
})

test('a compaction and the bytes that it reads and writes', { timeout: 60_000 }, async () => {
  const stores = [{ name: 'a', timestamped: false, changelogTopic: null }]
  const rocksdb = { level0_file_num_compaction_trigger: '3' }
  await measure({ stores, rocksdb }, async ({ database, memory, producer }) => {
    const before = memory.counts()
    for (const value of ['one', 'two', 'three']) {
      applyRows(
        database,
        0,
        Array.from({ length: 200 }, (_, index) => ({ key: `key-${index}`, value })),
      )
      await database.drain(producer)
      await database.commit()
      await database.flush()
    }
    let after = memory.counts()
    const readBytes = (): number => after.compactionBytesRead - before.compactionBytesRead
    const flushedBytes = (): number => after.flushBytesWritten - before.flushBytesWritten
    // The last flush may be counted after the compaction that it has set off.
    while (after.compactions === before.compactions || flushedBytes() < readBytes()) {
      await sleep(5)
      after = memory.counts()
    }
    const read = readBytes()
    const written = after.compactionBytesWritten - before.compactionBytesWritten
    // All that was flushed went in; two of three values of each key stayed behind.
    assert.equal(read, flushedBytes())
    assert.ok(written > 0 && written < read, `${written} of ${read} bytes`)
    assert.ok(after.compactionMicros > before.compactionMicros)
  })
})
