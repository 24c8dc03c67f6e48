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

/** Scans of 100 neighbours with values of 100 bytes, drawn evenly from 250,000 rows: changed and not committed ones, then those of a memtable, then those of files. */
export default async function scanBench(): Promise<Bench> {
  const MiB = 2 ** 20
  const bench = new Bench({ name: 'scan', time: 3000 })
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-bench-'))
  const memory = StateMemory.acquire({
    blockCacheBytes: 512 * MiB,
    writeBufferBytes: 256 * MiB,
    backgroundThreads: 2,
    readThreads: 1,
    maxOpenFiles: 256,
  })
  const cluster = new MockCluster({ brokers: 1 })
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  const open = async (name: string) => {
    const database = await TaskDatabase.open(memory, {
      path: path.join(folder, name),
      partition: 0,
      stores: [{ name, timestamped: false, changelogTopic: null }],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
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
    const value = Buffer.alloc(100, 1)
    for (let row = 0; row < KEYS * ROWS_PER_KEY; row++) {
      const shuffled = (row * 7919) % (KEYS * ROWS_PER_KEY)
      store.put(rowKey(shuffled % KEYS, Math.floor(shuffled / KEYS)), value)
    }
    store.flush()
    return { database, store: store as unknown as KeyValueStore<string, Buffer> }
  }
  const databases: TaskDatabase[] = []
  for (const place of ['overlay', 'memtable', 'files']) {
    const { database, store } = await open(place)
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
    databases.push(database)
  }
  bench.addEventListener('complete', () => {
    void Promise.all(databases.map((database) => database.close()))
      .then(() => producer.close())
      .then(() => cluster.close())
      .then(() => rm(folder, { recursive: true }))
  })
  return bench
}

function rowKey(key: number, row: number): string {
  return `user-${key}/${String(row).padStart(10, '0')}`
}
