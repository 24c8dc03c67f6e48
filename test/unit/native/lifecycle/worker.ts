/** A worker of lifecycle.test.ts: uses everything that has native state, and ends as it is told. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'

import { Producer, Restorer, StateMemory, TaskDatabase } from '../../../../src/native.ts'
import { smallStateMemory } from '../../../support/state-memory.ts'
import { applyRows, getRow, multiGetRows, scanRows } from '../rows.ts'

/** - `clean`: closes what it opened.
 *  - `leave`: ends with everything open.
 *  - `exit`: calls process.exit in the middle of calls.
 *  - `throw`: throws in the middle of calls.
 *  - `busy`: never ends; to be terminated. */
export type Ending = 'clean' | 'leave' | 'exit' | 'throw' | 'busy'

export interface LifecycleData {
  readonly path: string
  readonly bootstrapServers: string
  readonly ending: Ending
}

const { path, bootstrapServers, ending } = workerData as LifecycleData

const memory = StateMemory.acquire(smallStateMemory)
const producer = new Producer({ 'bootstrap.servers': bootstrapServers, 'linger.ms': '0' })
producer.topic('changelog', 1)
const restorer = Restorer.acquire({ 'bootstrap.servers': bootstrapServers }, 2, 2 ** 24)
const database = await TaskDatabase.open(memory, {
  path,
  partition: 0,
  stores: [{ name: 'store', timestamped: false, changelogTopic: 'changelog' }],
  flushEveryRecords: 100,
  flushIntervalMs: 3_600_000,
})
const keys = Array.from({ length: 5000 }, (_, index) => `key-${index}`)
;(parentPort as MessagePort).postMessage('open')

function change(count: number): void {
  applyRows(
    database,
    0,
    keys.slice(0, count).map((key) => ({ key, value: key.repeat(3) })),
  )
}

async function useOnce(): Promise<void> {
  change(500)
  await multiGetRows(database, 0, keys)
  await database.drain(producer)
  await producer.flush(30_000)
  await database.commit()
  if (getRow(database, 0, 'key-0') !== 'key-0key-0key-0') throw new Error('a row is lost')
  scanRows(database, 0, null, null, false, 100, 10_000)
}

await useOnce()
if (ending === 'clean') {
  await restorer.restore(database, [{ store: 0, topic: 'changelog', partition: 0, topicId: '', from: -1 }])
    .done
  await database.close()
  await producer.close()
  restorer.close()
  memory.close()
} else if (ending === 'leave') {
  database.scan(0, null, null, false)
} else {
  // Under way when the end comes: a restore or reads and writes, a flush.
  const restores = Math.random() < 0.5
  let draining: Promise<unknown> = Promise.resolve()
  if (restores) {
    const job = restorer.restore(database, [
      { store: 0, topic: 'changelog', partition: 0, topicId: '', from: -1 },
    ])
    // The mock brokers may drop the oldest records meanwhile.
    job.done.catch(() => {})
  } else {
    const scan = database.scan(0, null, null, true)
    scan.next(Buffer.alloc(100), new Int32Array(4), 1)
    change(5000)
    for (let index = 0; index < 20; index++) void multiGetRows(database, 0, keys)
    void database.flush()
    draining = database.drain(producer)
    void producer.flush(30_000)
  }
  if (ending === 'exit') process.exit(0)
  if (ending === 'throw') throw new Error('as told')
  // Nothing is changed while a drain runs.
  await draining
  if (!restores) database.discard()
  while (!restores) await useOnce()
  await new Promise(() => setInterval(() => {}, 1000))
}
