import assert from 'node:assert/strict'
import { test } from 'node:test'

import { keyIdentity } from '../../../../src/runtime/records/key-identity.ts'

test('equal keys have the same identity, however they were made', () => {
  const pairs: [unknown, unknown][] = [
    ['ada', ['a', 'd', 'a'].join('')],
    [1, 1],
    [0, -0],
    [10n ** 20n, 10n ** 20n],
    [Buffer.from([0, 255, 7]), new Uint8Array([9, 0, 255, 7]).subarray(1)],
    [
      { id: 1, at: new Date(5), tags: ['x', 'y'] },
      { tags: ['x', 'y'], at: new Date(5), id: 1, left: undefined },
    ],
    [
      { key: 'k', window: { start: 0, end: 10 } },
      { window: { end: 10, start: 0 }, key: 'k' },
    ],
    [new Map([['a', 1n]]), new Map([['a', 1n]])],
  ]
  for (const [a, b] of pairs) assert.equal(keyIdentity(a), keyIdentity(b))
})

test('keys that differ have different ones, as far as their properties tell', () => {
  const keys = [
    'ada',
    'bob',
    1,
    2n,
    true,
    Buffer.from([1]),
    Buffer.from([1, 0]),
    Buffer.from([128]),
    { id: 1 },
    { id: '1' },
    { id: { of: 1 } },
    { id: 2 },
    { id: 1, name: 'x' },
    ['a', 'b'],
    ['b', 'a'],
    [['a'], 'b'],
  ]
  assert.equal(new Set(keys.map(keyIdentity)).size, keys.length)
})

test('keys that keep to themselves what they are come after one another', () => {
  class Secret {
    readonly #value: number

    constructor(value: number) {
      this.#value = value
    }

    get value(): number {
      return this.#value
    }
  }
  assert.equal(keyIdentity(new Secret(1)), keyIdentity(new Secret(2)))
})
