import assert from 'node:assert/strict'
import test from 'node:test'

import avsc from 'avsc'

import { serdes } from '../../../../src/serde/serdes.ts'
import { pageViewSchemas } from '../../../support/avro-schemas.ts'
import { AvroBench, bytesOf, readBack } from '../../../support/bound-avro.ts'

const everything = {
  type: 'record',
  name: 'Everything',
  namespace: 'test.all',
  fields: [
    { name: 'nothing', type: 'null' },
    { name: 'yes', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: 'long' },
    { name: 'single', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'bytes', type: 'bytes' },
    { name: 'text', type: 'string' },
    { name: 'suit', type: { type: 'enum', name: 'Suit', symbols: ['SPADES', 'HEARTS'] } },
    { name: 'digest', type: { type: 'fixed', name: 'Digest', size: 4 } },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'maybe', type: ['null', 'string'] },
    { name: 'either', type: ['int', 'string', { type: 'array', items: 'int' }] },
    { name: 'number', type: ['null', 'int', 'double'] },
    { name: 'inner', type: ['null', 'Everything'], default: null },
  ],
} as const

const value = {
  nothing: null,
  yes: true,
  small: -(2 ** 31),
  large: Number.MAX_SAFE_INTEGER,
  single: 0.5,
  double: Math.PI,
  bytes: Buffer.from('bytes'),
  text: 'größer 😀',
  suit: 'HEARTS',
  digest: Buffer.from([1, 2, 3, 4]),
  tags: ['a', '', 'ß'.repeat(100)],
  counts: { one: 1, zero: 0 },
  maybe: null,
  either: [7],
  number: { double: 1.5 },
  inner: null,
}

test('values of every type are read as they were written, plain objects all of them', () => {
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<object>(everything))
  const nested = { ...value, either: 'text', number: null, maybe: 'there', inner: value }
  const bytes = bytesOf(serde, nested)
  assert.deepStrictEqual(readBack(serde, bytes), nested)
  assert.deepEqual([...bytes.subarray(0, 5)], [0, 0, 0, 0, 1])
})

test('the bytes are those that avsc itself writes, and its bytes are read', () => {
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<object>(everything))
  const type = avsc.Type.forSchema(everything as never)
  assert.deepEqual(bytesOf(serde, value).subarray(5), withLarge(type))
  for (let round = 0; round < 300; round++) {
    const random = type.random() as object
    const bytes = type.toBuffer(random)
    const whole = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), bytes])
    const read = readBack(serde, whole)
    assert.deepEqual(type.toBuffer(read), bytes)
    assert.deepEqual(bytesOf(serde, read), whole)
  }
})

/** avsc refuses the largest safe integer, by one. */
function withLarge(type: avsc.Type): Buffer {
  const safest = Number.MAX_SAFE_INTEGER - 1
  const bytes = type.toBuffer({ ...value, large: safest })
  const at = bytes.indexOf(longBytes(BigInt(safest)))
  longBytes(BigInt(Number.MAX_SAFE_INTEGER)).copy(bytes, at)
  return bytes
}

function longBytes(long: bigint): Buffer {
  const bytes: number[] = []
  let zigzag = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n))
  for (; zigzag > 0x7fn; zigzag >>= 7n) bytes.push(Number(zigzag & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(zigzag)])
}

test('a long is a number and exact, or an error; with longs: bigint it is a bigint', () => {
  const bench = new AvroBench()
  const number = bench.bind(serdes.avro<number>('long'))
  const bigint = bench.bind(serdes.avro<bigint>('long', { longs: 'bigint' }), { topic: 'other' })
  const edges = [0, 1, -1, 63, 64, -64, -65, 2 ** 31, -(2 ** 31), 2 ** 52, -(2 ** 52), -(2 ** 52) - 1]
  edges.push(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -(2 ** 52) - 12345)
  for (const edge of edges) {
    assert.deepEqual(bytesOf(number, edge).subarray(5), longBytes(BigInt(edge)), String(edge))
    assert.equal(readBack(number, bytesOf(number, edge)), edge)
    assert.equal(readBack(bigint, bytesOf(number, edge)), BigInt(edge))
  }
  for (const edge of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    const bytes = bytesOf(bigint, edge)
    assert.deepEqual(bytes.subarray(5), longBytes(edge))
    assert.equal(readBack(bigint, bytes), edge)
    assert.throws(() => readBack(number, bytes), {
      message: `${edge} is beyond 2^53: read it with { longs: 'bigint' }`,
    })
  }
  assert.throws(() => bytesOf(number, 2 ** 53), { name: 'TypeError', message: /is no long within 2\^53/ })
  assert.throws(() => bytesOf(bigint, 2n ** 63n), { name: 'TypeError', message: /is no bigint of 64 bits/ })
})

