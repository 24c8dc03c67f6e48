import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defineTopology } from '../../../../src/index.ts'
import { LocalSchemaRegistry } from '../../../../src/schema-registry/local-schema-registry.ts'
import { ByteWriter } from '../../../../src/serde/byte-writer.ts'
import type { JsonSchemaOptions } from '../../../../src/serde/json-schema/json-schema.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../../src/testing/index.ts'
import { AvroBench, bytesOf, readBack } from '../../../support/bound-avro.ts'

const order = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'shop.Order',
  type: 'object',
  properties: {
    id: { type: 'integer', minimum: 1 },
    at: { type: 'string', format: 'date-time' },
    lines: {
      type: 'array',
      items: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] },
    },
  },
  required: ['id'],
  additionalProperties: false,
  'connect.name': 'a keyword of others',
} as const

/** What is written by hand: 0x00, the id, JSON. */
function record(id: number, text: string): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, Buffer.from(text)])
}

describe('serdes.jsonSchema', () => {
  test("Confluent's wire format, and a schema of type JSON", () => {
    const bench = new AvroBench()
    const serde = bench.bind(serdes.jsonSchema<object>(order))
    const value = { id: 7, at: '2026-01-02T03:04:05Z', lines: [{ sku: 'ä' }] }
    const bytes = bytesOf(serde, value)
    assert.deepEqual(bytes, record(1, JSON.stringify(value)))
    assert.deepEqual(readBack(serde, bytes), value)
    assert.equal(serde.name, 'json shop.Order')
    const [registered] = [bench.registry.latestNow('topic-value')]
    assert.deepEqual(registered, { id: 1, type: 'JSON', schema: JSON.stringify(order), references: [] })
  })

  test('a value that does not fit is not written, with one line', () => {
    const serde = new AvroBench().bind(serdes.jsonSchema<unknown>(order))
    const writer = new ByteWriter(16)
    writer.writeUInt8(1)
    const cases: [unknown, string][] = [
      [{}, "it must have required property 'id'"],
      [{ id: 'x' }, 'id must be integer'],
      [{ id: 0 }, 'id must be >= 1'],
      [{ id: 1, at: 'yesterday' }, 'at must match format "date-time"'],
      [{ id: 1, lines: [{ sku: 'a' }, {}] }, "lines.1 must have required property 'sku'"],
      [{ id: 1, more: 1 }, 'it must NOT have additional properties: more'],
      [[], 'it must be object'],
      [1n, 'it must be object'],
    ]
    for (const [value, reason] of cases) {
      const message = `the value for topic is no json shop.Order: ${reason}`
      assert.throws(() => serde.serialize(value, writer), { name: 'TypeError', message })
      assert.equal(writer.position, 1)
    }
    const any = new AvroBench().bind(serdes.jsonSchema<unknown>({}))
    assert.throws(
      () => any.serialize(undefined, writer),
      /the value for topic is no json value: JSON has no form for undefined$/,
    )
  })

  test('what is read is checked when it is asked for', () => {
    const bench = new AvroBench()
    const plain = bench.bind(serdes.jsonSchema<unknown>(order))
    const strict = bench.bind(serdes.jsonSchema<unknown>(order, { validateReads: true }))
    const bytes = record(1, '{"id":0}')
    assert.deepEqual(readBack(plain, bytes), { id: 0 })
    assert.throws(() => readBack(strict, bytes), { name: 'TypeError', message: 'id must be >= 1' })
    assert.deepEqual(readBack(strict, record(1, '{"id":1}')), { id: 1 })
  })

  test('an object has what is its own alone', () => {
    const properties = { constructor: { type: 'number' }, toString: { type: 'string' } }
    const serde = new AvroBench().bind(serdes.jsonSchema<object>({ properties, required: ['valueOf'] }))
    assert.throws(() => bytesOf(serde, {}), /must have required property 'valueOf'$/)
    assert.deepEqual(readBack(serde, bytesOf(serde, { valueOf: 1 })), { valueOf: 1 })
  })

  test('an integer that would be rounded is none of the value', () => {
    const bench = new AvroBench()
    const serde = bench.bind(serdes.jsonSchema<unknown>({}))
    const read = (json: string) => readBack(serde, record(1, json))
    const message = /^9007199254740993 is beyond 2\^53, and no number of JavaScript$/
    assert.throws(() => read('9007199254740993'), { name: 'RangeError', message })
    assert.throws(() => read('{"id":\n-9007199254740993}'), { message: /^id: -9007199254740993 is beyond/ })
    assert.deepEqual(read('["9007199254740993", ":-9007199254740993,"]'), [
      '9007199254740993',
      ':-9007199254740993,',
    ])
    for (const exact of [2 ** 53, -(2 ** 53), 2 ** 63, 123456789012345680000])
      assert.equal(readBack(serde, bytesOf(serde, exact)), exact)
    assert.equal(read('0.12345678901234567890'), 0.12345678901234568)
    assert.equal(read('1234567890123456789e0'), 1234567890123456800)
  })

  test('bytes that are none', () => {
    const bench = new AvroBench()
    bench.registry.add('other', '"int"')
    const serde = bench.bind(serdes.jsonSchema(order))
    const cases: [Buffer, RegExp][] = [
      [Buffer.from('{"id":1}'), /^it begins with the byte 123, not with the magic byte 0 /],
      [Buffer.from([0, 0]), /^a magic byte and a schema id are expected, not 2 bytes$/],
      [record(9, '{"id":1}'), /^the schema registry has no schema of id 9$/],
      [record(1, '{"id":1}'), /^schema 1 cannot be read: it is of type AVRO, not JSON$/],
      [record(2, '{"id":'), /^no JSON: /],
      [record(2, ''), /^no JSON: /],
      [
        Buffer.concat([record(2, '"'), Buffer.from([0xff]), Buffer.from('"')]),
        /^no JSON: the bytes are not UTF-8$/,
      ],
    ]
    for (const [bytes, message] of cases) assert.throws(() => readBack(serde, bytes), { message })
  })

  test('references by the names that $ref has, and their own', () => {
    const bench = new AvroBench()
    const add = (
      subject: string,
      schema: object,
      references: { name: string; subject: string; version: number }[],
    ) =>
      bench.registry.registerNow({
        subject,
        type: 'JSON',
        schema: JSON.stringify(schema),
        references,
        isInternal: false,
      })
    add('money', { type: 'object', properties: { currency: { $ref: 'currency.json' } } }, [])
    add('currency', { enum: ['EUR', 'CHF'] }, [])
    const money = { name: 'money.json', subject: 'money', version: 1 }
    const currency = { name: 'currency.json', subject: 'currency', version: 1 }
    const schema = { title: 'Priced', type: 'object', properties: { price: { $ref: 'money.json' } } }
    const serde = bench.bind(serdes.jsonSchema<object>(schema, { references: [currency, money] }))
    assert.deepEqual(readBack(serde, bytesOf(serde, { price: { currency: 'EUR' } })), {
      price: { currency: 'EUR' },
    })
    const message = /price\.currency must be equal to one of the allowed values$/
    assert.throws(() => bytesOf(serde, { price: { currency: 'USD' } }), { message })
    // By the subject alone, with what that refers to.
    bench.registry.registerNow({
      subject: 'priced',
      type: 'JSON',
      schema: JSON.stringify(schema),
      references: [currency, money],
      isInternal: false,
    })
    const latest = bench.bind(serdes.jsonSchema<object>({ subject: 'priced' }), { topic: 'any' })
    assert.throws(() => bytesOf(latest, { price: { currency: 'USD' } }), { message })
    assert.equal(bytesOf(latest, {}).readInt32BE(1), bench.registry.latestNow('priced')!.id)
  })

  test('drafts by $schema', () => {
    const bench = new AvroBench()
    const bind = (schema: object) => bench.bind(serdes.jsonSchema<unknown>(schema as never))
    const tuple = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      prefixItems: [{ type: 'string' }],
    }
    assert.throws(() => bytesOf(bind(tuple), [1]), /0 must be string$/)
    const dependent = {
      $schema: 'https://json-schema.org/draft/2019-09/schema',
      dependentRequired: { a: ['b'] },
    }
    assert.throws(
      () => bytesOf(bind(dependent), { a: 1 }),
      /must have property b when property a is present$/,
    )
    const six = { $schema: 'http://json-schema.org/draft-06/schema#', const: 1 }
    assert.throws(() => bytesOf(bind(six), 2), /it must be equal to constant$/)
  })

  test('subjects by the strategy', () => {
    const place = { topic: 'orders', part: 'value', use: 'sink', isInternal: false } as const
    const subjectOf = (options: JsonSchemaOptions) => {
      const [need] = serdes.jsonSchema(order, options).binding!.needs(place)
      return need!.subject
    }
    assert.equal(subjectOf({}), 'orders-value')
    assert.equal(subjectOf({ subjectStrategy: 'record' }), 'shop.Order')
    assert.equal(subjectOf({ subjectStrategy: 'topic-record' }), 'orders-shop.Order')
    assert.throws(
      () => serdes.jsonSchema({}, { subjectStrategy: 'record' }).binding!.needs(place),
      /^TypeError: serdes\.jsonSchema: subjectStrategy record needs a schema with a name, for the values of orders$/,
    )
  })

  test('what it is not made of', () => {
    const cases: [unknown, object, RegExp][] = [
      [
        order,
        { validate: true },
        /unknown option validate; allowed: subjectStrategy, references, validateReads$/,
      ],
      [order, { validateReads: 1 }, /validateReads is 1; allowed are true and false$/],
      [order, { subjectStrategy: 'x' }, /subjectStrategy is x; allowed are topic, record, topic-record$/],
      [order, { references: [{}] }, /a reference is \{ name, subject, version \}/],
      [5, {}, /a schema or \{ subject \} is expected, not number$/],
      [{ subject: '' }, {}, /subject must be text$/],
      ['{', {}, /the schema is no JSON: /],
      ['[]', {}, /no JSON schema: an object is expected$/],
      [{ type: 'strnig' }, {}, /no JSON schema: /],
      [{ $ref: 'gone.json' }, {}, /no JSON schema: .*gone\.json/],
      [
        { $schema: 'http://json-schema.org/draft-04/schema#' },
        {},
        /\$schema is .*draft-04.*; supported are draft 6, /,
      ],
    ]
    for (const [schema, options, message] of cases) {
      assert.throws(
        () => serdes.jsonSchema(schema as never, options as never),
        (error: Error) => {
          assert.match(error.message, /^serdes\.jsonSchema: /)
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /\n/)
          return true
        },
      )
    }
    assert.throws(
      () => serdes.jsonSchema(order).deserialize(Buffer.alloc(5), 0, 5),
      /is used as a part of a topology/,
    )
  })

  test('in a topology, with a store', async () => {
    const orders = serdes.jsonSchema<{ id: number }>(order)
    const topology = defineTopology((builder) => {
      builder
        .stream('orders', { key: serdes.string, value: orders })
        .groupByKey()
        .reduce((_, newer) => newer, { store: 'newest' })
        .toStream()
        .to('out', { value: orders })
    })
    await using driver = await TopologyTestDriver.open(topology, {
      schemaRegistry: new LocalSchemaRegistry(),
    } as never)
    const input = driver.createInputTopic('orders', { key: serdes.string, value: orders })
    await input.pipeInput('a', { id: 3 }, 0)
    const output = driver.createOutputTopic('out', { key: serdes.string, value: orders })
    assert.deepEqual(output.readValue(), { id: 3 })
  })
})
