/** Java's Avro is the oracle of the bytes, both ways, of what a schema makes of another's, and of the logical types. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { serdes } from '../../src/serde/serdes.ts'
import { compileJava } from '../services/java.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { AvroBench, bytesOf, readBack } from '../support/bound-avro.ts'
import { JavaPeer } from '../support/java-peer.ts'
import { RandomAvro } from '../support/random-avro.ts'
import { Random } from '../support/seed.ts'

const HEADER_BYTES = 5

describe("Java's Avro", () => {
  let java: JavaPeer
  before(async () => {
    const classDir = makeScratchDir('avro-peer')
    await compileJava('test/oracle/avro', classDir)
    java = JavaPeer.start('AvroPeer', classDir)
  })
  after(() => java?.[Symbol.asyncDispose]())

  /** A schema in Weir: hexadecimal bytes without the wire format's header. */
  class WeirAvro {
    readonly #bench = new AvroBench()
    readonly #serde
    readonly #id: number

    constructor(schema: unknown, writer: unknown = schema, longs: 'number' | 'bigint' = 'bigint') {
      this.#id = this.#bench.registry.add('writer', writer as object).id
      this.#serde = this.#bench.bind(serdes.avro<unknown>(schema as never, { longs }))
    }

    write(value: unknown): string {
      return bytesOf(this.#serde, value).subarray(HEADER_BYTES).toString('hex')
    }

    read(hex: string): unknown {
      const header = Buffer.alloc(HEADER_BYTES)
      header.writeInt32BE(this.#id, 1)
      return readBack(this.#serde, Buffer.concat([header, Buffer.from(hex, 'hex')]))
    }
  }

  const named = { type: 'record', name: 'test.Named', fields: [{ name: 'x', type: 'int' }] }
  /** A schema, a value in Weir, and the same in Avro's JSON. */
  const values: readonly (readonly [schema: unknown, weir: unknown, json: unknown])[] = [
    ['null', null, null],
    ['boolean', true, true],
    ['int', -(2 ** 31), -(2 ** 31)],
    ['long', 2n ** 53n - 1n, 2 ** 53 - 1],
    ['float', 0.5, 0.5],
    ['double', Math.E, Math.E],
    ['bytes', Buffer.from([0, 127, 255]), '\u0000\u007f\u00ff'],
    ['string', 'größer 😀'.repeat(20), 'größer 😀'.repeat(20)],
    [{ type: 'enum', name: 'test.Suit', symbols: ['SPADES', 'HEARTS'] }, 'HEARTS', 'HEARTS'],
    [{ type: 'fixed', name: 'test.Two', size: 2 }, Buffer.from([1, 255]), '\u0001\u00ff'],
    [{ type: 'array', items: 'string' }, ['a', '', 'c'], ['a', '', 'c']],
    [{ type: 'map', values: 'int' }, { one: 1 }, { one: 1 }],
    [['null', 'string'], null, null],
    [['null', 'string'], 'there', { string: 'there' }],
    [['int', 'double', named], { 'test.Named': { x: 3 } }, { 'test.Named': { x: 3 } }],
    [named, { x: 1 }, { x: 1 }],
    [
      { type: 'record', name: 'test.Node', fields: [{ name: 'next', type: ['null', 'test.Node'] }] },
      { next: { next: null } },
      { next: { 'test.Node': { next: null } } },
    ],
  ]

  test('reads what Weir writes, and the other way round, for every type', async () => {
    for (const [schema, weir, json] of values) {
      const avro = new WeirAvro(schema)
      const hex = avro.write(weir)
      const read = await java.ask({ op: 'decode', writer: schema, reader: schema, hex })
      assert.deepEqual({ hex: read.hex, json: read.json }, { hex, json }, JSON.stringify(schema))
      const written = await java.ask({ op: 'encode', schema, json })
      assert.equal(written.hex, hex)
      assert.deepStrictEqual(avro.read(hex), weir)
    }
  })

  test('longs of all sizes', async () => {
    for (const long of [2n ** 63n - 1n, -(2n ** 63n), -(2n ** 52n) - 1n, 2n ** 53n + 1n]) {
      const hex = new WeirAvro('long').write(long)
      // JSON.parse would round it.
      const { hex: again } = await java.ask({ op: 'decode', writer: 'long', reader: 'long', hex })
      assert.equal(again, hex)
      assert.equal(new WeirAvro('long').read(hex), long)
    }
  })

  const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more })
  const fixed = (size: number, logicalType: string, more: object = {}) => ({
    type: 'fixed',
    name: `test.Fixed${size}`,
    size,
    logicalType,
    ...more,
  })
  const time = '2023-11-14T22:13:20.123456789Z'
  const millis = 1_700_000_000_123
  /** A schema, a value in Weir, and in Java as text. */
  const logicals: readonly (readonly [schema: object, weir: unknown, java: string])[] = [
    [logical('int', 'date'), 19_675, '2023-11-14'],
    [logical('int', 'time-millis'), 80_000_123, '22:13:20.123'],
    [logical('long', 'time-micros'), 80_000_123_456, '22:13:20.123456'],
    [logical('long', 'timestamp-millis'), millis, '2023-11-14T22:13:20.123Z'],
    [logical('long', 'timestamp-micros'), millis * 1_000 + 456, '2023-11-14T22:13:20.123456Z'],
    [logical('long', 'timestamp-nanos'), BigInt(millis) * 1_000_000n + 456_789n, time],
    [logical('long', 'local-timestamp-millis'), millis, '2023-11-14T22:13:20.123Z'],
    [logical('long', 'local-timestamp-micros'), millis * 1_000 + 456, '2023-11-14T22:13:20.123456Z'],
    [logical('long', 'local-timestamp-nanos'), BigInt(millis) * 1_000_000n + 456_789n, time],
    ...['0.00', '123.45', '-123.45', '-0.01', '1.27', '1.28', '-1.28', '-1.29', '99999999.99'].flatMap(
      (decimal) =>
        [
          [logical('bytes', 'decimal', { precision: 10, scale: 2 }), decimal, decimal],
          [fixed(9, 'decimal', { precision: 10, scale: 2 }), decimal, decimal],
        ] as const,
    ),
    [
      logical('string', 'uuid'),
      '12345678-9abc-4ef0-8234-56789abcdef0',
      '12345678-9abc-4ef0-8234-56789abcdef0',
    ],
    [fixed(16, 'uuid'), '12345678-9abc-4ef0-8234-56789abcdef0', '12345678-9abc-4ef0-8234-56789abcdef0'],
  ]

  test('has the same logical types', async () => {
    for (const [schema, weir, text] of logicals) {
      const avro = new WeirAvro(schema, schema, 'number')
      const { hex } = await java.ask({ op: 'fromLogical', schema, text })
      assert.equal(avro.write(weir), hex, JSON.stringify(schema))
      assert.deepStrictEqual(avro.read(String(hex)), weir, JSON.stringify(schema))
      const { text: back } = await java.ask({ op: 'toLogical', schema, hex })
      assert.equal(`${back}${schema && JSON.stringify(schema).includes('local-') ? 'Z' : ''}`, text)
    }
  })

  test('random values of random schemas are read, and written as they were', async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    for (let round = 0; round < 400; round++) {
      const schema = new RandomAvro(random).record()
      const avro = new WeirAvro(schema)
      const { hexes } = await java.ask({ op: 'random', schema, seed: random.below(2 ** 31), count: 5 })
      for (const hex of hexes as string[])
        assert.equal(avro.write(avro.read(hex)), hex, `seed ${random.seed}: ${JSON.stringify(schema)}`)
    }
  })

  test("random values are read with another schema as Java's reads them, or not at all", async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    let read = 0
    for (let round = 0; round < 1000; round++) {
      const schemas = new RandomAvro(random)
      const writer = schemas.record()
      const reader = schemas.evolved(writer)
      const avro = new WeirAvro(reader, writer)
      const asReader = new WeirAvro(reader)
      const { hexes } = await java.ask({
        op: 'random',
        schema: writer,
        seed: random.below(2 ** 31),
        count: 3,
      })
      for (const hex of hexes as string[]) {
        const what = `seed ${random.seed}: ${JSON.stringify({ writer, reader, hex })}`
        const expected = await java.ask({ op: 'decode', writer, reader, hex }).then(
          (answer) => answer.hex,
          (error: unknown) => error,
        )
        let actual: unknown
        try {
          actual = avro.read(hex)
        } catch (error) {
          actual = error
        }
        if (expected instanceof Error || actual instanceof Error) {
          assert.ok(
            expected instanceof Error === actual instanceof Error,
            `${String(expected)}; ${String(actual)}; ${what}`,
          )
          continue
        }
        // By their values: Java writes a map's entries in an order of its own.
        assert.deepStrictEqual(actual, asReader.read(String(expected)), what)
        read++
      }
    }
    assert.ok(read > 300, String(read))
  })
})
