import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { hashKey, KeyTable } from '../../../src/state/key-table.ts'

/** Few different bytes and lengths: prefixes of each other, and the empty key. */
const anyKey = fc.oneof(
  fc.uint8Array({ maxLength: 4, max: 2 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.nat(5_000).map((number) => Buffer.from(`user-${number}`)),
)

test('a table over bytes finds what a map finds, whatever the hashes', () => {
  for (const hashOf of [
    hashKey,
    // All in a few slots, some with one hash, some negative.
    (bytes: Uint8Array, start: number, end: number) => (end > start && bytes[start] === 1 ? -1 : 3),
  ])
    fc.assert(
      fc.property(fc.array(anyKey, { maxLength: 400, size: 'max' }), (keys) => {
        const table = new KeyTable<{ keyStart: number }>()
        const model = new Map<string, { keyStart: number }>()
        for (const key of keys) {
          const name = Buffer.from(key).toString('latin1')
          const arena = Buffer.concat([Buffer.from([1]), key, Buffer.from([1])])
          const hash = hashOf(arena, 1, 1 + key.length)
          const found = table.find(arena, 1, 1 + key.length, hash)
          assert.equal(found, model.get(name))
          if (found === undefined) {
            const row = { keyStart: -1 }
            row.keyStart = table.add(arena, 1, 1 + key.length, hash, row)
            model.set(name, row)
          }
        }
        assert.equal(table.size, model.size)
        // Reads, whatever is there.
        table.warm(Int32Array.of(0, -1, hashOf(Buffer.alloc(1), 0, 1)), 3)
        for (const [name, row] of model) {
          const key = Buffer.from(name, 'latin1')
          assert.equal(table.find(key, 0, key.length, hashOf(key, 0, key.length)), row)
          assert.deepEqual(Buffer.from(table.keyAt(row.keyStart, key.length)), key)
        }
      }),
      { numRuns: 200 },
    )
})

test('keys that differ in one character are spread over the table', () => {
  const slots = new Set<number>()
  for (let index = 0; index < 4096; index++) {
    const key = Buffer.from(`user-${index}`)
    slots.add(hashKey(key, 0, key.length) & 8191)
  }
  // Evenly drawn, 4,096 keys would fill 3,223 of 8,192 slots.
  assert.ok(slots.size > 3_000, `${slots.size} slots`)
})
