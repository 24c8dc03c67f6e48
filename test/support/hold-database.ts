/** Opens the database in the folder that it is given, says so, and holds it until its input ends. */
import { StateMemory, TaskDatabase } from '../../src/native.ts'
import { smallStateMemory } from './state-memory.ts'

const database = await TaskDatabase.open(StateMemory.acquire(smallStateMemory), {
  path: process.argv[2]!,
  partition: 0,
  stores: [],
  flushEveryRecords: 1_000,
  flushIntervalMs: 60_000,
})
process.stdout.write('open\n')
process.stdin.resume()
process.stdin.on('end', () => void database.close())
