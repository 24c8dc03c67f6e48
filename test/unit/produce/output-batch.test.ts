import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LocalProducer } from '../../../src/native.ts'
import { Headers } from '../../../src/process/headers.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { producedRecords } from '../../../src/testing/produced-records.ts'

const picky = serdes.custom<string>({
  name: 'picky',
  serialize: (value) => {
    if (value === 'bad') throw new RangeError('bad')
    return Buffer.from(value)
  },
  deserialize: String,
})

function batch(): {
  add(key: string | null, value: string | null, headers?: Headers): void
  output: OutputBatch
  sent(): string[]
} {
  const producer = new LocalProducer()
  const topic = producer.topic('out', 1)
  const output = new OutputBatch(producer, 100, 1 << 20)
  return {
    output,
    add: (key, value, headers = Headers.empty) =>
      void output.add(topic, -1, picky as never, key, picky as never, value, 1, headers),
    sent: () => {
      output.send()
      return Array.from(
        producedRecords(producer.take()),
        ({ record: { key, value } }) => `${key?.toString() ?? null}=${value?.toString() ?? null}`,
      )
    },
  }
}

test('a record whose key or value cannot be written leaves nothing behind', () => {
  const { add, sent, output } = batch()
  add('a', '1')
  for (const [key, value, part] of [
    ['bad', '2', 'key'],
    ['b', 'bad', 'value'],
  ] as const)
    assert.throws(() => add(key, value), { name: 'SerializationError', message: 'bad', part })
  assert.equal(output.records, 1)
  add('c', '3')
  assert.deepEqual(sent(), ['a=1', 'c=3'])
})

test('what is taken back is not sent; what was added before and is added after is', () => {
  const { add, sent, output } = batch()
  add('a', '1')
  const before = output.records
  add('b', '2', Headers.empty.with('some', 'header'))
  add(null, '3')
  output.takeBack(before)
  output.takeBack(before)
  add('c', null)
  add('d', '4')
  assert.deepEqual(output.takeBackLast(), { key: Buffer.from('d'), value: Buffer.from('4') })
  assert.deepEqual(sent(), ['a=1', 'c=null'])
  assert.equal(output.isEmpty, true)
})
