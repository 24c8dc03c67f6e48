/** A process of lifecycle.test.ts: the main thread ends it while its worker, and it itself, are in the middle of native calls. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { MockCluster, murmur2, StateMemory, TaskDatabase } from '../../../../src/native.ts'
import { smallStateMemory } from '../../../support/state-memory.ts'
import { applyRows, multiGetRows } from '../rows.ts'
import type { LifecycleData } from './worker.ts'

const folder = process.argv[2]!
const cluster = new MockCluster({ brokers: 1 })
cluster.createTopic('changelog', 1)
const data: LifecycleData = {
  path: `${folder}/worker`,
  bootstrapServers: cluster.bootstrapServers,
  ending: 'busy',
}
const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: data })
await once(worker, 'message')

const memory = StateMemory.acquire(smallStateMemory)
const database = await TaskDatabase.open(memory, {
  path: `${folder}/main`,
  partition: 0,
  stores: [{ name: 'store', timestamped: false, changelogTopic: null }],
  flushEveryRecords: 100,
  flushIntervalMs: 3_600_000,
})
applyRows(database, 0, [{ key: 'a', value: '1' }])
for (let index = 0; index < 10; index++) void multiGetRows(database, 0, ['a', 'b', 'c'])
void database.flush()
murmur2(Buffer.from('abc'), 0, 3)
setTimeout(() => process.exit(3), Math.random() * 30)
