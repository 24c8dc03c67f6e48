import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { Bench } from 'tinybench'

import { MockCluster, Producer, StateMemory, TaskDatabase } from '../../src/native.ts'

const DATABASES = 128
const STORES = 2
const VALUE_BYTES = 100
const ROWS_ON_DISK = 5_000
/** 128 x 2 x 1,000 rows take about 64 MB of memtables: half of the budget, as much as there ever is. */
const ROWS_UNFLUSHED = 1_000
const MiB = 2 ** 20

/** What a revocation closes: 128 tasks' databases at once, each with rows on disk and rows that only memtables have. A sample is all of them. */
export default async function closeBench(resources: AsyncDisposableStack): Promise<Bench> {
  const bench = new Bench({ name: 'close', iterations: 5, time: 0, warmup: false })
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-close-'))
  resources.defer(() => rm(folder, { recursive: true }))
  const cluster = new MockCluster({ brokers: 1 })
  resources.defer(() => cluster.close())
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  resources.defer(() => producer.close())
  const memory = StateMemory.acquire({
    blockCacheBytes: 256 * MiB,
    writeBufferBytes: 128 * MiB,
    backgroundThreads: 2,
    readThreads: 1,
    maxOpenFiles: 256,
  })
  resources.defer(() => memory.close())
  let databases: TaskDatabase[] = []
  let opened = 0

  const write = async (database: TaskDatabase, from: number, rows: number): Promise<void> => {
    for (let store = 0; store < STORES; store++) apply(database, store, from, rows)
    await database.drain(producer)
    await database.commit()
  }

  const open = async (): Promise<TaskDatabase> => {
    const database = await TaskDatabase.open(memory, {
      path: path.join(folder, String(opened++)),
      partition: 0,
      stores: Array.from({ length: STORES }, (_, index) => ({
        name: `store-${index}`,
        timestamped: false,
        changelogTopic: null,
      })),
      flushEveryRecords: 1_000_000_000,
      flushIntervalMs: 3_600_000,
    })
    await write(database, 0, ROWS_ON_DISK)
    await database.flush()
    return database
  }

  bench.add(
    `close ${DATABASES} databases`,
    async () => {
      await Promise.all(databases.map((database) => database.close()))
    },
    {
      beforeEach: async () => {
        databases = []
        for (let index = 0; index < DATABASES; index++) databases.push(await open())
        for (const database of databases) await write(database, ROWS_ON_DISK, ROWS_UNFLUSHED)
        const { memtableBytes } = memory.usage()
        console.log(`${DATABASES} databases with ${(memtableBytes / MiB).toFixed(0)} MiB of memtables`)
      },
    },
  )
  return bench
}

/** Puts rows with keys of their own into a store's overlay. */
function apply(database: TaskDatabase, store: number, from: number, rows: number): void {
  const keyBytes = 15
  const arena = Buffer.alloc(rows * (keyBytes + VALUE_BYTES), 'x')
  const columns = new Int32Array(4 * rows)
  for (let index = 0; index < rows; index++) {
    const position = index * (keyBytes + VALUE_BYTES)
    arena.latin1Write(`user-${String(from + index).padStart(10, '0')}`, position)
    columns[index] = position
    columns[rows + index] = keyBytes
    columns[2 * rows + index] = position + keyBytes
    columns[3 * rows + index] = VALUE_BYTES
  }
  database.apply(store, arena, columns, new Float64Array(rows), rows, rows)
}