test('what was written with another version of the schema is read as this one', () => {
  const bench = new AvroBench()
  const bound = Object.fromEntries(
    Object.entries(pageViewSchemas).map(([name, schema]) => [name, bench.bind(serdes.avro<object>(schema))]),
  )
  const { v1, v2, v3, breaking } = bound as Record<string, ReturnType<typeof bench.bind<object>>>
  const old = bytesOf(v1!, { userId: 'u', durationMs: 5 })
  const newer = bytesOf(v2!, { userId: 'u', durationMs: 5, referrer: 'r' })
  assert.deepStrictEqual(readBack(v2!, old), { userId: 'u', durationMs: 5, referrer: null })
  assert.deepStrictEqual(readBack(v1!, newer), { userId: 'u', durationMs: 5 })
  assert.deepStrictEqual(readBack(v3!, newer), { userId: 'u', durationMs: 5, source: 'r' })
  assert.throws(() => readBack(breaking!, old), {
    message:
      /^schema 1 cannot be read as the reader's schema: no matching field for default-less test.PageView.country/,
  })
})

test('what Avro promotes is promoted, and a symbol that is not known becomes the default', () => {
  const bench = new AvroBench()
  const int = bytesOf(bench.bind(serdes.avro<number>('int')), 7)
  const long = bytesOf(bench.bind(serdes.avro<number>('long')), -9)
  const text = bytesOf(bench.bind(serdes.avro<string>('string')), 'text')
  assert.equal(readBack(bench.bind(serdes.avro<number>('long')), int), 7)
  assert.equal(readBack(bench.bind(serdes.avro<bigint>('long', { longs: 'bigint' })), int), 7n)
  assert.equal(readBack(bench.bind(serdes.avro<number>('double')), long), -9)
  assert.deepEqual(readBack(bench.bind(serdes.avro<Buffer>('bytes')), text), Buffer.from('text'))
  assert.throws(() => readBack(bench.bind(serdes.avro<number>('int')), long), /cannot read "long" as "int"/)
  const suit = (symbols: readonly string[]) => ({ type: 'enum', name: 'Suit', symbols, default: 'UNKNOWN' })
  const written = bench.bind(serdes.avro<string>(suit(['UNKNOWN', 'CLUBS'])))
  const read = bench.bind(serdes.avro<string>(suit(['UNKNOWN', 'SPADES'])))
  assert.equal(readBack(read, bytesOf(written, 'CLUBS')), 'UNKNOWN')
})

test('a long is promoted to the float next to it, rounded once', () => {
  const bench = new AvroBench()
  const long = bench.bind(serdes.avro<bigint>('long', { longs: 'bigint' }))
  const float = bench.bind(serdes.avro<number>('float'))
  const step = 2n ** 37n
  for (const [value, expected] of [
    // Just above, at, and just below the middle between two floats; as doubles all three are the middle.
    [2n ** 60n + step / 2n + 1n, 2n ** 60n + step],
    [2n ** 60n + step / 2n, 2n ** 60n],
    [2n ** 60n + step / 2n - 1n, 2n ** 60n],
    [2n ** 60n + step + step / 2n - 1n, 2n ** 60n + step],
    [2n ** 53n + 1n, 2n ** 53n],
    [2n ** 63n - 1n, 2n ** 63n],
    [5n, 5n],
  ] as const) {
    assert.equal(readBack(float, bytesOf(long, value)), Number(expected), String(value))
    assert.equal(readBack(float, bytesOf(long, -value)), -Number(expected), String(-value))
  }
})

