import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { RowReader } from '../../../src/cassandra/row-reader.ts'
import { RowWriter } from '../../../src/cassandra/row-writer.ts'
import { LocalProducer, StateMemory, type TaskDatabase } from '../../../src/native.ts'
import { CassandraCounters } from '../../../src/observe/cassandra-counters.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { BacklogBudget } from '../../../src/state/tier-backlog.ts'
import { stores } from '../../../src/topology/stores.ts'
import { openTier, RememberingTier } from '../../support/opened-tier.ts'
import { smallStateMemory } from '../../support/state-memory.ts'
import { UnsteadyCassandra } from '../../support/unsteady-cassandra.ts'

const memory = StateMemory.acquire(smallStateMemory)
const producer = new LocalProducer()
let folder = ''
let databases = 0

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-tiers-'))
})

after(async () => {
  await producer.close()
  memory.close()
  await rm(folder, { recursive: true })
})

/** `put` was put, `loaded` came from the second tier. */
async function open(localBytesMax?: number, watermarks?: ReadonlyMap<string, number>) {
  const definition = stores.tieredKeyValue({
    name: 'counts',
    key: serdes.string,
    value: serdes.string,
    ...(localBytesMax !== undefined && { localBytesMax }),
  })
  const opened = await openTier(definition, path.join(folder, String(databases++)), memory, watermarks)
  const { store, database } = opened
  store.connect(new RememberingTier())
  store.put('put', 'x')
  await store.load('loaded')
  store.flush()
  await database.drain(producer)
  await database.commit()
  return opened
}

/** Whether there are rows of what was put, and of what was loaded. */
function rowsOf(database: TaskDatabase): boolean[] {
  return [0, 1].map((store) => {
    const key = Buffer.from(store === 0 ? 'put' : 'loaded')
    return database.get(store, key, 0, key.length, Buffer.alloc(64)) >= 0
  })
}

test('a restore of a tiered store begins where Cassandra ends, in an empty store, unless there is nothing to restore', async () => {
  const restore = { store: 0, topic: 't', partition: 0, topicId: 'id' }
  const kept = [true, true]
  const emptied = [false, false]
  const cases = [
    { watermark: 40, from: 40, until: 40, begins: 40, rows: kept },
    { watermark: 30, from: 40, until: 40, begins: 30, rows: emptied },
    { watermark: 40, from: -1, until: 40, begins: 40, rows: emptied },
    { watermark: 40, from: 30, until: 40, begins: 40, rows: emptied },
    // Its last commit did not reach the group.
    { watermark: 40, from: 50, until: 40, begins: 40, rows: emptied },
    // Where the changelog ends is not known.
    { watermark: 40, from: 40, begins: 40, rows: emptied },
    { from: -1, begins: -1, rows: emptied },
    { from: 30, until: 30, begins: -1, rows: emptied },
  ]
  for (const { watermark, begins, rows, ...range } of cases) {
    const watermarks = new Map(watermark === undefined ? [] : [['counts', watermark]])
    const { tiers, database, close } = await open(undefined, watermarks)
    const prepared = await tiers.prepareRestore(database, { ...restore, ...range })
    assert.equal(prepared.from, begins)
    assert.deepEqual(rowsOf(database), rows, JSON.stringify(range))
    await close()
  }
})

test('halves that have grown beyond their limit are emptied, the loaded one with the other', async () => {
  for (const [limit, rows] of [
    [1 << 30, [true, true]],
    [0, [false, false]],
  ] as const) {
    const { tiers, database, close } = await open()
    await tiers.committed(database, limit)
    assert.deepEqual(rowsOf(database), rows)
    await close()
  }
  const own = await open(1 << 30)
  await own.tiers.committed(own.database, 0)
  assert.deepEqual(rowsOf(own.database), [true, true])
  await own.close()
})

test('a task takes no more when its commit would make too much wait for Cassandra, and is committed when there is room', async () => {
  const { tiers, database, store, close } = await open()
  const cassandra = new UnsteadyCassandra()
  let answer = (): void => {}
  cassandra.gate = new Promise((resolve) => {
    answer = resolve
  })
  const common = {
    session: async () => cassandra,
    requestsMax: 4,
    counters: new CassandraCounters(),
    onFailed: (error: Error) => assert.fail(error),
    onAway: () => {},
  }
  const writer = new RowWriter({ ...common, queueBytes: 1 << 24, rowTimeoutMs: 60_000, onChanged: () => {} })
  const reader = new RowReader({ ...common, onRead: () => {} })
  tiers.connect({
    taskId: '0_0',
    rows: writer.open(),
    reads: reader,
    backlog: new BacklogBudget(40_000 * 320),
    starts: 1,
    onWritten: () => {},
    onFailed: (error) => assert.fail(String(error)),
  })
  const says = () => ({ isLarge: tiers.isLarge, waitsForRoom: tiers.waitsForRoom, isFull: tiers.isFull })
  const put = (from: number, to: number): void => {
    for (let number = from; number < to; number++) store.put(String(number), 'x')
  }
  const commit = async (): Promise<void> => {
    store.flush()
    await database.drain(producer)
    await database.commit()
    await tiers.committed(database, 1 << 30)
  }
  put(0, 32_767)
  assert.deepEqual(says(), { isLarge: false, waitsForRoom: false, isFull: false })
  put(32_767, 32_768)
  // Nothing waits: what is committed goes on at once.
  assert.deepEqual(says(), { isLarge: true, waitsForRoom: false, isFull: false })
  await commit()
  assert.deepEqual(says(), { isLarge: false, waitsForRoom: false, isFull: false })
  put(0, 32_767)
  assert.deepEqual(says(), { isLarge: false, waitsForRoom: true, isFull: false })
  put(32_767, 32_768)
  assert.deepEqual(says(), { isLarge: true, waitsForRoom: true, isFull: true })
  answer()
  await tiers.settled()
  assert.equal(cassandra.rows.size, 32_768)
  assert.deepEqual(says(), { isLarge: true, waitsForRoom: false, isFull: false })
  await commit()
  await tiers.settled()
  await close()
  await Promise.all([writer.close(), reader.close()])
})
