import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { Headers } from '../../../src/process/headers.ts'
import {
  PartReader,
  type RecordOrigin,
  readRecordOrigin,
  writeRecordOrigin,
} from '../../../src/process/record-origin.ts'
import { ByteWriter } from '../../../src/serde/byte-writer.ts'

function written(origin: RecordOrigin): Buffer {
  const writer = new ByteWriter(8)
  writeRecordOrigin(origin, writer)
  return writer.copyFrom(0)
}

function read(buffer: Buffer): RecordOrigin {
  const parts = new PartReader(buffer, 0, buffer.length)
  const origin = readRecordOrigin(parts)
  parts.done()
  return origin
}

const origins: fc.Arbitrary<RecordOrigin> = fc
  .record({
    topic: fc.string({ unit: 'grapheme' }),
    partition: fc.nat(),
    offset: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
    timestamp: fc.nat(Number.MAX_SAFE_INTEGER),
    pairs: fc.array(fc.tuple(fc.string(), fc.option(fc.string())), { maxLength: 3 }),
  })
  .map(({ pairs, ...place }) => ({
    ...place,
    headers: pairs.reduce((headers, [key, value]) => headers.with(key, value), Headers.empty),
  }))

/** The fields in Kafka Streams' order; suppress-row.test.ts and topics.test.ts compare with bytes that Kafka Streams wrote. */
test('an origin is its timestamp, offset, topic, partition and headers', () => {
  const headers = Headers.empty.with('h', 'x')
  assert.equal(
    written({ topic: 'in', partition: 3, offset: 5, timestamp: 7, headers }).toString('hex'),
    `${'0000000000000007'}${'0000000000000005'}${'00000002'}696e${'00000003'}${'00000001'}${'00000001'}68${'00000001'}78`,
  )
})

test('what was written is read', () => {
  fc.assert(
    fc.property(origins, (origin) => {
      const bytes = written(origin)
      const { headers, ...place } = read(bytes)
      const { headers: _, ...given } = origin
      assert.deepEqual(place, given)
      assert.deepEqual(written({ ...place, headers }), bytes)
    }),
  )
})

test('bytes that end elsewhere are refused', () => {
  fc.assert(
    fc.property(origins, fc.nat(), (origin, cut) => {
      const bytes = written(origin)
      assert.throws(() => read(bytes.subarray(0, cut % bytes.length)), /in the middle of a part/)
      assert.throws(() => read(Buffer.concat([bytes, Buffer.alloc(1)])), /1 bytes before its row/)
    }),
  )
})
