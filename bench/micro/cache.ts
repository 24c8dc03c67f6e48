import { Bench } from 'tinybench'

import { CacheBudget } from '../../src/state/cache-budget.ts'
import { ValueCache } from '../../src/state/value-cache.ts'

/** 1,000 keys a sample, drawn evenly. */
export default async function cacheBench(): Promise<Bench> {
  const bench = new Bench({ name: 'cache', time: 500 })
  for (const size of [50_000, 400_000]) {
    const cache = new ValueCache(new CacheBudget(1 << 30), () => {})
    const keys = Array.from({ length: size }, (_, index) => `user-${String(index * 7919).padStart(10, '0')}`)
    for (const key of keys) cache.put(cache.add(key, 15, null, 1, 0), 1, 1, 23)
    const drawn = Array.from({ length: 1000 }, () => keys[Math.floor(Math.random() * size)]!)
    // As they come from a batch: equal to the cached keys, and not the same strings.
    const fresh = (): string[] => drawn.map((key) => Buffer.from(key).latin1Slice(0, key.length))
    let batch = fresh()
    bench.add(
      `find 1,000 of ${size} keys`,
      () => {
        for (const key of batch) cache.find(key)
      },
      {
        beforeEach: () => {
          batch = fresh()
        },
      },
    )
    bench.add(
      `put 1,000 of ${size} keys`,
      () => {
        for (const key of batch) cache.put(cache.find(key)!, 2, 2, 23)
      },
      {
        beforeEach: () => {
          batch = fresh()
        },
      },
    )
  }
  return bench
}
