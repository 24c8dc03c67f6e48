import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { PartitionGroup, type QueuedInput } from '../../../src/runtime/partition-group.ts'

interface Input extends QueuedInput {
  readonly name: string
}

function withRecord(name: string, headTimestamp: number): Input {
  return { name, hasRecord: true, isAwaited: false, headTimestamp }
}

function empty(name: string, isAwaited = false): Input {
  return { name, hasRecord: false, isAwaited, headTimestamp: Number.NaN }
}

/** What a group with these inputs chooses at time 0. */
function chosen(inputs: readonly Input[], maxTaskIdleMs: number): string | null {
  return new PartitionGroup(inputs, maxTaskIdleMs, () => 0).choose()?.name ?? null
}

describe('the next record', () => {
  test('is that with the smallest timestamp when every input has one; of equals, that of the first input', () => {
    const timestamps = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(timestamps, fc.constantFrom(-1, 0, 1_000), (heads, maxTaskIdleMs) => {
        const expected = heads.indexOf(Math.min(...heads))
        const inputs = heads.map((timestamp, index) => withRecord(String(index), timestamp))
        assert.equal(chosen(inputs, maxTaskIdleMs), String(expected))
      }),
    )
  })

  test('is none when no input has one', () => {
    for (const maxTaskIdleMs of [-1, 0, 1_000])
      assert.equal(chosen([empty('a'), empty('b')], maxTaskIdleMs), null)
  })

  test('waits for an empty input that the broker has records for, unless it never waits', () => {
    const inputs = [withRecord('a', 5), empty('b', true)]
    assert.equal(chosen(inputs, 0), null)
    assert.equal(chosen(inputs, 1_000), null)
    assert.equal(chosen(inputs, -1), 'a')
  })

  test('waits for an input that nothing is known to come for only as long as max.task.idle.ms', () => {
    const inputs = [empty('a'), withRecord('b', 5)]
    assert.equal(chosen(inputs, 0), 'b')
    assert.equal(chosen(inputs, -1), 'b')
    let now = 10
    const group = new PartitionGroup(inputs, 100, () => now)
    assert.equal(group.choose(), null)
    now += 99
    assert.equal(group.choose(), null)
    now += 1
    assert.equal(group.choose()?.name, 'b')
    // Until something changes it goes on without waiting again.
    assert.equal(group.choose()?.name, 'b')
  })

  for (const [what, between] of [
    ['every input has had a record', withRecord('a', 7)],
    ['records were on their way', empty('a', true)],
  ] as const) {
    test(`waits for the whole time anew after ${what}`, () => {
      const inputs: Input[] = [empty('a'), withRecord('b', 5)]
      let now = 10
      const group = new PartitionGroup(inputs, 100, () => now)
      assert.equal(group.choose(), null)
      now += 99
      inputs[0] = between
      group.choose()
      inputs[0] = empty('a')
      now += 1
      assert.equal(group.choose(), null)
      now += 100
      assert.equal(group.choose()?.name, 'b')
    })
  }
})
