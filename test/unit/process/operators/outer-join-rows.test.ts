import assert from 'node:assert/strict'
import { test } from 'node:test'

import { waitingKeySerde, waitingListSerde } from '../../../../src/process/operators/outer-join-rows.ts'
import { ByteWriter } from '../../../../src/serde/byte-writer.ts'
import type { Serde } from '../../../../src/serde/serde.ts'
import { serdes } from '../../../../src/serde/serdes.ts'

function bytesOf<T>(serde: Serde<T>, value: T): string {
  const writer = new ByteWriter(1)
  serde.serialize(value, writer)
  return writer.copyFrom(0).toString('hex')
}

/** Between other bytes, as rows lie in an arena. */
function decoded<T>(serde: Serde<T>, hex: string): T {
  const buffer = Buffer.from(`ff${hex}ff`, 'hex')
  return serde.deserialize(buffer, 1, buffer.length - 1)
}

const keySerde = waitingKeySerde(serdes.string)
const listSerde = waitingListSerde(serdes.string as Serde<unknown>, serdes.int32 as Serde<unknown>)

test('a waiting key is its time, its side and the key: what TimestampedKeyAndJoinSideSerializer writes', () => {
  const left = { timestamp: 0x0102_0304_0506, isLeft: true, key: 'k1' }
  assert.equal(bytesOf(keySerde, left), '0000010203040506016b31')
  assert.deepEqual(decoded(keySerde, '0000010203040506016b31'), left)
  assert.deepEqual(decoded(keySerde, '0000000000000007006b'), { timestamp: 7, isLeft: false, key: 'k' })
})

test('waiting values are a list of side and value: what ListSerializer writes of LeftOrRightValueSerializer', () => {
  const left = { isLeft: true, values: ['ab', '', 'c'] }
  const leftBytes = '0100000003' + '00000003016162' + '0000000101' + '000000020163'
  assert.equal(bytesOf(listSerde, left), leftBytes)
  assert.deepEqual(decoded(listSerde, leftBytes), left)
  const right = { isLeft: false, values: [258, -1] }
  const rightBytes = '0100000002' + '000000050000000102' + '0000000500ffffffff'
  assert.equal(bytesOf(listSerde, right), rightBytes)
  assert.deepEqual(decoded(listSerde, rightBytes), right)
})

test('a list that does not end where it should is refused', () => {
  assert.throws(() => decoded(listSerde, '01000000010000000501616261'), RangeError)
})
