import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { ChangeBuffer, type FlushListener, type PendingChange } from '../../../src/state/change-buffer.ts'
import { ValueCache } from '../../../src/state/value-cache.ts'

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

  /** @param old the row at the last flush, for a key without a change; @param isCached false: what is put does not come into the cache */
  put(key: string, value: number | null, old: number | null, isCached = true): void {
    const bytes = Buffer.from(key)
    const known = this.cache.find(bytes, 0, bytes.length) ?? null
    const entry = isCached ? (known ?? this.cache.add(bytes, 0, bytes.length, key, old, 0, 4)) : null
    let slot = (entry ?? known)?.change ?? -1
    if (entry !== null) this.cache.put(entry, value, 1, 4)
    if (slot < 0 && this.buffer.mayBeApart) slot = this.buffer.takeApart(key, entry)
    if (slot < 0) slot = this.buffer.add(entry, key, old, 4)
    if (entry !== null) this.buffer.put(slot)
    else this.buffer.putApart(slot, value, 1)
  }

  /** A row is deleted to make room. */
  limit(key: string): void {
    const bytes = Buffer.from(key)
    const known = this.cache.find(bytes, 0, bytes.length)
    if (known === undefined) return
    this.buffer.detach(known)
    this.cache.put(known, null, 2, 4)
  }

  flush(isFull = () => false): boolean {
    return this.buffer.flush(isFull)
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
      isCached: fc.boolean(),
    }),
  },
  // After so many are told, the output is full, or the next one fails.
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('flush' as const), full: fc.nat(6), fails: fc.nat(6) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'rotate' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), key }) },
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
          keep: () => {},
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
            changes.put(step.key, step.value, rows.get(step.key) ?? null, step.isCached)
            rows.set(step.key, step.value)
          } else if (step.do === 'limit') {
            changes.limit(step.key)
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
    const records: number[] = []
    const changes = new Changes({
      keep: (slot) => {
        records[slot] = record
      },
      flushed: ({ key, slot }: Change) => told.push([key, records[slot]]),
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
      keep: () => {},
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
        keep: () => {},
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
