/** What Confluent's serializers of JSON Schema are made of, Jackson and Everit, is the oracle of the bytes, both ways, and of what fits a schema. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { serdes } from '../../src/serde/serdes.ts'
import { compileJava } from '../services/java.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { AvroBench, bytesOf, readBack } from '../support/bound-avro.ts'
import { JavaPeer } from '../support/java-peer.ts'
import { type Json, RandomJsonSchema } from '../support/random-json-schema.ts'
import { Random } from '../support/seed.ts'

describe("Java's JSON Schema", () => {
  let java: JavaPeer
  before(async () => {
    const classDir = makeScratchDir('json-schema-peer')
    await compileJava('test/oracle/formats', classDir, 'registry')
    java = JavaPeer.start('JsonSchemaPeer', classDir, 'registry')
  })
  after(() => java?.[Symbol.asyncDispose]())

  function bound(schema: object) {
    const bench = new AvroBench()
    for (let other = 0; other < 300; other++) bench.registry.add('others', `"Other${other}"`)
    const serde = bench.bind(serdes.jsonSchema<unknown>(schema as never))
    const { id } = bench.registry.latestNow('topic-value')!
    return { serde, id }
  }

  /** Of every type; those whose text is the same in both languages. */
  const values: readonly Json[] = [
    null,
    true,
    false,
    0,
    -1,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    0.5,
    -2.25,
    '',
    'größer \u0000 " \\ / \n\u2028',
    [],
    [1, 'a', null, [true]],
    {},
    { a: { b: [{ c: null }] }, größe: 1, '1': 2 },
    JSON.parse('{"__proto__":1}') as Json,
  ]

  test('reads what Weir writes, and the other way round, for every type', async () => {
    const { serde, id } = bound({})
    for (const value of values) {
      const bytes = bytesOf(serde, value)
      const text = JSON.stringify(value)
      assert.deepEqual(await java.ask({ op: 'read', hex: bytes.toString('hex') }), { id, text }, text)
      const { hex } = await java.ask({ op: 'write', id, json: value })
      assert.equal(hex, bytes.toString('hex'), text)
      assert.deepStrictEqual(readBack(serde, Buffer.from(String(hex), 'hex')), value)
    }
    // Jackson has other bytes for them: an escape for each half.
    const { hex } = await java.ask({ op: 'write', id, json: '😀' })
    assert.equal(readBack(serde, Buffer.from(String(hex), 'hex')), '😀')
    const { text } = await java.ask({ op: 'read', hex: bytesOf(serde, '😀').toString('hex') })
    assert.equal(text, '"😀"')
  })

  test('random values go both ways', async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    const { serde, id } = bound({})
    for (let round = 0; round < 500; round++) {
      const value = [new RandomJsonSchema(random).value(4), random.next() * 10 ** (random.below(60) - 30)]
      const what = `seed ${random.seed}: ${JSON.stringify(value)}`
      const { text } = await java.ask({ op: 'read', hex: bytesOf(serde, value).toString('hex') })
      assert.deepStrictEqual(JSON.parse(String(text)), value, what)
      const { hex } = await java.ask({ op: 'write', id, json: value })
      assert.deepStrictEqual(readBack(serde, Buffer.from(String(hex), 'hex')), value, what)
    }
  })

  test('an integer that JavaScript would round is an error, whoever wrote it', async () => {
    const { serde, id } = bound({})
    const read = async (json: string): Promise<unknown> => {
      // Not by JSON.parse: it would round it.
      const { hex } = await java.askText(`{"op":"write","id":${id},"json":${json}}`)
      return readBack(serde, Buffer.from(String(hex), 'hex'))
    }
    for (const integer of [
      '9007199254740993',
      '-9223372036854775808',
      '9223372036854775807',
      '10000000000000000000001',
    ]) {
      await assert.rejects(read(`{"a":[1,{"b":${integer}}]}`), {
        name: 'RangeError',
        message: `b: ${integer} is beyond 2^53, and no number of JavaScript`,
      })
      assert.deepEqual(await read(`{"a":"x:${integer}","b":[":${integer}"]}`), {
        a: `x:${integer}`,
        b: [`:${integer}`],
      })
    }
    for (const exact of [2 ** 53 - 1, 2 ** 53, -(2 ** 60), 123456789012345680000, 1e300, 0.1234567890123456])
      assert.deepEqual(await read(JSON.stringify([exact])), [exact])
  })

  test('what fits a schema fits it in both, and nothing else is written', async (t) => {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    let fitting = 0
    let refused = 0
    for (let round = 0; round < 300; round++) {
      const schemas = new RandomJsonSchema(random)
      const schema = schemas.schema()
      const tried = Array.from({ length: 20 }, () => schemas.objectValue())
      const texts = tried.map((value) => JSON.stringify(value))
      const { valid } = await java.ask({ op: 'check', schema, references: {}, texts })
      const { serde } = bound(schema)
      for (const [index, value] of tried.entries()) {
        let problem: unknown = null
        try {
          bytesOf(serde, value)
          fitting++
        } catch (error) {
          problem = error
          refused++
        }
        const what = `seed ${random.seed}: ${texts[index]} of ${JSON.stringify(schema)}: ${String(problem)}`
        assert.equal(problem === null, (valid as boolean[])[index], what)
      }
    }
    t.diagnostic(`${fitting} fit, ${refused} do not`)
    assert.ok(fitting > 100 && refused > 100)
  })

  test('references are found by their names', async () => {
    const schema = {
      title: 'Order',
      type: 'object',
      properties: { price: { $ref: 'price.json' } },
      required: ['price'],
    }
    const price = { type: 'object', properties: { cents: { type: 'integer' } }, required: ['cents'] }
    const bench = new AvroBench()
    bench.registry.registerNow({
      subject: 'price',
      type: 'JSON',
      schema: JSON.stringify(price),
      references: [],
      isInternal: false,
    })
    const references = [{ name: 'price.json', subject: 'price', version: 1 }]
    const serde = bench.bind(serdes.jsonSchema<unknown>(schema, { references }))
    const tried = [{ price: { cents: 1 } }, { price: { cents: 'x' } }, { price: 1 }, {}]
    const texts = tried.map((value) => JSON.stringify(value))
    const { valid } = await java.ask({ op: 'check', schema, references: { 'price.json': price }, texts })
    assert.deepEqual(valid, [true, false, false, false])
    for (const [index, value] of tried.entries()) {
      if ((valid as boolean[])[index]) assert.deepEqual(readBack(serde, bytesOf(serde, value)), value)
      else assert.throws(() => bytesOf(serde, value), { name: 'TypeError' })
    }
  })
})
