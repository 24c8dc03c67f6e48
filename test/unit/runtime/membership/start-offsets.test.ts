import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { isContinuous, startOffset } from '../../../../src/runtime/membership/start-offsets.ts'
import type { OffsetReset } from '../../../../src/topology/definition.ts'

const at = (offset: number) => ({ topic: 't', partition: 3, offset, metadata: 'AAA=' })

describe('startOffset', () => {
  const cases: readonly (readonly [number, OffsetReset, number, string])[] = [
    [10, 'latest', 10, 'committed'],
    [15, 'latest', 15, 'committed'],
    [20, 'none', 20, 'committed'],
    [-1, 'earliest', 10, 'initial'],
    [-1, 'latest', 20, 'initial'],
    [9, 'earliest', 10, 'deleted'],
    [0, 'latest', 20, 'deleted'],
    [21, 'earliest', 10, 'beyond'],
    [99, 'latest', 20, 'beyond'],
  ]
  for (const [committed, policy, offset, reason] of cases) {
    test(`committed ${committed}, log 10 to 20, ${policy}`, () => {
      const start = startOffset(at(committed), [10, 20], policy)
      assert.deepEqual([start.offset, start.reason], [offset, reason])
    })
  }

  test('metadata of a committed offset is kept, that of a reset one is not', () => {
    assert.equal(startOffset(at(15), [10, 20], 'earliest').metadata, 'AAA=')
    assert.equal(startOffset(at(5), [10, 20], 'earliest').metadata, undefined)
  })

  test('none names the partition and what is wrong', () => {
    const refused = (offset: number, message: RegExp): void =>
      assert.throws(() => startOffset(at(offset), [10, 20], 'none'), {
        code: 'source-offset-out-of-range',
        message,
      })
    refused(-1, /^t partition 3: the group has no committed offset, and the offset reset is none$/)
    refused(5, /offset 5 was deleted \(the log begins at 10\)/)
    refused(25, /offset 25 lies beyond the log's end at 20/)
  })
})

test('only the very next generation is continuous', () => {
  assert.deepEqual(
    [
      [3, 4],
      [3, 5],
      [3, 3],
      [-1, 0],
      [-1, 4],
    ].map(([revoked, assigned]) => isContinuous(revoked!, assigned!)),
    [true, false, false, false, false],
  )
})
