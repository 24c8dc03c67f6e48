import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { timedKey, timeRange } from '../../../examples/support/timed-key.ts'
import { bytesOf, textWithoutZero, timeMs } from './key-bytes.ts'

const key = fc.record(
  { owner: textWithoutZero, timeMs, id: fc.string({ unit: 'grapheme' }) },
  { noNullPrototype: true },
)

describe('the key of rows by owner and time', () => {
  test('is read as it was written, between other bytes', () => {
    fc.assert(
      fc.property(key, (value) => {
        const bytes = bytesOf(timedKey, value)
        const arena = Buffer.concat([Buffer.from('before\0'), bytes, Buffer.from('\0after')])
        assert.deepEqual(timedKey.deserialize(arena, 7, 7 + bytes.length), value)
      }),
    )
  })

  test('lies in the range of its owner and time, and in no other', () => {
    fc.assert(
      fc.property(key, textWithoutZero, timeMs, timeMs, (value, owner, one, other) => {
        const [fromMs, toMs] = one < other ? [one, other] : [other, one]
        const [from, to] = timeRange(owner, fromMs, toMs).map((bound) => bytesOf(timedKey, bound))
        const bytes = bytesOf(timedKey, value)
        const isInside = from!.compare(bytes) <= 0 && bytes.compare(to!) <= 0
        assert.equal(isInside, value.owner === owner && fromMs <= value.timeMs && value.timeMs <= toMs)
      }),
    )
  })

  test('refuses what would break its order', () => {
    assert.throws(() => bytesOf(timedKey, { owner: 'a\0b', timeMs: 1, id: '' }), /U\+0000/)
    assert.throws(() => bytesOf(timedKey, { owner: 'a', timeMs: -1, id: '' }), /timeMs is -1/)
    assert.throws(() => timedKey.deserialize(Buffer.from('a\x0a3'), 0, 5), RangeError)
  })
})
