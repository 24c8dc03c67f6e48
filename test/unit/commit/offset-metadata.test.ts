import assert from 'node:assert/strict'
import test from 'node:test'

import { CHANGELOG_ENDS_MAX, changelogId } from '../../../src/commit/changelog-ends.ts'
import {
  changelogEndsOf,
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  newerOffsetFormat,
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

test('metadata of a later format is known for what it is, and nothing of it is read', () => {
  const own = Buffer.from(
    encodeOffsetMetadata(7, new Map([['s', 5]]), new Map([[changelogId('s', ''), 3]])),
    'base64',
  )
  for (const [magic, format] of [
    [1, null],
    [2, null],
    [3, 3],
    [15, 15],
    [16, null],
    [255, null],
  ] as const) {
    const bytes = Buffer.from(own)
    bytes[0] = magic
    const text = bytes.toString('base64')
    assert.equal(newerOffsetFormat(text), format)
    if (magic < 3) continue
    assert.equal(decodeOffsetMetadata(text), -1)
    assert.deepEqual([...processorMetadataOf([text]), ...changelogEndsOf([text])], [])
  }
  // Of somebody else, though it begins as ours would; too short.
  const others = [undefined, '', 'AwAAAAAAAAAH', 'Aw of somebody else, in words', 'Awwww-tool-1.2']
  assert.deepEqual(others.map(newerOffsetFormat), [null, null, 3, null, null])
})

test('ends of changelogs of a later version are none', () => {
  const bytes = Buffer.from(
    encodeOffsetMetadata(7, undefined, new Map([[changelogId('s', ''), 3]])),
    'base64',
  )
  bytes[bytes.lastIndexOf('W'.charCodeAt(0), 14) + 1] = 2
  const text = bytes.toString('base64')
  assert.deepEqual([decodeOffsetMetadata(text), [...changelogEndsOf([text])]], [7, []])
})

test('the ends of changelogs come last, where Kafka Streams reads nothing, and go through', () => {
  const ends = new Map([
    [changelogId('counts', 'topic-id'), 2 ** 52],
    [changelogId('counts', 'another-topic-id'), 0],
  ])
  assert.equal(ends.size, 2)
  for (const processors of [new Map<string, number>(), new Map([['s', 5]])]) {
    const metadata = encodeOffsetMetadata(7, processors, ends)
    const withoutEnds = Buffer.from(encodeOffsetMetadata(7, processors), 'base64').toString('hex')
    const bytes = Buffer.from(metadata, 'base64').toString('hex')
    // No processor metadata, in so many words.
    assert.ok(bytes.startsWith(processors.size === 0 ? `${withoutEnds}00000000` : withoutEnds))
    assert.equal(decodeOffsetMetadata(metadata), 7)
    assert.deepEqual(processorMetadataOf([metadata]), processors)
    assert.deepEqual(changelogEndsOf([metadata]), ends)
  }
  assert.deepEqual(
    changelogEndsOf([undefined, 'consumer-1', encodeOffsetMetadata(1, new Map([['s', 5]]))]),
    new Map(),
  )
})

test('ends of changelogs are what all partitions say; what is cut off, and what does not fit, is none', () => {
  const of = (...entries: [string, number][]): string => encodeOffsetMetadata(1, undefined, new Map(entries))
  const [a, b] = [changelogId('a', ''), changelogId('b', '')]
  const both = of([a, 1], [b, 9])
  assert.deepEqual(
    changelogEndsOf([both, both]),
    new Map([
      [a, 1],
      [b, 9],
    ]),
  )
  // One that Kafka Streams has not committed, and one that it has.
  for (const other of [of([a, 4], [b, 9]), of([a, 1]), encodeOffsetMetadata(1), undefined]) {
    assert.deepEqual(changelogEndsOf([both, other]), new Map())
    assert.deepEqual(changelogEndsOf([other, both]), new Map())
  }
  const cut = Buffer.from(of([a, 1]), 'base64')
    .subarray(0, -1)
    .toString('base64')
  assert.deepEqual(changelogEndsOf([cut]), new Map())
  const many = new Map(
    Array.from({ length: CHANGELOG_ENDS_MAX + 1 }, (_, index) => [changelogId('s', String(index)), 1]),
  )
  assert.deepEqual(changelogEndsOf([encodeOffsetMetadata(1, undefined, many)]), new Map())
  many.delete(changelogId('s', '0'))
  const most = encodeOffsetMetadata(1, new Map([['a processor of a long name', 1]]), many)
  assert.equal(changelogEndsOf([most]).size, CHANGELOG_ENDS_MAX)
  assert.ok(most.length <= 4096)
})
