import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { ChangeBuffer, type FlushListener, type PendingChange } from '../../../src/state/change-buffer.ts'
import { type CacheEntry, ValueCache } from '../../../src/state/value-cache.ts'

type Change = PendingChange<string, number>

/** A change buffer beside the cache whose rows its changes hang on, as a store has them. */
class Changes {
  readonly cacheBudget = new CacheBudget(1 << 20)
  readonly budget = new CacheBudget(1 << 20)
  readonly cache = new ValueCache(this.cacheBudget, () => {})
  readonly buffer: ChangeBuffer<string, number>

  constructor(listener: FlushListener<string, number>) {
    this.buffer = new ChangeBuffer<string, number>(this.budget, this.cache, (key) => key, listener)
  }

  /** @param old the row at the last flush, for a key without a change; @param isSeen false: the row is not looked for in the cache */
  put(key: string, value: number | null, old: number | null, timestamp = 1, isSeen = true): void {
    const entry = isSeen ? this.#row(key) : (this.#cached(key) ?? null)
    let change = (entry?.change ?? null) as Change | null
    if (change === null && this.buffer.mayBeApart) change = this.buffer.takeApart(key, entry)
    this.buffer.put(change ?? this.buffer.add(entry, key, old, 4), value, timestamp)
  }

  flush(isFull = () => false): boolean {
    return this.buffer.flush(isFull)
  }

  #cached(key: string): CacheEntry | undefined {
    const bytes = Buffer.from(key)
    return this.cache.find(bytes, 0, bytes.length)
  }

  #row(key: string): CacheEntry {
    const bytes = Buffer.from(key)
    return this.#cached(key) ?? this.cache.add(bytes, 0, bytes.length, key, null, 0, 4)
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value: fc.option(fc.nat(9), { nil: null }),
      isSeen: fc.boolean(),
    }),
  },
  // After so many are told, the output is full, or the next one fails.
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('flush' as const), full: fc.nat(6), fails: fc.nat(6) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'rotate' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
)

describe('a change buffer', () => {
  test('tells each changed key once, from what was told last to what is there now', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const told = new Map<string, number | null>()
        const rows = new Map<string, number | null>()
        let tells = 0
        let failsAt = Infinity
        const changes = new Changes({
          origin: (before) => ((before as number | null) ?? 0) + 1,
          flushed: ({ key, oldValue, newValue }: Change) => {
            if (tells === failsAt) throw new Error('planted')
            tells++
            assert.equal(oldValue, told.get(key) ?? null)
            assert.equal(newValue, rows.get(key) ?? null)
            assert.ok(oldValue !== null || newValue !== null)
            told.set(key, newValue)
          },
        })
        const { buffer, budget } = changes
        for (const step of steps) {
          if (step.do === 'put') {
            changes.put(step.key, step.value, rows.get(step.key) ?? null, 1, step.isSeen)
            rows.set(step.key, step.value)
          } else if (step.do === 'rotate') {
            changes.cache.rotate()
          } else if (step.do === 'clear') {
            buffer.clear()
            changes.cache.discard()
            rows.clear()
            for (const [key, value] of told) rows.set(key, value)
          } else {
            tells = 0
            failsAt = step.fails === 0 ? Infinity : step.fails
            try {
              buffer.flush(() => tells >= step.full && step.full > 0)
            } catch (error) {
              assert.equal((error as Error).message, 'planted')
            }
          }
          assert.equal(budget.usedBytes, buffer.bytes)
          assert.equal(buffer.size === 0, buffer.bytes === 0)
        }
        failsAt = Infinity
        while (!changes.flush()) assert.ok(buffer.size > 0)
        for (const [key, value] of rows) assert.equal(told.get(key) ?? null, value)
        assert.equal(budget.usedBytes, 0)
      }),
      { numRuns: 1000 },
    )
  })

  test('tells them in the order of each last change, with the record of that change', () => {
    const told: [string, unknown][] = []
    let record = 0
    const changes = new Changes({
      origin: () => record,
      flushed: ({ key, origin }: Change) => told.push([key, origin]),
    })
    for (const key of ['a', 'b', 'a', 'c', 'b']) {
      record++
      changes.put(key, record, null)
    }
    assert.equal(changes.flush(), true)
    assert.deepEqual(told, [
      ['a', 3],
      ['c', 4],
      ['b', 5],
    ])
  })

  test('keeps the order of keys that are put again and again, through interruptions', () => {
    const told: string[] = []
    let isFull = false
    const changes = new Changes({
      origin: () => null,
      flushed: ({ key, newValue }: Change) => {
        told.push(`${key}${newValue}`)
        isFull = true
      },
    })
    const putAll = (round: number): void => {
      for (const key of ['a', 'b', 'c']) changes.put(key, round, null)
    }
    for (let round = 0; round < 10_000; round++) putAll(round)
    // Interrupted after each, and c put again.
    assert.equal(
      changes.flush(() => isFull),
      false,
    )
    for (let round = 0; round < 10_000; round++) changes.put('c', round, null)
    isFull = false
    assert.equal(
      changes.flush(() => isFull),
      false,
    )
    isFull = false
    assert.equal(changes.flush(), true)
    assert.deepEqual(told, ['a9999', 'b9999', 'c9999'])
  })

  test('takes what the listener itself puts under the same key', () => {
    for (const isApart of [false, true]) {
      const told: [number | null, number | null][] = []
      let fails = false
      const changes: Changes = new Changes({
        origin: () => null,
        flushed: ({ oldValue, newValue }: Change) => {
          if (newValue === 1) changes.put('a', 2, 1)
          if (fails) throw new Error('planted')
          told.push([oldValue, newValue])
        },
      })
      const age = (): void => {
        if (!isApart) return
        changes.cache.rotate()
        changes.cache.rotate()
      }
      changes.put('a', 1, null)
      age()
      assert.equal(changes.flush(), false)
      assert.equal(changes.flush(), true)
      assert.deepEqual(told, [
        [null, 1],
        [1, 2],
      ])

      // It puts and then fails: the key goes from what was told to what is there.
      told.length = 0
      changes.put('a', 1, 2)
      age()
      fails = true
      assert.throws(() => changes.flush(), /planted/)
      fails = false
      assert.equal(changes.flush(), true)
      assert.deepEqual(told, [[2, 2]])
    }
  })
})
