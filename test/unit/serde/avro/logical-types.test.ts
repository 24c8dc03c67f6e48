import assert from 'node:assert/strict'
import test from 'node:test'

import { serdes } from '../../../../src/serde/serdes.ts'
import { AvroBench, bytesOf, readBack } from '../../../support/bound-avro.ts'

/** Values of each logical type, with their bytes in hexadecimal, worked out from the specification by other means. */
const cases: readonly { schema: object; values: readonly (readonly [unknown, string])[] }[] = [
  {
    schema: { type: 'int', logicalType: 'date' },
    values: [
      [19_000, 'f0a802'],
      [-1, '01'],
    ],
  },
  { schema: { type: 'int', logicalType: 'time-millis' }, values: [[86_399_999, 'feefb252']] },
  { schema: { type: 'long', logicalType: 'time-micros' }, values: [[1, '02']] },
  {
    schema: { type: 'long', logicalType: 'timestamp-millis' },
    values: [
      [1_700_000_000_000, '80a0abfef962'],
      [-1, '01'],
    ],
  },
  { schema: { type: 'long', logicalType: 'timestamp-micros' }, values: [[64, '8001']] },
  { schema: { type: 'long', logicalType: 'local-timestamp-millis' }, values: [[63, '7e']] },
  { schema: { type: 'long', logicalType: 'local-timestamp-micros' }, values: [[-64, '7f']] },
  {
    schema: { type: 'long', logicalType: 'timestamp-nanos' },
    values: [
      [64n, '8001'],
      [-(2n ** 63n), 'ffffffffffffffffff01'],
    ],
  },
  { schema: { type: 'long', logicalType: 'local-timestamp-nanos' }, values: [[0n, '00']] },
  {
    schema: { type: 'bytes', logicalType: 'decimal', precision: 6, scale: 2 },
    values: [
      ['0.00', '0200'],
      ['1.27', '027f'],
      ['1.28', '040080'],
      ['-1.28', '0280'],
      ['-1.29', '04ff7f'],
      ['9999.99', '060f423f'],
    ],
  },
  {
    schema: { type: { type: 'fixed', name: 'D', size: 3, logicalType: 'decimal', precision: 6, scale: 0 } },
    values: [
      ['-1', 'ffffff'],
      ['256', '000100'],
    ],
  },
  {
    schema: { type: 'string', logicalType: 'uuid' },
    values: [
      [
        '12345678-9abc-def0-1234-56789abcdef0',
        `48${Buffer.from('12345678-9abc-def0-1234-56789abcdef0').toString('hex')}`,
      ],
    ],
  },
  {
    schema: { type: { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' } },
    values: [['12345678-9abc-def0-1234-56789abcdef0', '123456789abcdef0123456789abcdef0']],
  },
  {
    schema: { type: { type: 'fixed', name: 'P', size: 12, logicalType: 'duration' } },
    values: [[{ months: 1, days: 2, milliseconds: 0xffffffff }, '0100000002000000ffffffff']],
  },
]

test('each logical type has the bytes of the specification', () => {
  const bench = new AvroBench()
  for (const { schema, values } of cases) {
    const inner =
      typeof (schema as { type: unknown }).type === 'object' ? (schema as { type: object }).type : schema
    const serde = bench.bind(serdes.avro<unknown>(inner as never))
    for (const [value, hex] of values) {
      const bytes = bytesOf(serde, value)
      if (value !== 1_700_000_000_000)
        assert.equal(bytes.subarray(5).toString('hex'), hex, JSON.stringify(schema))
      assert.deepStrictEqual(readBack(serde, bytes), value, JSON.stringify(schema))
    }
  }
})

test('what is no value of a logical type is not rounded to one', () => {
  const bench = new AvroBench()
  const refused = (schema: object, values: readonly unknown[], message: RegExp): void => {
    const serde = bench.bind(serdes.avro<unknown>(schema as never))
    for (const value of values) assert.throws(() => bytesOf(serde, value), { name: 'TypeError', message })
  }
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }
  refused(decimal, ['1.234', '100.00', 1.5, 'one', '', null, '1.'], /is no decimal\(4, 2\)$/)
  refused({ type: 'string', logicalType: 'uuid' }, ['x', 5, '12345678-9abc-def0-1234'], /is no uuid$/)
  refused({ type: 'int', logicalType: 'date' }, [1.5, 2 ** 31, new Date(0)], /is no date$/)
  refused({ type: 'long', logicalType: 'timestamp-nanos' }, [5, 2n ** 63n], /is no timestamp-nanos$/)
  const duration = { type: 'fixed', name: 'P', size: 12, logicalType: 'duration' }
  refused(
    duration,
    [
      { months: 1, days: 1 },
      { months: -1, days: 0, milliseconds: 0 },
    ],
    /is no duration$/,
  )
})

test('a unit is never read as another, nor a scale; a plain number is', () => {
  const bench = new AvroBench()
  const of = (schema: object | string) => bench.bind(serdes.avro<unknown>(schema as never))
  const millis = of({ type: 'long', logicalType: 'timestamp-millis' })
  const micros = of({ type: 'long', logicalType: 'timestamp-micros' })
  const bytes = bytesOf(millis, 5)
  assert.throws(() => readBack(micros, bytes), /schema 1 cannot be read as the reader's schema/)
  assert.equal(readBack(of('long'), bytes), 5)
  assert.equal(readBack(millis, bytesOf(of('long'), 7)), 7)
  assert.equal(readBack(millis, bytesOf(of('int'), 7)), 7)
  const decimal = (scale: number) => of({ type: 'bytes', logicalType: 'decimal', precision: 8, scale })
  assert.throws(() => readBack(decimal(3), bytesOf(decimal(2), '1.00')), /cannot be read/)
  assert.equal(
    readBack(
      of({ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
      bytesOf(decimal(2), '1.00'),
    ),
    '1.00',
  )
})

test('optional ones are null or their value; where two branches look alike, the value is wrapped', () => {
  const bench = new AvroBench()
  const optional = bench.bind(
    serdes.avro<unknown>(['null', { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }]),
  )
  for (const value of [null, '1.50']) assert.equal(readBack(optional, bytesOf(optional, value)), value)
  const alike = bench.bind(
    serdes.avro<unknown>(['string', { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }]),
  )
  for (const value of [{ string: '1.50' }, { bytes: '1.50' }])
    assert.deepStrictEqual(readBack(alike, bytesOf(alike, value)), value)
  assert.throws(() => bytesOf(alike, '1.50'), /is no string or bytes, as \{ branch: value \}/)
})

test('a logical type that the specification does not have, or not so, is the type under it', () => {
  const bench = new AvroBench()
  for (const schema of [
    { type: 'string', logicalType: 'timestamp-millis' },
    { type: 'string', logicalType: 'reverse' },
  ]) {
    const serde = bench.bind(serdes.avro<unknown>(schema))
    assert.equal(readBack(serde, bytesOf(serde, 'text')), 'text')
  }
  const wrongScale = bench.bind(
    serdes.avro<unknown>({ type: 'bytes', logicalType: 'decimal', precision: 1, scale: 2 }),
  )
  assert.deepEqual(readBack(wrongScale, bytesOf(wrongScale, Buffer.from([1]))), Buffer.from([1]))
})
