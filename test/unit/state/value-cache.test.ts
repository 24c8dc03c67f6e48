import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import fc from 'fast-check'

import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { type CacheEntry, ValueCache } from '../../../src/state/value-cache.ts'
import type { MemoryFigures } from './value-cache-heap.ts'

const key = fc.integer({ min: 0, max: 20 }).map((number) => `k${number}`)
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value: fc.option(fc.integer(), { nil: null }),
      bytes: fc.nat(1000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('prefetch' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rotate' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
)

test('a cache over a map reads as the map does, and no dirty row is lost', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300, size: 'max' }), (commands) => {
      // The store below, which only ever sees what the cache writes out.
      const below = new Map<string, unknown>()
      const model = new Map<string, unknown>()
      /** The bytes of rows that were put and not written out. */
      const dirty = new Map<string, number>()
      const budget = new CacheBudget(1 << 30)
      const written = new ByteWriter()
      const cache = new ValueCache(budget, (entries: CacheEntry[]) => {
        for (const entry of entries) {
          written.reset()
          cache.writeKey(entry, written)
          const key = written.buffer.latin1Slice(0, written.position)
          assert.equal(key, entry.key)
          below.set(key, entry.value)
          dirty.delete(key)
        }
      })
      for (const step of commands) {
        switch (step.do) {
          case 'put':
            put(cache, step.key, step.value, step.bytes)
            model.set(step.key, step.value)
            dirty.set(step.key, step.bytes)
            break
          case 'get': {
            const entry = find(cache, step.key) ?? add(cache, step.key, below.get(step.key) ?? null)
            assert.equal(entry.value, model.get(step.key) ?? null)
            break
          }
          case 'prefetch':
            if (find(cache, step.key) === undefined) add(cache, step.key, below.get(step.key) ?? null)
            break
          case 'rotate':
            cache.rotate()
            break
          case 'flush':
            cache.flushDirty()
            assert.deepEqual(withoutNulls(below), withoutNulls(model))
            break
        }
        assert.equal(budget.usedBytes, cache.youngBytes + cache.oldBytes)
        assert.equal(
          cache.dirtyBytes,
          [...dirty.values()].reduce((sum, bytes) => sum + bytes, 0),
        )
        assert.equal(cache.dirtyEntries, dirty.size)
      }
      cache.flushDirty()
      assert.deepEqual(withoutNulls(below), withoutNulls(model))
      cache.close()
      assert.equal(budget.usedBytes, 0)
    }),
    { numRuns: 500 },
  )
})

test('what the young generation holds stays through one trim', () => {
  const budget = new CacheBudget(10_000)
  const cache = new ValueCache(budget, () => {})
  for (let index = 0; index < 1000; index++) {
    put(cache, `key-${index}`, index, 16)
    if (index % 10 !== 9) continue
    const batch = Array.from({ length: 10 }, (_, back) => `key-${index - back}`)
    budget.trim(cache)
    for (const recent of batch) assert.ok(find(cache, recent) !== undefined, `${recent} was just written`)
  }
})

test('two caches share the budget, and the sum stays below it between batches', () => {
  const budget = new CacheBudget(200_000)
  const caches = [new ValueCache(budget, () => {}), new ValueCache(budget, () => {})]
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 0, max: 5000 })), { minLength: 10, maxLength: 2000 }),
      (puts) => {
        for (const [which, number] of puts) {
          const cache = caches[which]!
          put(cache, String(number), number, 16)
          budget.trim(cache)
          assert.ok(budget.usedBytes <= 200_000, `${budget.usedBytes} bytes`)
        }
      },
    ),
    { numRuns: 20 },
  )
})

/** Just below and just above a size at which a table grows, and over two generations. */
for (const rows of [100_000, 131_073, 600_000]) {
  for (const kind of ['read', 'written']) {
    test(`${rows} rows that were ${kind} take about the memory that the cache charges for them`, async (t) => {
      const script = fileURLToPath(new URL('value-cache-heap.ts', import.meta.url))
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--expose-gc',
        script,
        String(rows),
        kind,
      ])
      const { entries, chargedBytes, memoryBytes } = JSON.parse(stdout) as MemoryFigures
      assert.equal(entries, rows)
      const figures = `${memoryBytes / rows} bytes a row, ${chargedBytes / rows} charged`
      t.diagnostic(figures)
      assert.ok(memoryBytes < 1.5 * chargedBytes && chargedBytes < 1.5 * memoryBytes, figures)
    })
  }
}

/** As they come: in the middle of other bytes. */
function bytesOf(key: string): [Buffer, number, number] {
  return [Buffer.from(`<${key}>`), 1, 1 + key.length]
}

function find(cache: ValueCache, key: string): CacheEntry | undefined {
  return cache.find(...bytesOf(key))
}

function add(cache: ValueCache, key: string, value: unknown): CacheEntry {
  return cache.add(...bytesOf(key), key, value, 0, 4)
}

function put(cache: ValueCache, key: string, value: unknown, bytes: number): void {
  cache.put(find(cache, key) ?? add(cache, key, null), value, 1, bytes)
}

function withoutNulls(map: Map<string, unknown>): Map<string, unknown> {
  return new Map([...map].filter(([, value]) => value !== null).sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('what a batch read ahead has touched stays until that batch ends, in whichever order batches end', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('read' as const), keys: fc.array(key, { minLength: 1, maxLength: 3 }) }),
    fc.record({ do: fc.constant('end' as const), which: fc.nat(3) }),
    fc.record({ do: fc.constant('put' as const), key }),
    fc.record({ do: fc.constant('age' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const cache = new ValueCache(new CacheBudget(1 << 30), () => {})
      const held: { pin: number; entries: CacheEntry[] }[] = []
      for (const each of steps) {
        if (each.do === 'read') {
          const pin = cache.pin()
          held.push({
            pin,
            entries: each.keys.map((name) => find(cache, name) ?? add(cache, name, null)),
          })
        } else if (each.do === 'end' && held.length > 0) {
          const batch = held.splice(each.which % held.length, 1)[0]!
          // Looked up here only: a look-up makes a row young.
          for (const entry of batch.entries) assert.equal(find(cache, entry.key as string), entry)
          cache.unpin(batch.pin)
        } else if (each.do === 'put') {
          put(cache, each.key, 1, 2)
        } else if (each.do === 'age' && cache.canRotate) {
          cache.rotate()
        }
      }
    }),
    { numRuns: 500 },
  )
})
