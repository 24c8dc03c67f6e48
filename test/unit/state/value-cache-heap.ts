/**
 * A process of value-cache.test.ts, run with --expose-gc: fills a cache with as many rows as its first argument says, and prints what the cache
 * charges for them beside what the process grew by: V8's heap and the buffers beside it. Second argument: `read` for counts that came from the store, `written` for sums that have not
 * been there yet.
 */

import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { ValueCache } from '../../../src/state/value-cache.ts'

export interface MemoryFigures {
  readonly entries: number
  readonly chargedBytes: number
  readonly memoryBytes: number
}

const KEY_BYTES = 15
const rows = Number(process.argv[2])
const isWritten = process.argv[3] === 'written'
const collectGarbage = globalThis.gc
if (collectGarbage === undefined) throw new Error('run with --expose-gc')

function memoryBytes(): number {
  // Twice: what the first one frees may have held more.
  collectGarbage!()
  collectGarbage!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const bytes = Buffer.alloc(KEY_BYTES)

function fill(cache: ValueCache, count: number): void {
  for (let index = 0; index < count; index++) {
    const timestamp = 1_700_000_000_000 + index
    bytes.latin1Write(`user-${String(index).padStart(10, '0')}`, 0)
    // Each its own string, decoded from bytes.
    const key = bytes.latin1Slice(0, KEY_BYTES)
    // 16 bytes serialised: a timestamp and 64 bits.
    const row = cache.add(bytes, 0, KEY_BYTES, key, index % 1000, timestamp, 16)
    if (isWritten) cache.put(row, index + 0.5, timestamp, KEY_BYTES + 16)
    if (cache.wantsRotation(Number.POSITIVE_INFINITY)) cache.rotate()
  }
}

// What is compiled and allocated once is no row's.
const warmUp = new ValueCache(new CacheBudget(Number.POSITIVE_INFINITY), () => {})
fill(warmUp, 10_000)
warmUp.close()

const before = memoryBytes()
const budget = new CacheBudget(Number.POSITIVE_INFINITY)
const cache = new ValueCache(budget, () => {})
fill(cache, rows)
const figures: MemoryFigures = {
  entries: cache.entries,
  chargedBytes: budget.usedBytes,
  memoryBytes: memoryBytes() - before,
}
console.log(JSON.stringify(figures))
// It has to live until here.
cache.close()
