import assert from 'node:assert/strict'
import test from 'node:test'

import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  processorMetadataOf,
} from '../../../src/commit/offset-metadata.ts'

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

test('processor metadata follows, as Kafka Streams writes it', () => {
  const metadata = encodeOffsetMetadata(
    7,
    new Map([
      ['s', 5],
      ['größe', 2 ** 52],
    ]),
  )
  assert.equal(
    Buffer.from(metadata, 'base64').toString('hex'),
    `020000000000000007${'00000002'}${'00000001'}73${'0000000000000005'}${'00000007'}6772c3b6c39f65${'0010000000000000'}`,
  )
  assert.equal(decodeOffsetMetadata(metadata), 7)
  assert.deepEqual(
    [...processorMetadataOf([metadata])],
    [
      ['s', 5],
      ['größe', 2 ** 52],
    ],
  )
})

test("of several partitions' processor metadata the highest values stay", () => {
  const of = (...entries: [string, number][]): string => encodeOffsetMetadata(1, new Map(entries))
  assert.deepEqual(
    [
      ...processorMetadataOf([of(['a', 1], ['b', 9]), undefined, of(['a', 4], ['c', 2]), of(['b', 3])]),
    ].sort(),
    [
      ['a', 4],
      ['b', 9],
      ['c', 2],
    ],
  )
})

test('metadata of others is no processor metadata', () => {
  const header = '020000000000000007'
  for (const hex of [
    '',
    '01',
    `${header}7fffffff`,
    `${header}0000000100000900`,
    header,
    '010000000000000007ffff',
  ])
    assert.deepEqual([...processorMetadataOf([Buffer.from(hex, 'hex').toString('base64')])], [], hex)
})
