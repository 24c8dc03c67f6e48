import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { CacheBudget } from '../../../src/state/cache-budget.ts'
import { ChangeBuffer, type PendingChange } from '../../../src/state/change-buffer.ts'

type Change = PendingChange<string, number>

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value: fc.option(fc.nat(9), { nil: null }),
    }),
  },
  // After so many are told, the output is full, or the next one fails.
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('flush' as const), full: fc.nat(6), fails: fc.nat(6) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
)

describe('a change buffer', () => {
  test('tells each changed key once, from what was told last to what is there now', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const budget = new CacheBudget(1 << 20)
        const told = new Map<string, number | null>()
        const rows = new Map<string, number | null>()
        let tells = 0
        let failsAt = Infinity
        const buffer = new ChangeBuffer<string, number>(budget, {
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
        const put = (key: string, value: number | null): void => {
          if (!buffer.has(key)) buffer.add(key, key, rows.get(key) ?? null, 4)
          rows.set(key, value)
          buffer.put(key, value, 1)
        }
        for (const step of steps) {
          if (step.do === 'put') {
            put(step.key, step.value)
          } else if (step.do === 'clear') {
            buffer.clear()
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
        while (!buffer.flush(() => false)) assert.ok(buffer.size > 0)
        for (const [key, value] of rows) assert.equal(told.get(key) ?? null, value)
        assert.equal(budget.usedBytes, 0)
      }),
      { numRuns: 1000 },
    )
  })

  test('tells them in the order of each last change, with the record of that change', () => {
    const told: [string, unknown][] = []
    let record = 0
    const buffer = new ChangeBuffer<string, number>(new CacheBudget(1 << 20), {
      origin: () => record,
      flushed: ({ key, origin }: Change) => told.push([key, origin]),
    })
    for (const key of ['a', 'b', 'a', 'c', 'b']) {
      record++
      if (!buffer.has(key)) buffer.add(key, key, null, 0)
      buffer.put(key, record, record)
    }
    assert.equal(
      buffer.flush(() => false),
      true,
    )
    assert.deepEqual(told, [
      ['a', 3],
      ['c', 4],
      ['b', 5],
    ])
  })

  test('takes what the listener itself puts under the same key', () => {
    const told: [number | null, number | null][] = []
    const put = (value: number, old: number | null): void => {
      if (!buffer.has('a')) buffer.add('a', 'a', old, 0)
      buffer.put('a', value, 0)
    }
    let fails = false
    const buffer: ChangeBuffer<string, number> = new ChangeBuffer<string, number>(new CacheBudget(1 << 20), {
      origin: () => null,
      flushed: ({ oldValue, newValue }: Change) => {
        if (newValue === 1) put(2, 1)
        if (fails) throw new Error('planted')
        told.push([oldValue, newValue])
      },
    })
    put(1, null)
    assert.equal(
      buffer.flush(() => false),
      false,
    )
    assert.equal(
      buffer.flush(() => false),
      true,
    )
    assert.deepEqual(told, [
      [null, 1],
      [1, 2],
    ])

    // It puts and then fails: the key goes from what was told to what is there.
    told.length = 0
    put(1, 2)
    fails = true
    assert.throws(() => buffer.flush(() => false), /planted/)
    fails = false
    assert.equal(
      buffer.flush(() => false),
      true,
    )
    assert.deepEqual(told, [[2, 2]])
  })
})
