import assert from 'node:assert/strict'
import test from 'node:test'

import { ByteWriter } from '../../../../src/serde/byte-writer.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { AvroBench, bytesOf, readBack } from '../../../support/bound-avro.ts'
import { Random } from '../../../support/seed.ts'

const record = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'at', type: 'long' },
    { name: 'score', type: 'double' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'empty', type: { type: 'array', items: 'null' } },
    { name: 'attributes', type: { type: 'map', values: ['null', 'string', 'boolean'] } },
    { name: 'next', type: ['null', 'Event'], default: null },
  ],
} as const

const event = {
  id: 'event-1',
  at: 1_700_000_000_000,
  score: 0.25,
  kind: 'B',
  tags: ['one', 'two'],
  empty: [null, null],
  attributes: { a: null, b: 'text', c: true },
  next: null,
}

test('bytes of another format are told apart', () => {
  const serde = new AvroBench().bind(serdes.avro<unknown>(record))
  assert.throws(() => readBack(serde, Buffer.alloc(0)), {
    message: /a magic byte and a schema id are expected, not 0 bytes/,
  })
  assert.throws(() => readBack(serde, Buffer.from([0, 0, 0, 1])), { message: /not 4 bytes/ })
  assert.throws(() => readBack(serde, Buffer.from('{"id": 1}')), {
    message: 'it begins with the byte 123, not with the magic byte 0 of a registered schema',
  })
  assert.throws(() => readBack(serde, Buffer.from([0, 0, 0, 0, 99, 1])), {
    message: 'the schema registry has no schema of id 99',
  })
  assert.throws(() => readBack(serde, Buffer.from([0, 0xff, 0, 0, 99, 1])), { message: /no schema of id -/ })
})

test('a value that ends early, or late, is none', () => {
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<unknown>(record))
  const bytes = bytesOf(serde, { ...event, next: event })
  for (let length = 5; length < bytes.length; length++)
    assert.throws(
      () => readBack(serde, bytes.subarray(0, length)),
      { message: /^the bytes end in the middle of a value$|^a block of \d+ values in \d+ bytes$/ },
      String(length),
    )
  assert.throws(() => readBack(serde, Buffer.concat([bytes, Buffer.from([0])])), {
    message: 'the value ends 1 bytes before its end',
  })
})

test('a branch, a symbol or a boolean that there is not', () => {
  const bench = new AvroBench()
  const header = (schema: never): Buffer => {
    const serde = bench.bind(serdes.avro<unknown>(schema))
    bytesOf(serde, (schema as unknown) === 'boolean' ? true : 'x')
    return Buffer.concat([Buffer.from([0, 0, 0, 0, bench.registry.latestNow('topic-value')!.id])])
  }
  const union = ['null', 'string']
  const read = (schema: unknown, ...bytes: number[]) =>
    readBack(
      bench.bind(serdes.avro<unknown>(schema as never)),
      Buffer.concat([header(schema as never), Buffer.from(bytes)]),
    )
  assert.throws(() => read(union, 4), { message: 'invalid union index: 2' })
  assert.throws(() => read(union, 1), { message: 'invalid union index: -1' })
  assert.throws(() => read({ type: 'enum', name: 'E', symbols: ['x'] }, 2), {
    message: 'invalid enum index: 1',
  })
  assert.throws(() => read('boolean', 2), { message: 'a boolean is 0 or 1, not 2' })
  assert.throws(() => read('string', 5), { message: 'a length of -3' })
  assert.throws(() => read('string', 4, 0xc3, 0x28), { message: 'the bytes are not UTF-8' })
})

test('a count that the bytes cannot hold is refused before anything is made of it', () => {
  const bench = new AvroBench()
  const huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0x7f]
  for (const items of ['string', 'null', { type: 'record', name: 'None', fields: [] }]) {
    for (const schema of [
      { type: 'array', items },
      { type: 'map', values: items },
    ]) {
      const serde = bench.bind(serdes.avro<unknown>(schema as never))
      const header = bytesOf(serde, schema.type === 'array' ? [] : {}).subarray(0, 5)
      const bytes = Buffer.concat([header, Buffer.from(huge), Buffer.alloc(20)])
      assert.throws(() => readBack(serde, bytes), { message: /^a block of \d+ values in \d+ bytes$/ })
      // The same while it is passed over, with a block that says it has -1 bytes.
      const wrapped = { type: 'record', name: 'W', fields: [{ name: 'f', type: schema }] }
      const skipping = bench.bind(serdes.avro<unknown>({ type: 'record', name: 'W', fields: [] }))
      const id = bytesOf(bench.bind(serdes.avro<unknown>(wrapped as never)), {
        f: schema.type === 'array' ? [] : {},
      })
      assert.throws(() => readBack(skipping, Buffer.concat([id.subarray(0, 5), Buffer.from([...huge, 0])])), {
        message: /^a block of/,
      })
      assert.throws(() => readBack(skipping, Buffer.concat([id.subarray(0, 5), Buffer.from([1, 1, 0])])), {
        message: 'a length of -1',
      })
    }
  }
})