test('arrays and maps of a writer are read through a resolver, in blocks too', () => {
  const bench = new AvroBench()
  const written = {
    type: 'record',
    name: 'R',
    fields: [{ name: 'a', type: { type: 'array', items: 'int' } }],
  }
  const read = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: { type: 'array', items: 'double' } },
      { name: 'm', type: { type: 'map', values: 'string' }, default: { x: 'y' } },
    ],
  }
  const writer = bench.bind(serdes.avro<object>(written))
  const reader = bench.bind(serdes.avro<object>(read))
  const id = bytesOf(writer, { a: [] }).subarray(0, 5)
  // A block of two, one of -1 with its bytes, the end.
  const blocks = Buffer.concat([id, Buffer.from([4, 2, 4, 1, 2, 6, 0])])
  assert.deepStrictEqual(readBack(reader, blocks), { a: [1, 2, 3], m: { x: 'y' } })
  // Skipped by one that has no such field.
  const without = bench.bind(serdes.avro<object>({ type: 'record', name: 'R', fields: [] }))
  assert.deepStrictEqual(readBack(without, blocks), {})
})

test('a map may have any key', () => {
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<object>({ type: 'map', values: 'int' }))
  const map = Object.defineProperty({ constructor: 1 }, '__proto__', { value: 2, enumerable: true })
  const read = readBack(serde, bytesOf(serde, map))
  assert.deepEqual(Object.entries(read), [
    ['constructor', 1],
    ['__proto__', 2],
  ])
  assert.equal(Object.getPrototypeOf(read), Object.prototype)
})

test('a value that does not fit says where, and nothing of it is written', () => {
  const bench = new AvroBench()
  const serde = bench.bind(serdes.avro<unknown>(everything))
  const wrong = (change: object, message: string | RegExp): void => {
    assert.throws(() => bytesOf(serde, { ...value, ...change }), {
      name: 'TypeError',
      message:
        typeof message === 'string'
          ? `the value for topic is no avro test.all.Everything: ${message}`
          : message,
    })
  }
  wrong({ small: 2 ** 31 }, 'small: 2147483648 is no int')
  wrong({ tags: ['a', 5] }, 'tags.1: 5 is no string')
  wrong({ counts: { one: 'x' } }, 'counts.one: "x" is no long within 2^53')
  wrong({ text: undefined }, 'text: undefined is no string')
  wrong({ number: 1.5 }, 'number: 1.5 is no null or int or double, as { branch: value }')
  wrong({ either: true }, 'either: true is no int or string or array')
  wrong({ suit: 'CLUBS' }, 'suit: "CLUBS" is no enum test.all.Suit')
  wrong({ inner: { ...value, yes: 1 } }, 'inner.yes: 1 is no boolean')
  wrong({ text: '\ud800' }, /lone surrogate/)
  assert.throws(() => bytesOf(serde, null), { message: /: null is no record test.all.Everything$/ })
})

test('what is no schema, or no option, is said when the serde is made', () => {
  assert.throws(() => serdes.avro({ type: 'recrd', name: 'X' }), {
    name: 'TypeError',
    message: 'serdes.avro: no Avro schema: unknown type: "recrd"',
  })
  assert.throws(() => serdes.avro('{"type": '), { message: /^serdes.avro: the schema is no JSON/ })
  assert.throws(() => serdes.avro(undefined as never), { message: /a schema or \{ subject \} is expected/ })
  assert.throws(() => serdes.avro('string', { subject: 'x' } as never), { message: /unknown option subject/ })
  assert.throws(() => serdes.avro('string', { longs: 'double' as never }), { message: /number and bigint/ })
  assert.throws(() => serdes.avro('string').serialize('x', null as never), { message: /part of a topology/ })
})

