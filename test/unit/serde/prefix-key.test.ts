import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import {
  prefixFrame,
  prefixFrameBytes,
  prefixKeySerde,
  prefixOfFrame,
} from '../../../src/serde/prefix-key.ts'
import { serdes } from '../../../src/serde/serdes.ts'

const serde = prefixKeySerde(serdes.bytes, serdes.bytes)
const bytes = fc.uint8Array({ maxLength: 4 }).map((array) => Buffer.from(array))

function written(prefix: Buffer, rest: Buffer): Buffer {
  const writer = new ByteWriter(1)
  serde.serialize({ prefix, rest }, writer)
  return writer.copyFrom(0)
}

test('keys are read as they were written, and fall apart into prefix and rest', () => {
  fc.assert(
    fc.property(bytes, bytes, (prefix, rest) => {
      const key = written(prefix, rest)
      const back = serde.deserialize(key, 0, key.length)
      assert.deepEqual([Buffer.from(back.prefix), Buffer.from(back.rest)], [prefix, rest])
      const frame = key.subarray(0, prefixFrameBytes(key))
      assert.deepEqual(frame, prefixFrame(prefix))
      assert.deepEqual(prefixOfFrame(frame), prefix)
    }),
  )
})

test('no prefix with its length is the beginning of a key of another, and keys of one are in the order of their rests', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (prefix, rest, other, otherRest) => {
      const begins = written(other, otherRest)
        .subarray(0, prefix.length + 2)
        .equals(prefixFrame(prefix))
      assert.equal(begins, prefix.equals(other))
      assert.equal(
        Buffer.compare(written(prefix, rest), written(prefix, otherRest)),
        Buffer.compare(rest, otherRest),
      )
    }),
  )
})

test('what is no key, and a prefix that is too long, are refused', () => {
  for (const key of [Buffer.of(), Buffer.of(0), Buffer.of(0, 2, 1)])
    assert.throws(() => serde.deserialize(key, 0, key.length), /a key ends before its prefix does/)
  assert.throws(() => written(Buffer.alloc(65_536), Buffer.of()), /a prefix has 65536 bytes/)
})
