import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { Headers } from '../../../src/process/headers.ts'
import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import { readSuppressedChange, writeSuppressedChange } from '../../../src/state/suppress-row.ts'

const change = {
  prior: 'p',
  oldValue: 'old',
  newValue: null,
  origin: {
    topic: 'tö',
    partition: 3,
    offset: 258,
    timestamp: 1_000,
    headers: Headers.empty.with('h', 'x').with('i', null),
  },
}

/** Part by part, as Kafka Streams' BufferValue and ProcessorRecordContext write it. */
const hex = [
  '00000000000003e8', // timestamp
  '0000000000000102', // offset
  '0000000374c3b6', // topic
  '00000003', // partition
  '00000002', // headers
  '00000001680000000178',
  '0000000169ffffffff',
  '0000000170', // prior
  '000000036f6c64', // old
  'ffffffff', // new
  '0000000000000007', // time
].join('')

function written(value: typeof change | (Omit<typeof change, 'newValue'> & { newValue: string })): string {
  const writer = new ByteWriter(1)
  writeSuppressedChange(value, 7, writer)
  return writer.copyFrom(0).toString('hex')
}

function read(text: string): ReturnType<typeof readSuppressedChange> {
  const bytes = Buffer.from(`ff${text}ff`, 'hex')
  return readSuppressedChange(bytes, 1, bytes.length - 1)
}

describe('a buffered change has the bytes of version 3', () => {
  test('written and read', () => {
    assert.equal(written(change), hex)
    const { change: again, timeMs } = read(hex)
    assert.equal(timeMs, 7)
    assert.deepEqual([...again.origin.headers], [...change.origin.headers])
    assert.deepEqual({ ...again, origin: { ...again.origin, headers: change.origin.headers } }, change)
  })

  test('an old value that is the prior one is written once', () => {
    const same = { ...change, prior: 'old', newValue: 'n' }
    const bytes = written(same)
    assert.ok(bytes.endsWith('000000036f6c64fffffffe000000016e0000000000000007'))
    assert.equal(read(bytes).change.oldValue, 'old')
  })

  test('bytes that end elsewhere are refused', () => {
    assert.throws(
      () => read(hex.slice(0, -2)),
      /a buffered record ends after 73 bytes, in the middle of a part/,
    )
    assert.throws(() => read(`${hex}00`), /a buffered record ends 1 bytes before its row/)
    assert.throws(() => read(''), /a buffered record ends after 0 bytes/)
  })
})
