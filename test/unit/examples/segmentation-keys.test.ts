import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { deadlineKey, eventKey, eventRest, membershipKey } from '../../../examples/segmentation/keys.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { bytesOf, textWithoutZero, timeMs } from './key-bytes.ts'

const event = fc.record(
  { user: textWithoutZero, type: textWithoutZero, timestamp: timeMs, offset: timeMs },
  { noNullPrototype: true },
)
const rest = fc.record(
  { type: textWithoutZero, timestamp: timeMs, offset: timeMs },
  { noNullPrototype: true },
)
const membership = fc.record({ user: textWithoutZero, rule: textWithoutZero }, { noNullPrototype: true })
const deadline = fc.record(
  { deadline: timeMs, user: textWithoutZero, rule: textWithoutZero },
  { noNullPrototype: true },
)

function roundTrips<T>(serde: Serde<T>, value: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(value, (one) => {
      const bytes = bytesOf(serde, one)
      const arena = Buffer.concat([Buffer.from('x\0'), bytes, Buffer.from('y\0\0\0\0\0\0\0\0\0')])
      assert.deepEqual(serde.deserialize(arena, 2, 2 + bytes.length), one)
      // One byte less or more is no key: what follows belongs to another record.
      assert.throws(() => serde.deserialize(arena, 2, 1 + bytes.length), RangeError)
      assert.throws(() => serde.deserialize(arena, 2, 3 + bytes.length), RangeError)
    }),
  )
}

describe("the segmentation example's keys", () => {
  test('events are read as they were written', () => roundTrips(eventKey, event))
  test("the rests of events' keys are read as they were written", () => roundTrips(eventRest, rest))
  test('memberships are read as they were written', () => roundTrips(membershipKey, membership))
  test('deadlines are read as they were written', () => roundTrips(deadlineKey, deadline))

  test("a range holds exactly a user's events of a type within a window", () => {
    fc.assert(
      fc.property(event, textWithoutZero, textWithoutZero, timeMs, (one, user, type, from) => {
        const last = Number.MAX_SAFE_INTEGER
        const bytes = bytesOf(eventKey, one)
        const low = bytesOf(eventKey, { user, type, timestamp: from, offset: 0 })
        const high = bytesOf(eventKey, { user, type, timestamp: last, offset: last })
        const isInside = low.compare(bytes) <= 0 && bytes.compare(high) <= 0
        assert.equal(isInside, one.user === user && one.type === type && one.timestamp >= from)
      }),
    )
  })

  test("an event's key is its user and its rest", () => {
    fc.assert(
      fc.property(event, ({ user, ...own }) => {
        const bytes = Buffer.concat([Buffer.from(`${user}\0`), bytesOf(eventRest, own)])
        assert.deepEqual(bytesOf(eventKey, { user, ...own }), bytes)
      }),
    )
  })

  test('everything due lies before the end of the range of deadlines', () => {
    fc.assert(
      fc.property(deadline, timeMs, (one, nowMs) => {
        const end = bytesOf(deadlineKey, { deadline: nowMs, user: '\u{10ffff}', rule: '\u{10ffff}' })
        const isDue = bytesOf(deadlineKey, one).compare(end) <= 0
        // Names that begin with the last character of Unicode are the only ones that could lie behind the
        // end: no user has one.
        fc.pre(!one.user.startsWith('\u{10ffff}'))
        assert.equal(isDue, one.deadline <= nowMs)
      }),
    )
  })

  test('a text with the separator is refused', () => {
    assert.throws(() => bytesOf(membershipKey, { user: 'a\0b', rule: 'r' }), /U\+0000/)
  })
})
