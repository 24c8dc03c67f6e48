import assert from 'node:assert/strict'
import { test } from 'node:test'

import { RecordBatch } from '../../../src/consume/record-batch.ts'
import { SourceRecord } from '../../../src/consume/source-record.ts'
import { isValueNull } from '../../../src/process/record.ts'
import { serdes } from '../../../src/serde/serdes.ts'

function batchOf(...values: (string | null)[]): RecordBatch {
  const batch = new RecordBatch(values.length, 64)
  let position = 0
  for (const [index, value] of values.entries()) {
    batch.valueStart[index] = position
    batch.valueLength[index] = value === null ? -1 : batch.arena.write(value, position)
    batch.headersLength[index] = -1
    position += Math.max(0, batch.valueLength[index]!)
  }
  batch.count = values.length
  return batch
}

test('a null value is known without decoding it; a value is decoded once, when it is asked for', () => {
  let decoded = 0
  const serde = serdes.custom<string>({
    name: 'counting',
    serialize: (value) => Buffer.from(value),
    deserialize: (bytes) => {
      decoded++
      return bytes.toString()
    },
  })
  const batch = batchOf('first', null, 'last')
  const records = [0, 1, 2].map((index) => new SourceRecord(batch, index, 'k', 1, serde))
  assert.deepEqual(records.map(isValueNull), [false, true, false])
  assert.equal(decoded, 0)
  assert.deepEqual(
    [...records, ...records].map(({ value }) => value),
    ['first', null, 'last', 'first', null, 'last'],
  )
  assert.equal(decoded, 2)
  assert.deepEqual(records.map(isValueNull), [false, true, false])
})

test('after its batch was given back, what was read stays and the rest cannot be read', () => {
  const batch = batchOf('read', 'unread')
  const [read, unread] = [0, 1].map((index) => new SourceRecord(batch, index, 'k', 1, serdes.string))
  assert.equal(read!.value, 'read')
  batch.clear()
  assert.equal(read!.value, 'read')
  assert.equal(isValueNull(read!), false)
  assert.throws(() => unread!.value, /first read after its processing had ended/)
  assert.throws(() => isValueNull(unread!), /first read after its processing had ended/)
})
