/**
 * look-up.ts <folder>: writes rows into a database there, closes it, opens it again with a block cache of 1 MiB, looks all of them up, and others that are
 * not there. Prints how blocks are read, and how many rows were right.
 */
import { LocalProducer, StateMemory, TaskDatabase } from '../../../../src/native.ts'
import { buildInfo } from '../../../../src/observe/build-info.ts'
import { applyRows, multiGetRows } from '../rows.ts'

const ROWS = 20_000
const rowOf = (index: number): string => `${index} `.repeat(40)

const memory = StateMemory.acquire({
  blockCacheBytes: 2 ** 20,
  writeBufferBytes: 8 * 2 ** 20,
  backgroundThreads: 2,
  readThreads: 4,
  maxOpenFiles: 64,
})
const options = {
  path: process.argv[2]!,
  partition: 0,
  stores: [{ name: 'rows', timestamped: false, changelogTopic: null }],
  flushEveryRecords: 1_000_000,
  flushIntervalMs: 3_600_000,
}
const rows = Array.from({ length: ROWS }, (_, index) => ({ key: `key-${index}`, value: rowOf(index) }))

const written = await TaskDatabase.open(memory, options)
applyRows(written, 0, rows)
await written.drain(new LocalProducer())
await written.commit()
await written.close()

const database = await TaskDatabase.open(memory, options)
const keys = [...rows.map(({ key }) => key), ...rows.map(({ key }) => `${key}-absent`)]
let right = 0
// Many keys, which are divided over the read threads, and few, which are not.
for (const [index, value] of (await multiGetRows(database, 0, keys)).entries())
  if (value === (index < ROWS ? rowOf(index) : null)) right++
for (const [index, value] of (await multiGetRows(database, 0, keys.slice(0, 100))).entries())
  if (value === rowOf(index)) right++
const { dataBlockMisses } = memory.counts()
await database.close()
memory.close()
console.log(JSON.stringify({ ...buildInfo().coldReads, right, hasReadCold: dataBlockMisses > 100 }))
