import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'

interface Case<T> {
  readonly serde: Serde<T>
  readonly values: fc.Arbitrary<T>
  /** The value's bytes, computed otherwise. */
  readonly bytes: (value: T) => Buffer
}

function one<T>(serde: Serde<T>, values: fc.Arbitrary<T>, bytes: (value: T) => Buffer): Case<T> {
  return { serde, values, bytes }
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', 'ä', '\uFFFD', '\uFEFF', '\0', '𝒲'), maxLength: 60 }),
)

/** Without -0, which JSON has not. */
const jsonValues: fc.Arbitrary<unknown> = fc.json().map((text) => JSON.parse(text.replaceAll('-0', '0')))

const cases: Readonly<Record<string, Case<never>>> = {
  string: one(serdes.string, texts, (value) => Buffer.from(value)),
  int32: one(serdes.int32, fc.integer(), (value) => int64(BigInt(value)).subarray(4)),
  int64: one(serdes.int64, fc.maxSafeInteger(), (value) => int64(BigInt(value))),
  bigint64: one(serdes.bigint64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), int64),
  float64: one(serdes.float64, fc.double(), (value) => {
    const view = new DataView(new ArrayBuffer(8))
    view.setFloat64(0, value)
    return Buffer.from(view.buffer)
  }),
  bytes: one(
    serdes.bytes,
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    (value) => value,
  ),
  json: one(serdes.json(), jsonValues, (value) => Buffer.from(JSON.stringify(value))),
  custom: one(
    serdes.custom<string>({
      name: 'hex',
      serialize: (value) => Buffer.from(value, 'hex'),
      deserialize: (bytes) => bytes.toString('hex'),
    }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('hex')),
    (value) => Buffer.from(value, 'hex'),
  ),
} as unknown as Readonly<Record<string, Case<never>>>

const garbage = fc.uint8Array({ maxLength: 12 })

for (const [name, { serde, values, bytes }] of Object.entries(cases)) {
  describe(name, () => {
    test('has the bytes of Java, after whatever was written before', () => {
      fc.assert(
        fc.property(garbage, values, garbage, (before, value, after) => {
          const writer = new ByteWriter(1)
          writer.writeBytes(before)
          serde.serialize(value, writer)
          writer.writeBytes(after)
          assert.deepEqual(writer.copyFrom(0), Buffer.concat([before, bytes(value), after]))
        }),
      )
    })

    test('reads back what it wrote from within a larger buffer', () => {
      fc.assert(
        fc.property(garbage, values, garbage, (before, value, after) => {
          const own = bytes(value)
          const buffer = Buffer.concat([before, own, after])
          const read = serde.deserialize(buffer, before.length, before.length + own.length)
          // What is read keeps nothing of the buffer.
          buffer.fill(0)
          assert.deepEqual(read, value)
        }),
      )
    })
  })
}

const fixedSizes = { int32: 4, int64: 8, bigint64: 8, float64: 8 } as const

for (const [name, size] of Object.entries(fixedSizes)) {
  test(`${name} refuses other lengths than ${size}`, () => {
    const serde = serdes[name as keyof typeof fixedSizes]
    const buffer = Buffer.alloc(64)
    for (let length = 0; length < 20; length++) {
      if (length === size) continue
      assert.throws(() => serde.deserialize(buffer, 3, 3 + length), {
        name: 'RangeError',
        message: `${size} bytes are expected, not ${length}`,
      })
    }
  })
}

test('json refuses a value that ends before or after its bytes', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), garbage, (value, before) => {
      const own = Buffer.from(JSON.stringify(value))
      const buffer = Buffer.concat([before, own, own])
      const start = before.length
      assert.throws(() => serdes.json().deserialize(buffer, start, start + own.length - 1), SyntaxError)
      assert.throws(() => serdes.json().deserialize(buffer, start, start + own.length + 1), SyntaxError)
    }),
  )
})

test('texts of every length are read as they were written, wherever another character than ASCII stands', () => {
  for (let length = 0; length <= 40; length++) {
    const ascii = Array.from({ length }, (_, index) => String.fromCharCode((index * 37 + length) % 128)).join(
      '',
    )
    for (let at = 0; at <= length; at++) {
      for (const part of ['', '\0', '\x7f', '\x80', 'ß', '€', '😀', '\uFFFD']) {
        const text = ascii.slice(0, at) + part + ascii.slice(at)
        const bytes = Buffer.from(`<${text}>`)
        assert.equal(serdes.string.deserialize(bytes, 1, bytes.length - 1), text)
      }
    }
  }
})

