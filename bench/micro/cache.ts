import { Bench } from 'tinybench'

import { CacheBudget } from '../../src/state/cache-budget.ts'
import { ValueCache } from '../../src/state/value-cache.ts'

const KEY_BYTES = 15

/** 1,000 keys a sample, drawn evenly. */
export default async function cacheBench(): Promise<Bench> {
  const bench = new Bench({ name: 'cache', time: 500 })
  for (const size of [50_000, 400_000]) {
    const cache = new ValueCache(new CacheBudget(1 << 30), () => {})
    const keys = Array.from({ length: size }, (_, index) => `user-${String(index * 7919).padStart(10, '0')}`)
    const bytes = Buffer.allocUnsafe(KEY_BYTES)
    for (const key of keys) {
      bytes.latin1Write(key, 0)
      cache.put(cache.add(bytes, 0, KEY_BYTES, key, null, 1, 0), 1, 1, 23)
    }
    // As they come: in a batch's arena, one after the other.
    const batch = Buffer.from(
      Array.from({ length: 1000 }, () => keys[Math.floor(Math.random() * size)]!).join(''),
    )
    const starts = Int32Array.from({ length: 1000 }, (_, index) => index * KEY_BYTES)
    const lengths = new Int32Array(1000).fill(KEY_BYTES)
    const entries = new Array(1000)
    bench.add(`find 1,000 of ${size} keys`, () => {
      for (const start of starts) cache.find(batch, start, start + KEY_BYTES)
    })
    bench.add(`find 1,000 of ${size} keys at once`, () => {
      cache.findAll(batch, starts, lengths, 1000, entries)
    })
    bench.add(`put 1,000 of ${size} keys`, () => {
      for (const start of starts) cache.put(cache.find(batch, start, start + KEY_BYTES)!, 2, 2, 23)
    })
  }
  return bench
}
