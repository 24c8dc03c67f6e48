import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defineTopology } from '../../../../src/index.ts'
import { ByteWriter } from '../../../../src/serde/byte-writer.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { AvroBench, bytesOf, readBack } from '../../../support/bound-avro.ts'
import { Random } from '../../../support/seed.ts'

const simple = `syntax = "proto3";
package shop;
message Order {
  int32 id = 1;
  string name = 2;
}
`
const nested = `syntax = "proto3";
package shop;
message First { string a = 1; }
message Second {
  message Inner { string b = 1; }
  message Other {
    message Deep { int32 c = 1; }
  }
}
`
const every = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
enum Kind { UNKNOWN = 0; HOME = 1; WORK = 2; }
message Line { string sku = 1; Line next = 2; }
message Every {
  int32 int = 1;
  uint32 uint = 2;
  sint32 sint = 3;
  fixed32 fixed = 4;
  int64 long = 5;
  uint64 ulong = 6;
  sfixed64 sfixed = 7;
  float single = 8;
  double double = 9;
  bool is_it = 10;
  string text = 11;
  bytes raw = 12;
  Kind kind = 13;
  Line line = 14;
  repeated int32 ints = 15;
  repeated Line lines = 16;
  map<string, int32> counts = 17;
  map<int64, Line> by_id = 18;
  map<bool, Kind> flags = 19;
  oneof which { string by_text = 20; int32 by_number = 21; }
  optional int32 maybe = 22;
  google.protobuf.Timestamp at = 23;
}
`

/** 0x00, the id, what follows; written by hand. */
function record(id: number, ...bytes: (number | string)[]): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([
    header,
    ...bytes.map((one) => (typeof one === 'string' ? Buffer.from(one) : Buffer.from([one]))),
  ])
}

function bound(schema: string, options: object = {}, bench = new AvroBench()) {
  return bench.bind(serdes.protobuf<Record<string, unknown>>(schema, options))
}

/** What a message without any field is read as. */
const nothing = {
  int: 0,
  uint: 0,
  sint: 0,
  fixed: 0,
  long: 0,
  ulong: 0,
  sfixed: 0,
  single: 0,
  double: 0,
  is_it: false,
  text: '',
  raw: Buffer.alloc(0),
  kind: 'UNKNOWN',
  ints: [],
  lines: [],
  counts: {},
  by_id: {},
  flags: {},
}

describe('serdes.protobuf', () => {
  test("Confluent's wire format, byte by byte, and a schema of type PROTOBUF", () => {
    const bench = new AvroBench()
    const serde = bound(simple, {}, bench)
    // Field 1, varint 150; field 2, four bytes: the encoding's own examples.
    const bytes = record(1, 0, 0x08, 0x96, 0x01, 0x12, 4, 'äbc')
    assert.deepEqual(bytesOf(serde, { id: 150, name: 'äbc' }), bytes)
    assert.deepEqual(readBack(serde, bytes), { id: 150, name: 'äbc' })
    assert.equal(serde.name, 'protobuf shop.Order')
    assert.deepEqual(bench.registry.latestNow('topic-value'), {
      id: 1,
      type: 'PROTOBUF',
      schema: simple,
      references: [],
    })
  })

  test('the indexes of messages', () => {
    const cases: [string, number[]][] = [
      ['shop.First', [0]],
      ['shop.Second', [2, 2]],
      ['shop.Second.Inner', [4, 2, 0]],
      ['shop.Second.Other.Deep', [6, 2, 2, 0]],
    ]
    for (const [message, indexes] of cases) {
      const serde = bound(nested, { message })
      assert.deepEqual(bytesOf(serde, {}), record(1, ...indexes), message)
      assert.equal(
        Object.keys(readBack(serde, record(1, ...indexes))).length,
        message === 'shop.Second' ? 0 : 1,
      )
    }
    // A list of one, written out; an index above 63 takes two bytes.
    assert.deepEqual(readBack(bound(nested), record(1, 2, 0)), { a: '' })
    const many = `syntax = "proto3";\n${Array.from({ length: 70 }, (_, index) => `message M${index} { int32 a = 1; }`).join('\n')}`
    const last = bound(many, { message: 'M69' })
    assert.deepEqual(bytesOf(last, { a: 1 }), record(1, 2, 0x8a, 0x01, 0x08, 1))
    assert.deepEqual(readBack(last, bytesOf(last, { a: 1 })), { a: 1 })
  })

  test('a group of proto2 has no index', () => {
    const text = `package shop;
      message Order {
        optional group Address = 1 { optional string city = 2; }
        message Line { optional string sku = 1; }
      }`
    const serde = bound(text, { message: 'shop.Order.Line' })
    assert.deepEqual(bytesOf(serde, { sku: 'a' }), record(1, 4, 0, 0, 0x0a, 1, 'a'))
    assert.deepEqual(readBack(serde, record(1, 4, 0, 0, 0x0a, 1, 'a')), { sku: 'a' })
    assert.throws(() => bound(text, { message: 'shop.Order.Address' }), /has no message shop\.Order\.Address/)
    const orders = bound(text)
    const grouped = { address: { city: 'Bern' } }
    assert.deepEqual(readBack(orders, bytesOf(orders, grouped)), grouped)
  })

  test('what a field with presence is when it is not there, and an entry without its key', () => {
    const text = `syntax = "proto3"; message A {
      optional bytes raw = 1; optional int64 long = 2; oneof one { bytes either = 3; string or = 4; }
      map<int64, string> by_id = 5; map<fixed64, bytes> raws = 6;
    }`
    const serde = bound(text)
    assert.deepEqual(readBack(serde, record(1, 0)), { by_id: {}, raws: {} })
    assert.deepEqual(readBack(serde, record(1, 0, 0x0a, 0)), { raw: Buffer.alloc(0), by_id: {}, raws: {} })
    const withoutKeys = record(1, 0, 0x2a, 3, 0x12, 1, 'x', 0x32, 0)
    assert.deepEqual(readBack(serde, withoutKeys), { by_id: { 0: 'x' }, raws: { 0: Buffer.alloc(0) } })
  })

  test("a message's index is that of its writer's file", () => {
    const bench = new AvroBench()
    const before = bound(
      'syntax = "proto3"; package shop; message Order { int32 id = 1; string name = 2; string more = 3; }',
      {},
      bench,
    )
    const old = bytesOf(before, { id: 1, name: 'x', more: 'y' })
    const after = `syntax = "proto3"; package shop; message Payment { string to = 1; } message Order { int32 id = 1; bool paid = 4; }`
    const orders = bound(after, { message: 'shop.Order' }, bench)
    assert.deepEqual(
      readBack(orders, old),
      { id: 1, paid: false },
      'fields that are not known are passed over',
    )
    assert.deepEqual(readBack(orders, bytesOf(orders, { id: 2, paid: true })), { id: 2, paid: true })
    const payments = bound(after, { message: 'shop.Payment' }, bench)
    assert.throws(() => readBack(payments, old), { message: 'it is a message shop.Order, not shop.Payment' })
    assert.throws(() => readBack(orders, bytesOf(payments, { to: 'z' })), {
      message: 'it is a message shop.Payment, not shop.Order',
    })
  })

  test('every type', () => {
    const serde = bound(every, { message: 'shop.Every' })
    assert.deepEqual(readBack(serde, bytesOf(serde, {})), nothing)
    const value = {
      int: -1,
      uint: 4_294_967_295,
      sint: -2_147_483_648,
      fixed: 7,
      long: -9_007_199_254_740_991,
      ulong: 9_007_199_254_740_991,
      sfixed: -4_294_967_297,
      single: 1.5,
      double: 0.1,
      is_it: true,
      text: 'ä€😀',
      raw: Buffer.from([0, 255]),
      kind: 'WORK',
      line: { sku: 'a', next: { sku: 'b' } },
      ints: [1, -2, 3],
      lines: [{ sku: '' }, { sku: 'c' }],
      counts: JSON.parse('{"x":0,"__proto__":2}') as object,
      by_id: { '-5': { sku: 'd' }, '4294967296': { sku: '' } },
      flags: { true: 'HOME', false: 'UNKNOWN' },
      by_number: 0,
      maybe: 0,
      at: { seconds: 5, nanos: 6 },
    }
    assert.deepEqual(readBack(serde, bytesOf(serde, value)), value)
    assert.deepEqual(readBack(serde, bytesOf(serde, { ...nothing, line: null })), nothing)
    assert.equal(bytesOf(serde, nothing).length, bytesOf(serde, {}).length, 'a default is not written')
    // Of a oneof the last member that the bytes have.
    const both = record(1, 2, 2, 0xa2, 1, 1, 'a', 0xa8, 1, 5)
    const { by_text, by_number } = readBack(serde, both)
    assert.deepEqual([by_text, by_number], [undefined, 5])
    const unknownKind = readBack(serde, bytesOf(serde, { kind: 9 }))
    assert.equal(unknownKind.kind, 9, 'of a newer file')
  })

  test('64 bits: a bigint, or an error beyond 2^53', () => {
    const bench = new AvroBench()
    const big = bound(every, { message: 'shop.Every', longs: 'bigint' }, bench)
    const value = { long: -(2n ** 63n), ulong: 2n ** 64n - 1n, sfixed: 2n ** 62n + 1n }
    const { long, ulong, sfixed } = readBack(big, bytesOf(big, value))
    assert.deepEqual({ long, ulong, sfixed }, value)
    const numbers = bound(every, { message: 'shop.Every' }, bench)
    assert.throws(() => readBack(numbers, bytesOf(big, { ulong: 2n ** 53n })), {
      name: 'RangeError',
      message: "ulong: 9007199254740992 is beyond 2^53: use longs: 'bigint'",
    })
  })

  test('a value is a copy: nothing of the batch is kept', () => {
    const serde = bound(every, { message: 'shop.Every' })
    const bytes = bytesOf(serde, { raw: Buffer.from('abc'), text: 'def' })
    const value = serde.deserialize(bytes, 0, bytes.length)
    bytes.fill(0)
    assert.deepEqual([value.raw, value.text], [Buffer.from('abc'), 'def'])
  })

  test('a value that does not fit is not written, with one line', () => {
    const serde = bound(every, { message: 'shop.Every' })
    const writer = new ByteWriter(16)
    writer.writeUInt8(1)
    const deep: { next?: object } = {}
    let end = deep
    for (let depth = 0; depth < 200; depth++) end = end.next = {}
    const cases: [unknown, string][] = [
      [5, '5 is no shop.Every'],
      [[], '[] is no shop.Every'],
      [{ more: 1 }, 'more is no field of shop.Every'],
      [{ isIt: true }, 'isIt is no field of shop.Every'],
      [{ int: 2 ** 31 }, 'int: 2147483648 is no int32'],
      [{ uint: -1 }, 'uint: -1 is no uint32'],
      [{ int: '5' }, 'int: "5" is no int32'],
      [{ long: 2 ** 53 }, 'long: 9007199254740992 is no int64 within 2^53'],
      [{ long: 1n }, 'long: 1n is no int64 within 2^53'],
      [{ ulong: -1 }, 'ulong: -1 is no uint64 within 2^53'],
      [{ is_it: 1 }, 'is_it: 1 is no bool'],
      [{ text: 5 }, 'text: 5 is no string'],
      [{ text: '\ud800' }, 'text: the text has a lone surrogate, which UTF-8 cannot express'],
      [{ raw: 'x' }, 'raw: "x" is no Buffer or Uint8Array'],
      [{ kind: 'GONE' }, 'kind: "GONE" is no Kind: UNKNOWN, HOME, WORK'],
      [{ line: { next: { sku: 1 } } }, 'line.next.sku: 1 is no string'],
      [{ lines: [{}, { sku: 1 }] }, 'lines.1.sku: 1 is no string'],
      [{ lines: {} }, 'lines: {} is no list'],
      [{ counts: { a: 'x' } }, 'counts.a: "x" is no int32'],
      [{ by_id: { x: {} } }, 'by_id.x: "x" is no int64'],
      [{ flags: { yes: 'HOME' } }, 'flags.yes: "yes" is no bool'],
      [{ by_text: 'a', by_number: 1 }, 'by_text and by_number are of one oneof'],
    ]
    for (const [value, reason] of cases) {
      const message = `the value for topic is no protobuf shop.Every: ${reason}`
      assert.throws(() => serde.serialize(value as never, writer), { name: 'TypeError', message })
      assert.equal(writer.position, 1)
    }
    assert.throws(() => serde.serialize({ line: deep }, writer), /the value is nested too deeply$/)
    const required = bound('message Old { required int32 a = 1; }')
    assert.throws(() => bytesOf(required, {}), /the value for topic is no protobuf Old: a is required$/)
  })

  test('bytes that are none', () => {
    const bench = new AvroBench()
    bench.registry.add('other', '"int"')
    const serde = bound(simple, {}, bench)
    const cases: [Buffer, RegExp][] = [
      [Buffer.from([0x08, 1, 1, 1, 1, 1]), /^it begins with the byte 8, not with the magic byte 0 /],
      [Buffer.from([0, 0]), /^a magic byte and a schema id are expected, not 2 bytes$/],
      [record(9, 0), /^the schema registry has no schema of id 9$/],
      [record(1, 0), /^schema 1 cannot be read: it is of type AVRO, not PROTOBUF$/],
      [record(2), /^the bytes end in the indexes of the message$/],
      [record(2, 4, 2), /^the bytes end in the indexes of the message$/],
      [record(2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80), /^the indexes of the message are none$/],
      [record(2, 1), /^-1 indexes of a message$/],
      [record(2, 0xc8, 1), /^100 indexes of a message$/],
      [record(2, 2, 2), /^its schema has no message of index 1$/],
      [record(2, 0, 0x08), /index out of range/],
      [record(2, 0, 0x12, 5, 'ab'), /index out of range/],
      [record(2, 0, 0x12, 1, 0xff), /utf-8/i],
      [record(2, 0, 0x0c), /invalid wire type/],
    ]
    for (const [bytes, message] of cases) assert.throws(() => readBack(serde, bytes), { message })
  })

  test('imports are references', () => {
    const bench = new AvroBench()
    const currency = 'syntax = "proto3"; package money; enum Currency { EUR = 0; CHF = 1; }'
    const amount =
      'syntax = "proto3"; package money; import "money/currency.proto"; message Amount { Currency currency = 1; }'
    const priced =
      'syntax = "proto3"; package shop; import "money/amount.proto"; message Priced { money.Amount price = 1; }'
    const register = (
      subject: string,
      schema: string,
      references: { name: string; subject: string; version: number }[],
    ) => bench.registry.registerNow({ subject, type: 'PROTOBUF', schema, references, isInternal: false })
    register('currency', currency, [])
    register('amount', amount, [{ name: 'money/currency.proto', subject: 'currency', version: 1 }])
    const references = [{ name: 'money/amount.proto', subject: 'amount', version: 1 }]
    const serde = bound(priced, { references }, bench)
    const value = { price: { currency: 'CHF' } }
    assert.deepEqual(readBack(serde, bytesOf(serde, value)), value)
    register('priced', priced, references)
    const latest = bench.bind(serdes.protobuf<object>({ subject: 'priced' }))
    assert.deepEqual(readBack(latest, bytesOf(serde, value)), value)
    assert.throws(
      () => bound(priced),
      /^TypeError: serdes\.protobuf: no Protobuf schema: it imports money\/amount\.proto, which is not among its references$/,
    )
  })

  test('what it is not made of', () => {
    const cases: [unknown, object, RegExp][] = [
      [
        simple,
        { messages: 'x' },
        /unknown option messages; allowed: subjectStrategy, references, message, longs$/,
      ],
      [simple, { longs: 'x' }, /longs is x; allowed are number and bigint$/],
      [simple, { message: 5 }, /message must be a name$/],
      [simple, { message: 'Order' }, /the schema has no message Order; its messages: shop\.Order$/],
      ['syntax = "proto3"; enum A { B = 0; }', {}, /the schema has no message; its messages: none$/],
      ['{"type":"string"}', {}, /no Protobuf schema: /],
      ['syntax = "proto3"; message A { Gone b = 1; }', {}, /no Protobuf schema: no such .*Gone/i],
      [5, {}, /the text of a \.proto file or \{ subject \} is expected, not number$/],
    ]
    for (const [schema, options, message] of cases) {
      assert.throws(
        () => serdes.protobuf(schema as never, options as never),
        (error: Error) => {
          assert.match(error.message, /^serdes\.protobuf: /)
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /\n/)
          return true
        },
      )
    }
  })

  test('in a topology, as key and value, with a store', async () => {
    const orders = serdes.protobuf<{ id: number; name?: string }>(simple)
    const topology = defineTopology((builder) => {
      builder
        .stream('orders', { key: orders, value: orders })
        .groupByKey()
        .reduce((_, newer) => newer, { store: 'newest' })
        .toStream()
        .to('out', { key: orders, value: orders })
    })
    await using driver = await TopologyTestDriver.open(topology)
    const input = driver.createInputTopic('orders', { key: orders, value: orders })
    await input.pipeInput({ id: 1 }, { id: 3, name: 'a' }, 0)
    const output = driver.createOutputTopic('out', { key: orders, value: orders })
    assert.deepEqual(output.readKeyValue(), { key: { id: 1, name: '' }, value: { id: 3, name: 'a' } })
  })

  test('damaged bytes are an error, or another value of the type', (context) => {
    const random = new Random()
    context.diagnostic(`WEIR_TEST_SEED=${random.seed}`)
    const serde = bound(every, { message: 'shop.Every' })
    const value = {
      int: 5,
      text: 'text',
      raw: Buffer.from('raw'),
      line: { sku: 'a', next: {} },
      ints: [1, 2],
      by_id: { 7: {} },
    }
    const whole = bytesOf(serde, value)
    let read = 0
    let refused = 0
    for (let round = 0; round < 10_000; round++) {
      const length = random.next() < 0.3 ? random.below(whole.length) : whole.length
      const bytes = Buffer.from(whole.subarray(0, length))
      for (let flips = random.below(4); flips > 0 && length > 0; flips--)
        bytes[random.below(length)]! ^= 1 << random.below(8)
      let damaged: Record<string, unknown>
      try {
        damaged = readBack(serde, bytes)
        read++
      } catch (error) {
        assert.ok(
          error instanceof Error && !/Cannot read propert|call stack/.test(error.message),
          String(error),
        )
        refused++
        continue
      }
      assert.deepEqual(readBack(serde, bytesOf(serde, damaged)), damaged)
    }
    assert.ok(read > 0 && refused > 0, `${read} read, ${refused} refused`)
  })
})