test('a subject depends on the topic, the record, or both', () => {
  const bench = new AvroBench()
  const schema = pageViewSchemas.v1
  bench.bind(serdes.avro(schema))
  bench.bind(serdes.avro('string'), { part: 'key' })
  bench.bind(serdes.avro(schema, { subjectStrategy: 'record' }))
  bench.bind(serdes.avro(schema, { subjectStrategy: 'topic-record' }))
  const subjects = ['topic-value', 'topic-key', 'test.PageView', 'topic-test.PageView']
  const ids = subjects.map((subject) => bench.registry.latestNow(subject)?.id)
  assert.deepEqual(ids, [1, 2, 1, 1])
  assert.throws(() => bench.bind(serdes.avro('string', { subjectStrategy: 'record' })), {
    message: /needs a schema with a name, for the values of topic/,
  })
})

test("a subject's newest schema is read and written by its id, whatever the topic", () => {
  const bench = new AvroBench()
  bench.registry.add('views-value', pageViewSchemas.v1)
  const { id } = bench.registry.add('views-value', pageViewSchemas.v2)
  const serde = bench.bind(serdes.avro<object>({ subject: 'views-value' }), { use: 'store' })
  const view = { userId: 'u', durationMs: 1, referrer: null }
  const bytes = bytesOf(serde, view)
  assert.equal(bytes.readInt32BE(1), id)
  assert.deepStrictEqual(readBack(serde, bytes), view)
  assert.equal(serde.name, 'avro test.PageView')
})

test('a serde is of the registry that it is bound with, also when another had other schemas', () => {
  const latest = serdes.avro<object>({ subject: 'views-value' })
  const money = (type: string) => ({ type: 'record', name: 'Money', fields: [{ name: 'cents', type }] })
  const priced = serdes.avro<object>(
    { type: 'record', name: 'Priced', fields: [{ name: 'price', type: 'Money' }] },
    { references: [{ name: 'Money', subject: 'money', version: 1 }] },
  )
  for (const [schema, view, cents] of [
    [pageViewSchemas.v1, { userId: 'u', durationMs: 1 }, 'long'],
    [pageViewSchemas.v2, { userId: 'u', durationMs: 1, referrer: 'r' }, 'string'],
    [pageViewSchemas.v1, { userId: 'u', durationMs: 1 }, 'long'],
  ] as const) {
    const bench = new AvroBench()
    bench.registry.add('views-value', schema)
    bench.registry.add('money', money(cents))
    const bytes = bytesOf(bench.bind(latest), view)
    const told = avsc.Type.forSchema(schema as never).fromBuffer(bytes.subarray(5)) as object
    assert.deepEqual({ ...told }, view)
    assert.deepStrictEqual(readBack(bench.bind(latest), bytes), view)
    const price = { price: { cents: cents === 'long' ? 5 : 'five' } }
    assert.deepStrictEqual(readBack(bench.bind(priced), bytesOf(bench.bind(priced), price)), price)
  }
})

test('a schema may use the names of others that are registered', () => {
  const bench = new AvroBench()
  bench.registry.add('money', {
    type: 'record',
    name: 'shop.Money',
    fields: [{ name: 'cents', type: 'long' }],
  })
  const order = { type: 'record', name: 'shop.Order', fields: [{ name: 'price', type: 'shop.Money' }] }
  const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
  const serde = bench.bind(serdes.avro<object>(order, { references }))
  assert.deepStrictEqual(readBack(serde, bytesOf(serde, { price: { cents: 5 } })), { price: { cents: 5 } })
})

test("a union's value is read as the branch of its own type, and only without one as what it can be promoted to", () => {
  const bench = new AvroBench()
  const of = (schema: unknown) => bench.bind(serdes.avro<unknown>(schema as never))
  const doubleFirst = of(['null', 'double', 'int'])
  assert.deepStrictEqual(readBack(doubleFirst, bytesOf(of('int'), 7)), { int: 7 })
  assert.deepStrictEqual(readBack(doubleFirst, bytesOf(doubleFirst, { int: 7 })), { int: 7 })
  assert.deepStrictEqual(readBack(doubleFirst, bytesOf(of('long'), 7)), { double: 7 })
  const stringFirst = of(['null', 'string', 'bytes'])
  const bytes = Buffer.from([0xff])
  assert.deepStrictEqual(readBack(stringFirst, bytesOf(stringFirst, bytes)), bytes)
  assert.throws(
    () => readBack(of(['null', 'string']), bytesOf(of('int'), 7)),
    /cannot be read as the reader's schema/,
  )
})

