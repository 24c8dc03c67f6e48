import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { Bench } from 'tinybench'

import { MockCluster, Producer, StateMemory, TaskDatabase } from '../../src/native.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { openKeyValueStore } from '../../src/state/rocksdb-key-value-store.ts'
import type { KeyValueStore } from '../../src/state/store.ts'

const KEYS = 500
const ROWS_PER_KEY = 500
const NEIGHBOURS = 100
const VALUE_BYTES = 100
const MiB = 2 ** 20

/** Scans of 100 neighbours, drawn evenly from 250,000 rows: of changed and not committed ones, then of those of a memtable, then of those of files. */
export default async function scanBench(resources: AsyncDisposableStack): Promise<Bench> {
  const bench = new Bench({ name: 'scan', time: 3000 })
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-scan-'))
  resources.defer(() => rm(folder, { recursive: true }))
  const cluster = new MockCluster({ brokers: 1 })
  resources.defer(() => cluster.close())
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  resources.defer(() => producer.close())
  const memory = StateMemory.acquire({
    blockCacheBytes: 512 * MiB,
    writeBufferBytes: 256 * MiB,
    backgroundThreads: 2,
    readThreads: 1,
    maxOpenFiles: 256,
  })
  resources.defer(() => memory.close())

  for (const place of ['overlay', 'memtable', 'files']) {
    const database = await TaskDatabase.open(memory, {
      path: path.join(folder, place),
      partition: 0,
      stores: [{ name: place, timestamped: false, changelogTopic: null }],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
    resources.defer(() => database.close())
    const store = filledStore(database, place)
    if (place !== 'overlay') {
      await database.drain(producer)
      await database.commit()
    }
    if (place === 'files') await database.flush()
    bench.add(`100 rows in ${place}`, () => {
      const key = Math.floor(Math.random() * KEYS)
      const first = Math.floor(Math.random() * (ROWS_PER_KEY - NEIGHBOURS))
      let sum = 0
      using rows = store.range(rowKey(key, first), rowKey(key, first + NEIGHBOURS - 1))
      for (const row of rows.values()) sum += row.readInt32BE(4)
      return sum
    })
  }
  return bench
}

/** A database's only store, with all rows in the overlay: they are put in another order than their keys'. */
function filledStore(database: TaskDatabase, name: string): KeyValueStore<string, Buffer> {
  const store = openKeyValueStore(
    {
      name,
      type: 'key-value',
      key: serdes.string,
      value: serdes.bytes,
      logging: false,
      changelogConfig: {},
    },
    {
      database,
      index: 0,
      budget: new CacheBudget(MiB),
      overlayWriter: new OverlayWriter(),
      recordTimestamp: () => 0,
      onOverlayBytes: () => {},
    },
  )
  const value = Buffer.alloc(VALUE_BYTES, 1)
  for (let row = 0; row < KEYS * ROWS_PER_KEY; row++) {
    const shuffled = (row * 7919) % (KEYS * ROWS_PER_KEY)
    store.put(rowKey(shuffled % KEYS, Math.floor(shuffled / KEYS)), value)
  }
  store.flush()
  return store as unknown as KeyValueStore<string, Buffer>
}

function rowKey(key: number, row: number): string {
  return `user-${key}/${String(row).padStart(10, '0')}`
}
