/**
 * A process of value-cache.test.ts, run with --expose-gc: fills a cache with as many rows as its first argument says, and prints what the cache
 * charges for them beside what V8's heap grew by. Second argument: `read` for counts that came from the store, `written` for sums that have not
 * been there yet.
 */
import { getHeapStatistics } from 'node:v8'

import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { ValueCache } from '../../../src/state/value-cache.ts'

export interface HeapFigures {
  readonly entries: number
  readonly chargedBytes: number
  readonly heapBytes: number
}

const KEY_BYTES = 15
const rows = Number(process.argv[2])
const isWritten = process.argv[3] === 'written'
const collectGarbage = globalThis.gc
if (collectGarbage === undefined) throw new Error('run with --expose-gc')

function heapBytes(): number {
  // Twice: what the first one frees may have held more.
  collectGarbage!()
  collectGarbage!()
  return getHeapStatistics().used_heap_size
}

/** Keys as they come: each its own string, decoded from bytes. */
const bytes = Buffer.alloc(KEY_BYTES)
function key(index: number): string {
  bytes.latin1Write(`user-${String(index).padStart(10, '0')}`, 0)
  return bytes.latin1Slice(0, KEY_BYTES)
}

function fill(cache: ValueCache, count: number): void {
  for (let index = 0; index < count; index++) {
    const timestamp = 1_700_000_000_000 + index
    // 16 bytes serialised: a timestamp and 64 bits. A row that is written has the same estimated.
    if (isWritten) cache.put(key(index), KEY_BYTES, index + 0.5, timestamp)
    else cache.add(key(index), KEY_BYTES, index % 1000, timestamp, 16)
    if (cache.wantsRotation(Number.POSITIVE_INFINITY)) cache.rotate()
  }
}

// What is compiled and allocated once is no row's.
const warmUp = new ValueCache(new CacheBudget(Number.POSITIVE_INFINITY), () => {})
fill(warmUp, 10_000)
warmUp.close()

const before = heapBytes()
const budget = new CacheBudget(Number.POSITIVE_INFINITY)
const cache = new ValueCache(budget, () => {})
fill(cache, rows)
const figures: HeapFigures = {
  entries: cache.entries,
  chargedBytes: budget.usedBytes,
  heapBytes: heapBytes() - before,
}
console.log(JSON.stringify(figures))
// It has to live until here.
cache.close()