test('a field that is left out is written as its default', () => {
  const bench = new AvroBench()
  const fields = [
    { name: 'long', type: 'long', default: 5 },
    { name: 'longs', type: { type: 'array', items: 'long' }, default: [1, -1] },
    { name: 'nanos', type: { type: 'long', logicalType: 'timestamp-nanos' }, default: 7 },
    {
      name: 'decimal',
      type: { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 },
      default: '\u007f',
    },
  ]
  const serde = bench.bind(serdes.avro<object>({ type: 'record', name: 'R', fields }, { longs: 'bigint' }))
  const defaults = { long: 5n, longs: [1n, -1n], nanos: 7n, decimal: '1.27' }
  assert.deepStrictEqual(readBack(serde, bytesOf(serde, {})), defaults)
  const empty = bench.bind(serdes.avro<object>({ type: 'record', name: 'R', fields: [] }))
  assert.deepStrictEqual(readBack(serde, bytesOf(empty, {})), defaults)
})

test('a default of 64 bits is exact: read, written, and in the schema that is registered', () => {
  const bench = new AvroBench()
  const long = (value: string): string => `{"name":"long","type":"long","default":${value}}`
  const text = (field: string): string => `{"type":"record","name":"R","fields":[${field}]}`
  const empty = bench.bind(serdes.avro<object>(text('')), { topic: 'empty' })
  for (const value of [2n ** 63n - 1n, -(2n ** 63n) + 1n, 2n ** 53n + 1n]) {
    const schema = text(
      `${long(String(value))},{"name":"list","type":{"type":"array","items":"long"},"default":[${value}]}`,
    )
    const serde = bench.bind(serdes.avro<object>(schema, { longs: 'bigint' }))
    const defaults = { long: value, list: [value] }
    assert.deepStrictEqual(readBack(serde, bytesOf(empty, {})), defaults)
    assert.deepStrictEqual(readBack(serde, bytesOf(serde, {})), defaults)
    assert.equal(bench.registry.latestNow('topic-value')!.schema, schema)
    assert.throws(() => serdes.avro(schema), /no Avro schema: incompatible field default/)
  }
  const rounded = text('{"name":"double","type":"double","default":9007199254740993}')
  const double = bench.bind(serdes.avro<object>(rounded, { longs: 'bigint' }))
  assert.deepStrictEqual(readBack(double, bytesOf(empty, {})), { double: 9007199254740992 })
})

test("a writer's defaults are of no interest, whatever they are", () => {
  const bench = new AvroBench()
  const fields = [
    { name: 'long', type: 'long', default: Number.NaN },
    { name: 'text', type: ['string', 'null'], default: null },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A'], default: 'GONE' }, default: 'GONE' },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: { type: 'record', name: 'Line', fields: [{ name: 'count', type: 'int', default: 'none' }] },
      },
    },
  ]
  const schema = JSON.stringify({ type: 'record', name: 'R', fields }).replace('null', '9223372036854775807')
  const { id } = bench.registry.add('others', schema)
  const sound = fields.map(({ name, type }) => ({ name, type: name === 'text' ? ['string', 'null'] : type }))
  const reader = JSON.stringify({ type: 'record', name: 'R', fields: sound }).replace(
    /,"default":"(GONE|none)"/g,
    '',
  )
  const value = { long: 5, text: null, kind: 'A', lines: [{ count: 1 }] }
  const serde = bench.bind(serdes.avro<object>(reader))
  const bytes = bytesOf(serde, value)
  bytes.writeInt32BE(id, 1)
  assert.deepStrictEqual(readBack(serde, bytes), value)
})
