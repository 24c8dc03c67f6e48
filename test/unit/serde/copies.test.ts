/** Copies without bytes are what the bytes would give, and share nothing. */
import assert from 'node:assert/strict'
import test from 'node:test'

import avsc from 'avsc'
import fc from 'fast-check'

import { copier } from '../../../src/process/operators/copier.ts'
import { localSerde } from '../../../src/serde/binding.ts'
import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { RandomAvro } from '../../support/random-avro.ts'
import { Random } from '../../support/seed.ts'

function throughBytes(serde: Serde<unknown>, value: unknown): unknown {
  const writer = new ByteWriter()
  serde.serialize(value, writer)
  return serde.deserialize(writer.buffer, 0, writer.position)
}

/** @returns whether there was a copy */
function check(serde: Serde<unknown>, value: unknown): boolean {
  const copy = serde.copy!(value)
  if (copy === undefined) return false
  assert.deepStrictEqual(copy, throughBytes(serde, value))
  sharesNothing(value, copy)
  return true
}

function sharesNothing(one: unknown, other: unknown): void {
  if (typeof one !== 'object' || one === null) return
  assert.notEqual(one, other)
  for (const [name, part] of Object.entries(one))
    sharesNothing(part, (other as Record<string, unknown>)[name])
}

const json = serdes.json<unknown>()

test('JSON is copied as its text would be read', () => {
  let copied = 0
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      if (check(json, value)) copied++
    }),
    { numRuns: 2_000 },
  )
  assert.ok(copied > 1_900, `${copied} of 2000`)
})

test('what JSON would change is left to the text', () => {
  class Point {
    readonly x = 1
  }
  const self: { self?: unknown } = {}
  self.self = self
  const odd = [undefined, Number.NaN, new Date(0), new Point(), new Map(), () => 1, 1n, Symbol('s'), self]
  for (const part of odd) {
    for (const value of [part, [part], { part }, { inner: [{ part }] }])
      assert.equal(json.copy!(value), undefined)
  }
  const copy = copier(json)
  assert.deepStrictEqual(copy({ at: new Date(0), gone: undefined, point: new Point() }), {
    at: '1970-01-01T00:00:00.000Z',
    point: { x: 1 },
  })
  assert.deepStrictEqual(copy({ zero: -0 }), { zero: 0 })
  assert.throws(() => copy(self), /circular/)
  const named = JSON.parse('{"__proto__":{"a":[1]}}') as unknown
  assert.ok(check(json, named))
})

test('Avro is copied as its bytes would be read', () => {
  const random = new Random()
  const avro = new RandomAvro(random)
  let copied = 0
  for (let round = 0; round < 400; round++) {
    const schema = avro.record()
    const type = avsc.Type.forSchema(schema as never, { wrapUnions: 'auto' })
    const serde = localSerde(serdes.avro<unknown>(schema as never))
    for (let value = 0; value < 5; value++) {
      const written = type.random()
      let read: unknown
      try {
        read = throughBytes(serde, written)
      } catch {
        // avsc makes texts, and longs, that Weir does not take.
        continue
      }
      if (check(serde, read)) copied++
    }
  }
  assert.ok(copied > 200, `seed ${random.seed}: ${copied} of 2000`)
})

test('of a record of Avro only its fields are copied, and defaults and mistakes are left to the bytes', () => {
  const fields = [
    { name: 'count', type: 'long' },
    { name: 'single', type: 'float' },
    { name: 'names', type: { type: 'array', items: 'string' } },
    { name: 'byName', type: { type: 'map', values: 'int' } },
    { name: 'last', type: ['string', 'null'] },
    { name: 'level', type: 'int', default: 7 },
  ]
  const serde = localSerde(serdes.avro<unknown>({ type: 'record', name: 'R', fields }))
  const value = { count: -0, single: 0.1, names: ['a'], byName: { a: 1 }, last: null, level: 1, more: 2 }
  assert.ok(check(serde, value))
  assert.deepStrictEqual(Object.keys(serde.copy!(value) as object).length, 6)
  const { level: _level, ...short } = value
  assert.equal(serde.copy!(short), undefined)
  assert.deepStrictEqual(copier(serde)(short), { ...(throughBytes(serde, short) as object) })
  for (const wrong of [
    { count: 2 ** 53 },
    { count: '1' },
    { single: '1' },
    { names: 'a' },
    { names: [1] },
    { byName: [1] },
    { byName: { a: 'b' } },
    { byName: JSON.parse('{"__proto__":1}') as unknown },
    { last: 1 },
    { last: undefined },
  ])
    assert.equal(serde.copy!({ ...value, ...wrong }), undefined, JSON.stringify(wrong))
  for (const type of ['bytes', ['int', 'string'], { type: 'long', logicalType: 'timestamp-millis' }])
    assert.equal(
      localSerde(serdes.avro<unknown>({ type: 'record', name: 'B', fields: [{ name: 'b', type }] })).copy!({
        b: 1,
      }),
      undefined,
    )
})