test('values without bytes are limited in all blocks together', () => {
  const serde = new AvroBench().bind(serdes.avro<unknown[]>({ type: 'array', items: 'null' }))
  const header = bytesOf(serde, []).subarray(0, 5)
  // 600,000 in a block.
  const block = [0x80, 0x9f, 0x49]
  const blocks = (count: number): Buffer =>
    Buffer.concat([header, ...Array.from({ length: count }, () => Buffer.from(block)), Buffer.from([0])])
  assert.equal(readBack(serde, blocks(1)).length, 600_000)
  assert.throws(() => readBack(serde, blocks(1_000)), { message: /^a block of 600000 values in \d+ bytes$/ })
  assert.equal(readBack(serde, blocks(1)).length, 600_000)
})

test('a decimal is no text of megabytes', () => {
  const bench = new AvroBench()
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } as const
  const plain = bench.bind(serdes.avro<Buffer>('bytes'), { topic: 'plain' })
  const serde = bench.bind(serdes.avro<string>(decimal))
  const bytes = (length: number): Buffer => bytesOf(plain, Buffer.alloc(length, 0xff))
  assert.equal(readBack(serde, bytes(1_024)), '-0.01')
  assert.throws(() => readBack(serde, bytes(1_025)), {
    name: 'RangeError',
    message: 'a decimal of 1025 bytes',
  })
  const wide = bench.bind(serdes.avro<string>({ ...decimal, precision: 5_000 }))
  const digits = `-${'9'.repeat(4_998)}.99`
  assert.equal(readBack(wide, bytesOf(wide, digits)), digits)
})

test('a value of 50 MB is read and written', () => {
  const serde = new AvroBench().bind(
    serdes.avro<{ bytes: Buffer; text: string; numbers: number[] }>({
      type: 'record',
      name: 'Large',
      fields: [
        { name: 'bytes', type: 'bytes' },
        { name: 'text', type: 'string' },
        { name: 'numbers', type: { type: 'array', items: 'int' } },
      ],
    }),
  )
  const large = {
    bytes: Buffer.alloc(30 * 2 ** 20, 7),
    text: 'ä'.repeat(9 * 2 ** 20),
    numbers: Array.from({ length: 2 ** 20 }, (_, index) => index),
  }
  const bytes = bytesOf(serde, large)
  assert.ok(bytes.length > 50 * 2 ** 20)
  const read = readBack(serde, bytes)
  assert.ok(read.bytes.equals(large.bytes))
  assert.equal(read.text, large.text)
  assert.deepEqual(read.numbers, large.numbers)
})

test('a value that is nested without end is an error of the value', () => {
  const bench = new AvroBench()
  const schema = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }
  const serde = bench.bind(serdes.avro<unknown>(schema))
  const header = bytesOf(serde, { next: null }).subarray(0, 5)
  const nested = (depth: number): Buffer => Buffer.concat([header, Buffer.alloc(depth, 2), Buffer.from([0])])
  let value = readBack(serde, nested(500)) as { next: unknown } | null
  let depth = -1
  for (; value !== null; depth++) value = value.next as typeof value
  assert.equal(depth, 500)
  assert.throws(() => readBack(serde, nested(1_000_000)), { message: 'the value is nested too deeply' })
  let deep: unknown = null
  for (let level = 0; level < 1_000_000; level++) deep = { next: deep }
  assert.throws(() => bytesOf(serde, deep), { name: 'TypeError', message: /nested too deeply/ })
})

test('whatever the bytes, a value is read or an error thrown, and the next record is read', () => {
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<unknown>(record))
  const evolved = bench.bind(
    serdes.avro<unknown>({
      ...record,
      fields: [
        ...record.fields.filter(({ name }) => name !== 'tags'),
        { name: 'new', type: 'int', default: 1 },
      ],
    }),
  )
  const whole = bytesOf(serde, { ...event, next: event })
  const random = new Random()
  console.log(`seed ${random.seed}`)
  let read = 0
  const rounds = 50_000
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.from(whole)
    for (let flips = 1 + random.below(3); flips > 0; flips--) {
      const at = 5 + random.below(bytes.length - 5)
      bytes[at] = bytes[at]! ^ (1 << random.below(8))
    }
    const cut = random.next() < 0.3 ? bytes.subarray(0, 5 + random.below(bytes.length - 5)) : bytes
    for (const one of [serde, evolved]) {
      try {
        readBack(one, cut)
        read++
      } catch (error) {
        assert.match((error as Error).message, /^[^\n]+$/)
        assert.doesNotMatch((error as Error).message, /Cannot read propert|is not a function/)
      }
    }
  }
  assert.ok(read > 0 && read < 2 * rounds, String(read))
  assert.deepEqual(readBack(serde, whole), { ...event, next: event })
})

test('an error in the middle leaves the writer where it was', () => {
  const serde = new AvroBench().bind(serdes.avro<unknown>(record))
  const writer = new ByteWriter(16)
  writer.writeUInt8(1)
  assert.throws(() => serde.serialize({ ...event, kind: 'D' }, writer))
  assert.equal(writer.position, 1)
})