test('string and json refuse bytes that are not UTF-8', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const buffer = Buffer.from(bytes)
      let text: string | null = null
      try {
        text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      } catch {
        // Not UTF-8.
      }
      const read = (): string => serdes.string.deserialize(buffer, 0, buffer.length)
      if (text === null) assert.throws(read, { message: 'the bytes are not UTF-8' })
      else assert.equal(read(), text)
    }),
  )
  assert.throws(() => serdes.json().deserialize(Buffer.of(0x22, 0xff, 0x22), 0, 3), {
    message: 'the bytes are not UTF-8',
  })
})

test('a custom serde gets its own bytes and nothing else', () => {
  const buffer = Buffer.from('before|own|after')
  const seen: Buffer[] = []
  const serde = serdes.custom<null>({
    name: 'seeing',
    serialize: () => Buffer.alloc(0),
    deserialize: (bytes) => {
      seen.push(bytes)
      return null
    },
  })
  serde.deserialize(buffer, 7, 10)
  buffer.fill(0)
  assert.deepEqual(seen, [Buffer.from('own')])
  assert.throws(() => seen[0]!.readUInt8(3), RangeError)
})

describe('a value that has no bytes is refused with one line', () => {
  const refused: readonly (readonly [serde: Serde<never>, value: unknown, message: RegExp])[] = [
    [serdes.string as Serde<never>, 5, /^a string is expected, not number$/],
    [serdes.string as Serde<never>, `long enough for the native encoder ${'\ud800'}`, /lone surrogate/],
    [serdes.string as Serde<never>, 'a\udc00', /lone surrogate/],
    [
      serdes.int32 as Serde<never>,
      2 ** 31,
      /^an int32 is a whole number from -2\^31 to 2\^31 - 1, not 2147483648$/,
    ],
    [serdes.int32 as Serde<never>, 1.5, /not 1\.5$/],
    [serdes.int32 as Serde<never>, '1', /not string$/],
    [serdes.int64 as Serde<never>, 2 ** 53, /^an int64 is a whole number .* not 9007199254740992$/],
    [serdes.int64 as Serde<never>, Number.NaN, /not NaN$/],
    [serdes.int64 as Serde<never>, 1n, /not 1$/],
    [serdes.bigint64 as Serde<never>, 2n ** 63n, /^a bigint64 is a bigint from/],
    [serdes.bigint64 as Serde<never>, 1, /not 1$/],
    [serdes.float64 as Serde<never>, '1', /^a float64 is a number, not string$/],
    [serdes.bytes as Serde<never>, 'text', /^a Buffer or Uint8Array is expected, not string$/],
    [serdes.json() as Serde<never>, undefined, /^JSON has no form for undefined$/],
    [serdes.json() as Serde<never>, () => 1, /^JSON has no form for function$/],
  ]
  for (const [serde, value, message] of refused) {
    test(`${serde.name}: ${typeof value === 'symbol' ? 'symbol' : String(value)}`, () => {
      assert.throws(
        () => serde.serialize(value as never, new ByteWriter()),
        (error: Error) => {
          assert.ok(error instanceof TypeError)
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /\n/)
          return true
        },
      )
    })
  }

  test('an int64 beyond 2^53 is not read as a number', () => {
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      assert.throws(() => serdes.int64.deserialize(int64(value), 0, 8), {
        message: `${value} is beyond 2^53: use bigint64`,
      })
    }
    assert.equal(serdes.int64.deserialize(int64(2n ** 53n - 1n), 0, 8), Number.MAX_SAFE_INTEGER)
  })

  test('a custom serde says what it misses', () => {
    const whole = { name: 'x', serialize: () => Buffer.alloc(0), deserialize: () => 0 }
    assert.throws(
      () => serdes.custom({ ...whole, serialise: 1 } as never),
      /unknown option serialise; allowed: name, serialize/,
    )
    assert.throws(
      () => serdes.custom({ ...whole, deserialize: 1 } as never),
      /x: deserialize must be a function/,
    )
    assert.throws(() => serdes.custom({ ...whole, name: '' }), /name must be text/)
    const wrong = serdes.custom({ ...whole, serialize: () => 'text' as never })
    assert.throws(
      () => wrong.serialize(0, new ByteWriter()),
      /serde x: serialize must return a Buffer or Uint8Array, not string/,
    )
  })
})

test('primitive serdes: values are equal as map keys exactly when their bytes are', () => {
  for (const name of ['string', 'int32', 'int64', 'bigint64'] as const) {
    const { serde, values, bytes } = cases[name]!
    assert.equal(serde.primitive, true)
    fc.assert(
      fc.property(values, values, (a, b) => {
        assert.equal(new Set<unknown>([a, b]).size === 1, bytes(a).equals(bytes(b)))
      }),
    )
  }
  for (const serde of [serdes.float64, serdes.bytes, serdes.json()] as Serde<never>[])
    assert.notEqual(serde.primitive, true)
})
