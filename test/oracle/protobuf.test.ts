/** Java's Protocol Buffers are the oracle of the bytes, both ways, and of what damaged ones are worth. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { serdes } from '../../src/serde/serdes.ts'
import { compileJava } from '../services/java.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { AvroBench, bytesOf, readBack } from '../support/bound-avro.ts'
import { JavaPeer } from '../support/java-peer.ts'
import { randomProto } from '../support/random-proto.ts'
import { Random } from '../support/seed.ts'

const money = `syntax = "proto3";
package shop;
enum Currency { EUR = 0; CHF = 1; }
message Money { int64 cents = 1; Currency currency = 2; }
`
const every = (syntax: string, one: string): string => `syntax = "${syntax}";
package test;
import "google/protobuf/timestamp.proto";
import "shop/money.proto";
message First { ${one} string a = 1; }
enum Kind { UNKNOWN = 0; HOME = 1; NEGATIVE = -1; }
message Every {
  map<string, int32> first_map = 40;
  message Inner {
    message Deep { ${one} string y = 1; }
    ${one} int32 x = 1;
    ${one} Deep deep = 2;
  }
  enum Suit { SPADES = 0; HEARTS = 5; }
  ${one} int32 int = 1;
  ${one} int64 long = 2;
  ${one} uint32 uint = 3;
  ${one} uint64 ulong = 4;
  ${one} sint32 sint = 5;
  ${one} sint64 slong = 6;
  ${one} fixed32 fixed = 7;
  ${one} fixed64 lfixed = 8;
  ${one} sfixed32 sfixed = 9;
  ${one} sfixed64 slfixed = 10;
  ${one} float single = 11;
  ${one} double double = 12;
  ${one} bool is_it = 13;
  ${one} string text = 14;
  ${one} bytes raw = 15;
  ${one} Kind kind = 16;
  ${one} Suit suit = 17;
  ${one} Inner inner = 18;
  repeated sint32 packed = 19 [packed = true];
  repeated int64 unpacked = 20 [packed = false];
  repeated string texts = 21;
  repeated Inner inners = 22;
  repeated Kind kinds = 23;
  map<string, int64> counts = 24;
  map<int64, Inner> by_id = 25;
  map<bool, Kind> flags = 26;
  map<sint32, bytes> raws = 27;
  map<fixed64, double> doubles = 28;
  oneof which { string by_text = 29; Inner by_inner = 30; uint64 by_number = 31; }
  optional int32 maybe = 32;
  optional string maybe_text = 33;
  ${one} google.protobuf.Timestamp at = 34;
  ${one} shop.Money price = 5000;
}
`

describe("Java's Protocol Buffers", () => {
  let java: JavaPeer
  before(async () => {
    const classDir = makeScratchDir('protobuf-peer')
    await compileJava('test/oracle/formats', classDir, 'registry')
    java = JavaPeer.start('ProtobufPeer', classDir, 'registry')
  })
  after(() => java?.[Symbol.asyncDispose]())

  /** A message in Weir, and in Java. */
  class Both {
    readonly #serde
    readonly #file: { schema: string; references: Record<string, string> }
    readonly #message: string
    readonly id: number

    constructor(schema: string, message: string, references: Record<string, string> = {}) {
      const bench = new AvroBench()
      // So that the id has more than one byte.
      for (let other = 0; other < 300; other++) bench.registry.add('others', `"Other${other}"`)
      const named = Object.entries(references).map(([name, text]) => {
        bench.registry.registerNow({
          subject: name,
          type: 'PROTOBUF',
          schema: text,
          references: [],
          isInternal: false,
        })
        return { name, subject: name, version: 1 }
      })
      this.#file = { schema, references }
      this.#message = message
      this.#serde = bench.bind(
        serdes.protobuf<unknown>(schema, { message, longs: 'bigint', references: named }),
      )
      this.id = bench.registry.latestNow('topic-value')!.id
    }

    write(value: unknown): string {
      return bytesOf(this.#serde, value).toString('hex')
    }

    read(hex: string): unknown {
      return readBack(this.#serde, Buffer.from(hex, 'hex'))
    }

    async decode(hex: string): Promise<Record<string, unknown>> {
      return await java.ask({ op: 'decode', ...this.#file, hex })
    }

    async encode(json: unknown): Promise<string> {
      const { hex } = await java.ask({
        op: 'encode',
        ...this.#file,
        message: this.#message,
        id: this.id,
        json,
      })
      return String(hex)
    }

    async random(seed: number, count: number): Promise<string[]> {
      const request = { op: 'random', ...this.#file, message: this.#message, id: this.id, seed, count }
      return (await java.ask(request)).hexes as string[]
    }
  }

  const maxLong = 2n ** 63n - 1n
  /** Fields in Weir, and in Protobuf's JSON. */
  const values: readonly (readonly [weir: Record<string, unknown>, json: Record<string, unknown>])[] = [
    [{}, {}],
    [{ int: -(2 ** 31) }, { int: -(2 ** 31) }],
    [{ int: 2 ** 31 - 1 }, { int: 2 ** 31 - 1 }],
    [{ long: -maxLong - 1n }, { long: String(-maxLong - 1n) }],
    [{ long: 2n ** 53n + 1n }, { long: '9007199254740993' }],
    [{ uint: 2 ** 32 - 1 }, { uint: 2 ** 32 - 1 }],
    [{ ulong: 2n ** 64n - 1n }, { ulong: '18446744073709551615' }],
    [{ sint: -(2 ** 31) }, { sint: -(2 ** 31) }],
    [{ slong: -maxLong - 1n }, { slong: String(-maxLong - 1n) }],
    [{ slong: maxLong }, { slong: String(maxLong) }],
    [{ fixed: 2 ** 32 - 1 }, { fixed: 2 ** 32 - 1 }],
    [{ lfixed: 2n ** 64n - 1n }, { lfixed: '18446744073709551615' }],
    [{ sfixed: -1 }, { sfixed: -1 }],
    [{ slfixed: -1n }, { slfixed: '-1' }],
    [{ single: 0.5 }, { single: 0.5 }],
    [{ single: Number.NEGATIVE_INFINITY }, { single: '-Infinity' }],
    [{ double: Math.PI }, { double: Math.PI }],
    [{ double: Number.NaN }, { double: 'NaN' }],
    [{ is_it: true }, { is_it: true }],
    [{ text: 'größer 😀'.repeat(20) }, { text: 'größer 😀'.repeat(20) }],
    [{ raw: Buffer.from([0, 127, 255]) }, { raw: 'AH//' }],
    [{ kind: 'HOME' }, { kind: 'HOME' }],
    [{ kind: 'NEGATIVE' }, { kind: 'NEGATIVE' }],
    [{ suit: 'HEARTS' }, { suit: 'HEARTS' }],
    [{ inner: { x: 5, deep: { y: 'z' } } }, { inner: { x: 5, deep: { y: 'z' } } }],
    [{ packed: [1, -1, 2 ** 31 - 1] }, { packed: [1, -1, 2 ** 31 - 1] }],
    [{ unpacked: [0n, -1n] }, { unpacked: ['0', '-1'] }],
    [{ texts: ['', 'b'] }, { texts: ['', 'b'] }],
    [{ inners: [{ x: 1 }, { x: 2 }] }, { inners: [{ x: 1 }, { x: 2 }] }],
    [{ kinds: ['HOME', 'UNKNOWN', 'NEGATIVE'] }, { kinds: ['HOME', 'UNKNOWN', 'NEGATIVE'] }],
    [{ first_map: { a: 0 } }, { first_map: { a: 0 } }],
    [{ counts: { '': -1n } }, { counts: { '': '-1' } }],
    [{ by_id: { '-5': { x: 1 } } }, { by_id: { '-5': { x: 1 } } }],
    [{ flags: { true: 'HOME' } }, { flags: { true: 'HOME' } }],
    [{ raws: { '-7': Buffer.from([1]) } }, { raws: { '-7': 'AQ==' } }],
    [{ doubles: { '18446744073709551615': 0.5 } }, { doubles: { '18446744073709551615': 0.5 } }],
    [{ by_text: '' }, { by_text: '' }],
    [{ by_inner: { x: 7 } }, { by_inner: { x: 7 } }],
    [{ by_number: 0n }, { by_number: '0' }],
    [
      { maybe: 0, maybe_text: '' },
      { maybe: 0, maybe_text: '' },
    ],
    [{ at: { seconds: 1_700_000_000n, nanos: 5 } }, { at: '2023-11-14T22:13:20.000000005Z' }],
    [{ price: { cents: -1n, currency: 'CHF' } }, { price: { cents: '-1', currency: 'CHF' } }],
  ]

  for (const [syntax, one] of [
    ['proto3', ''],
    ['proto2', 'optional'],
  ] as const) {
    test(`${syntax}: reads what Weir writes, and the other way round, for every type`, async () => {
      const both = new Both(every(syntax, one), 'test.Every', { 'shop/money.proto': money })
      assert.ok(both.id > 256)
      const nothing = both.read(both.write({})) as object
      for (const [weir, json] of values) {
        const hex = both.write(weir)
        const read = await both.decode(hex)
        const what = JSON.stringify(json)
        assert.deepEqual(read, { id: both.id, message: 'test.Every', json, hex }, what)
        assert.equal(await both.encode(json), hex, what)
        const back = both.read(hex)
        assert.partialDeepStrictEqual(back, weir, what)
        if (syntax === 'proto2') continue
        for (const [name, value] of Object.entries(nothing))
          if (!(name in weir)) assert.deepStrictEqual((back as Record<string, unknown>)[name], value)
      }
    })
  }

  test('any message of a file, by its indexes', async () => {
    const text = every('proto3', '')
    const names = ['test.First', 'test.Every', 'test.Every.Inner', 'test.Every.Inner.Deep']
    for (const name of names) {
      const both = new Both(text, name, { 'shop/money.proto': money })
      const hex = both.write({})
      assert.equal(await both.encode({}), hex, name)
      assert.equal((await both.decode(hex)).message, name)
    }
  })

  test('messages within messages, as deep as Java reads them', async () => {
    const both = new Both('syntax = "proto3"; package test; message Node { Node next = 1; }', 'test.Node')
    const nested = (depth: number): object => {
      let value: object = {}
      for (let level = 0; level < depth; level++) value = { next: value }
      return value
    }
    const frame = both.write({})
    for (const depth of [99, 100, 101, 102]) {
      let bytes = Buffer.alloc(0)
      for (let level = 0; level < depth; level++) {
        const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
        bytes = Buffer.concat([Buffer.from([0x0a, ...length]), bytes])
      }
      const hex = frame + bytes.toString('hex')
      const java = await both.decode(hex).then(
        () => true,
        () => false,
      )
      assert.equal(java, depth <= 100, `Java, ${depth}`)
      if (java) assert.deepEqual(both.read(hex), nested(depth))
      else assert.throws(() => both.read(hex), /./, String(depth))
    }
  })

  test('entries of a map without a key, or without a value', async () => {
    const keys = ['string', 'bool', 'int32', 'sint64', 'fixed64', 'sfixed32', 'uint64']
    for (const key of keys) {
      for (const value of ['string', 'int64', 'double', 'bytes', 'M', 'E']) {
        const text = `syntax = "proto3"; package test; message M { map<${key}, ${value}> f = 1; } enum E { A = 0; }`
        const both = new Both(text, 'test.M')
        const hex = `${both.write({})}0a00`
        const { json, hex: again } = await both.decode(hex)
        const weir = both.read(hex)
        assert.deepEqual((await both.decode(both.write(weir))).json, json, text)
        assert.deepEqual(weir, both.read(String(again)), text)
      }
    }
  })

  test('random messages of random files are read, and written as they were', async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    for (let round = 0; round < 150; round++) {
      const file = randomProto(random, random.pick(['proto2', 'proto3']))
      const message = random.pick(file.messages)
      const both = new Both(file.text, message)
      for (const hex of await both.random(random.below(2 ** 31), 5)) {
        const what = `seed ${random.seed}: ${message} ${hex}\n${file.text}`
        const [before, after] = [await both.decode(hex), await both.decode(both.write(both.read(hex)))]
        assert.deepEqual(after, { ...before, hex: after.hex }, what)
        assert.equal(String(after.hex).length, hex.length, what)
      }
    }
  })

  test('a message behind another is merged with it, field by field', async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    for (let round = 0; round < 100; round++) {
      const file = randomProto(random, 'proto3')
      const message = random.pick(file.messages)
      const both = new Both(file.text, message)
      const [first, second] = (await both.random(random.below(2 ** 31), 2)) as [string, string]
      const hex = first + second.slice(both.write({}).length)
      const { json } = await both.decode(hex)
      const again = await both.decode(both.write(both.read(hex)))
      assert.deepEqual(again.json, json, `seed ${random.seed}: ${message} ${hex}\n${file.text}`)
    }
  })

  test('damaged messages are refused by both, or are the same to both', async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    let read = 0
    let refused = 0
    for (let round = 0; round < 150; round++) {
      const file = randomProto(random, 'proto3', { longKeys: false })
      const message = random.pick(file.messages)
      const both = new Both(file.text, message)
      // The magic byte, the id and the indexes stay as they are.
      const start = both.write({}).length / 2
      for (const hex of await both.random(random.below(2 ** 31), 10)) {
        const bytes = Buffer.from(hex, 'hex')
        if (bytes.length === start) continue
        const end = random.below(3) === 0 ? start + random.below(bytes.length - start) : bytes.length
        for (let flips = random.below(4); flips > 0; flips--) {
          const at = start + random.below(bytes.length - start)
          bytes[at]! ^= 1 << random.below(8)
        }
        if (hasOverlongVarint(bytes)) continue
        const damaged = bytes.subarray(0, end).toString('hex')
        const what = `seed ${random.seed}: ${message} ${damaged}\n${file.text}`
        const java = await both.decode(damaged).catch((error: Error) => error)
        let weir: unknown
        try {
          weir = both.read(damaged)
        } catch (error) {
          weir = error
        }
        if (java instanceof Error || weir instanceof Error) {
          const answers = `${String(java)}; ${String(weir)}; ${what}`
          // Of a tag or a length of more than 32 bits Java takes the low ones.
          const isStricter = weir instanceof Error && /^invalid (tag|length) encoding/.test(weir.message)
          assert.ok(weir instanceof Error && (java instanceof Error || isStricter), answers)
          refused++
          continue
        }
        const again = await both.decode(both.write(weir))
        assert.deepEqual(again.json, java.json, what)
        read++
      }
    }
    t.diagnostic(`${read} read, ${refused} refused`)
    assert.ok(read > 100 && refused > 100)
  })
})

/** Java takes the tenth byte of a varint for a 1, whatever it is: nobody writes another one. */
function hasOverlongVarint(bytes: Buffer): boolean {
  let run = 0
  for (const byte of bytes) {
    if (byte < 0x80 && run >= 9 && byte !== 1) return true
    run = byte < 0x80 ? 0 : run + 1
  }
  return false
}
