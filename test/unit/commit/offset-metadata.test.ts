import assert from 'node:assert/strict'
import test from 'node:test'

import { decodeOffsetMetadata, encodeOffsetMetadata } from '../../../src/commit/offset-metadata.ts'

test('the partition time goes through the committed metadata', () => {
  for (const time of [-1, 0, 1, 1_732_000_000_123, 2 ** 52])
    assert.equal(decodeOffsetMetadata(encodeOffsetMetadata(time)), time)
})

test('the bytes are magic 2 and the time, as Kafka Streams writes them', () => {
  assert.equal(
    Buffer.from(encodeOffsetMetadata(0x0102030405), 'base64').toString('hex'),
    '020000000102030405',
  )
})

test('metadata of others is no partition time', () => {
  for (const text of [undefined, '', 'consumer-1', 'AQ==']) assert.equal(decodeOffsetMetadata(text), -1)
})
