import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { Bench } from 'tinybench'

import { StateMemory, TaskDatabase } from '../../src/native.ts'

const KEYS = 200_000
const BATCH = 1000

/** 1,000 keys a sample, of 200,000 that fit into the block cache. */
export default async function databaseBench(resources: AsyncDisposableStack): Promise<Bench> {
  const bench = new Bench({ name: 'database', time: 500 })
  const folder = await mkdtemp(path.join(tmpdir(), 'weir-bench-'))
  resources.defer(() => rm(folder, { recursive: true }))
  const MiB = 2 ** 20
  const memory = StateMemory.acquire({
    blockCacheBytes: 256 * MiB,
    writeBufferBytes: 64 * MiB,
    backgroundThreads: 2,
    readThreads: 1,
    maxOpenFiles: 256,
  })
  resources.defer(() => memory.close())
  const database = await TaskDatabase.open(memory, {
    path: folder,
    partition: 0,
    stores: [{ name: 'counts', timestamped: true, changelogTopic: null }],
    flushEveryRecords: 1_000_000,
    flushIntervalMs: 3_600_000,
  })
  resources.defer(() => database.close())
  const arena = Buffer.alloc(BATCH * 64)
  const columns = new Int32Array(4 * BATCH)
  const timestamps = new Float64Array(BATCH)
  const fill = (first: (index: number) => number): void => {
    let position = 0
    for (let index = 0; index < BATCH; index++) {
      columns[index] = position
      position += arena.latin1Write(`user-${String(first(index)).padStart(10, '0')}`, position)
      columns[BATCH + index] = 15
      columns[2 * BATCH + index] = position
      columns[3 * BATCH + index] = 16
      position += 16
    }
  }
  for (let from = 0; from < KEYS; from += BATCH) {
    fill((index) => from + index)
    database.apply(0, arena, columns, timestamps, BATCH, BATCH)
  }
  await database.flush()
  const row = Buffer.alloc(64)
  const random = (): number => Math.floor(Math.random() * KEYS)
  bench.add(
    'get 1,000, one by one',
    () => {
      for (let index = 0; index < BATCH; index++) database.get(0, arena, columns[index]!, 15, row)
    },
    { beforeEach: () => fill(random) },
  )
  bench.add(
    'multiGet 1,000',
    async () => {
      await database.multiGet(0, arena, columns, BATCH, BATCH)
    },
    { beforeEach: () => fill(random) },
  )
  bench.add(
    'apply 1,000 to the overlay',
    () => {
      database.apply(0, arena, columns, timestamps, BATCH, BATCH)
    },
    { beforeEach: () => fill(random), afterAll: () => database.discard() },
  )
  return bench
}
