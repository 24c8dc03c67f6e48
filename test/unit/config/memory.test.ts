import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { ConfigError } from '../../../src/config/config-error.ts'
import {
  defaultMemoryBytes,
  divideMemory,
  memoryBytesMin,
  memoryParts,
  threadsThatFit,
} from '../../../src/config/memory.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30
const none = { stateCacheBytes: null, blockCacheBytes: null, writeBufferBytes: null }

describe('divideMemory', () => {
  test('by the documented shares when nothing is set', () => {
    const budget = divideMemory(4 * GiB, 2, none)
    const sizes = [
      budget.blockCacheBytes,
      budget.stateCacheBytes,
      budget.overlayBytes,
      budget.fetchQueueBytes,
      budget.producerQueueBytes,
      budget.heapBytesPerThread * 2,
      budget.reserveBytes,
    ]
    assert.equal(
      memoryParts.reduce((sum, share) => sum + share.percent, 0),
      100,
    )
    for (const [index, share] of memoryParts.entries()) {
      assert.equal(Math.round(((sizes[index] ?? 0) / (4 * GiB)) * 100), share.percent, share.name)
    }
    assert.equal(budget.writeBufferBytes, Math.floor(budget.blockCacheBytes / 2))
  })

  test('the parts never exceed the whole, whatever is set', () => {
    const size = fc.option(fc.integer({ min: 8 * MiB, max: 3 * GiB }), { nil: null })
    let divided = 0
    fc.assert(
      fc.property(
        fc.integer({ min: memoryBytesMin, max: 64 * GiB }),
        fc.integer({ min: 1, max: 64 }),
        size,
        size,
        size,
        (memoryBytes, threads, stateCacheBytes, blockCacheBytes, writeBufferBytes) => {
          const overrides = { stateCacheBytes, blockCacheBytes, writeBufferBytes }
          let budget: ReturnType<typeof divideMemory>
          try {
            budget = divideMemory(memoryBytes, threads, overrides)
          } catch (error) {
            assert.ok(error instanceof ConfigError)
            return
          }
          divided++
          const sum =
            budget.blockCacheBytes +
            budget.stateCacheBytes +
            budget.overlayBytes +
            budget.fetchQueueBytes +
            budget.producerQueueBytes +
            budget.heapBytesPerThread * threads +
            budget.reserveBytes
          assert.ok(sum <= memoryBytes && sum > memoryBytes - 7 - threads, `${sum} of ${memoryBytes}`)
          for (const [key, value] of Object.entries(overrides)) {
            if (value !== null) assert.equal(budget[key as keyof typeof overrides], value)
          }
          assert.ok(budget.writeBufferBytes <= (budget.blockCacheBytes * 3) / 4)
          assert.ok(budget.reserveBytes >= 96 * MiB && budget.heapBytesPerThread >= 40 * MiB)
          assert.ok(budget.producerQueueBytes >= 12 * MiB * threads)
        },
      ),
      { numRuns: 500 },
    )
    assert.ok(divided > 50, `only ${divided} were divided`)
  })

  test('threads fit as far as it says', () => {
    for (const memoryBytes of [memoryBytesMin, 777 * MiB, GiB, 5 * GiB]) {
      const threads = threadsThatFit(memoryBytes)
      divideMemory(memoryBytes, threads, none)
      assert.throws(() => divideMemory(memoryBytes, threads + 1, none), ConfigError)
    }
  })
})

test('the default is four fifths of the limit, or 2 GiB, and never more than the machine has', () => {
  assert.equal(defaultMemoryBytes({ memoryLimitBytes: 10 * GiB, memoryBytes: 64 * GiB }), 8 * GiB)
  assert.equal(defaultMemoryBytes({ memoryLimitBytes: null, memoryBytes: 64 * GiB }), 2 * GiB)
  assert.equal(defaultMemoryBytes({ memoryLimitBytes: null, memoryBytes: GiB }), GiB)
  assert.equal(defaultMemoryBytes({ memoryLimitBytes: 100 * MiB, memoryBytes: GiB }), memoryBytesMin)
})
