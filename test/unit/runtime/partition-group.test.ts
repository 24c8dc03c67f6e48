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
    assert.equal(group.waitsUntilMs, 110)
    now += 99
    assert.equal(group.choose(), null)
    now += 1
    assert.equal(group.choose()?.name, 'b')
    assert.equal(group.waitsUntilMs, Number.POSITIVE_INFINITY)
    // Until something changes it goes on without waiting again.
    assert.equal(group.choose()?.name, 'b')
  })

  for (const [what, between] of [
    ['it has had a record', withRecord('a', 7)],
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

  test('waits for each input by itself: one that was waited for is not again because another one is empty too', () => {
    const inputs: Input[] = [empty('a'), withRecord('b', 5), withRecord('c', 6)]
    let now = 10
    const group = new PartitionGroup(inputs, 100, () => now)
    assert.equal(group.choose(), null)
    now += 100
    assert.equal(group.choose()?.name, 'b')
    inputs[1] = empty('b')
    assert.equal(group.choose(), null)
    now += 99
    assert.equal(group.choose(), null)
    now += 1
    assert.equal(group.choose()?.name, 'c')
    // All are empty: the time counts for those that are waited for.
    inputs[2] = empty('c')
    assert.equal(group.choose(), null)
    now += 50
    inputs[2] = withRecord('c', 7)
    assert.equal(group.choose()?.name, 'c')
  })

  test('gives what a group gives that is written as KIP-695 tells it', () => {
    type Step = { readonly heads: readonly (number | 'awaited' | 'empty')[]; readonly passedMs: number }
    const head = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.constant('awaited' as const),
      fc.constant('empty' as const),
    )
    const steps = fc.array(
      fc.record({ heads: fc.tuple(head, head, head), passedMs: fc.integer({ min: 0, max: 60 }) }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(steps, fc.constantFrom(-1, 0, 100), (sequence: readonly Step[], maxTaskIdleMs) => {
        const inputs: Input[] = [empty('0'), empty('1'), empty('2')]
        let now = 0
        const group = new PartitionGroup(inputs, maxTaskIdleMs, () => now)
        const deadlines = new Map<number, number>()
        for (const { heads, passedMs } of sequence) {
          now += passedMs
          for (const [index, one] of heads.entries()) {
            const isHead = typeof one === 'number'
            inputs[index] = isHead ? withRecord(String(index), one) : empty(String(index), one === 'awaited')
            if (one !== 'empty') deadlines.delete(index)
            else if (!deadlines.has(index)) deadlines.set(index, now + maxTaskIdleMs)
          }
          const records = heads.filter((one) => typeof one === 'number')
          const isReady =
            records.length > 0 &&
            (maxTaskIdleMs === -1 ||
              (!heads.includes('awaited') && [...deadlines.values()].every((deadline) => now >= deadline)))
          const expected = isReady ? String(heads.indexOf(Math.min(...records))) : null
          assert.equal(group.choose()?.name ?? null, expected)
        }
      }),
    )
  })
})
