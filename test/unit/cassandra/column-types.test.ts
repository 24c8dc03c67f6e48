import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { bytesOf, parseType, SCALAR_TYPES } from '../../../src/cassandra/column-types.ts'

const uuid = '1b4e28ba-2fa1-11d2-883f-0016d3cca427'

describe('values of columns', () => {
  const taken: readonly (readonly [type: string, given: unknown, bound: unknown])[] = [
    ['ascii', 'abc', 'abc'],
    ['bigint', 5, 5n],
    ['bigint', -(2n ** 63n), -(2n ** 63n)],
    ['blob', new Uint8Array([1, 2]), Buffer.from([1, 2])],
    ['boolean', false, false],
    ['date', '2024-02-29', '2024-02-29'],
    ['decimal', '-12.50', '-12.50'],
    ['double', Number.NaN, Number.NaN],
    ['float', 1.5, 1.5],
    ['inet', '::1', '::1'],
    ['int', -2_147_483_648, -2_147_483_648],
    ['smallint', 32_767, 32_767],
    ['text', 'größe', 'größe'],
    ['time', '23:59:59.123456789', '23:59:59.123456789'],
    ['timestamp', 1_700_000_000_000, new Date(1_700_000_000_000)],
    ['timestamp', new Date(5), new Date(5)],
    ['timeuuid', uuid, uuid],
    ['tinyint', -128, -128],
    ['uuid', uuid.replace('-11d2', '-41d2'), uuid.replace('-11d2', '-41d2')],
    ['varint', 2n ** 100n, 2n ** 100n],
    ['set<text>', ['a', 'a', 'b'], new Set(['a', 'b'])],
    ['set<bigint>', new Set([1]), new Set([1n])],
    ['map<text, bigint>', { a: 1 }, new Map([['a', 1n]])],
    ['map<int,text>', new Map([[1, 'a']]), new Map([[1, 'a']])],
    ['frozen<list<int>>', [1, 2, 2], [1, 2, 2]],
    ['frozen<map<text, int>>', { a: 1 }, new Map([['a', 1]])],
  ]
  for (const [type, given, bound] of taken)
    test(`${type}: ${String(given)}`, () => assert.deepEqual(parseType(type)!.encode(given), bound))

  const refused: readonly (readonly [type: string, given: unknown, message: RegExp])[] = [
    ['ascii', 'ä', /^"ä" is no ascii$/],
    ['bigint', 2n ** 63n, /^9223372036854775808n is no bigint$/],
    ['bigint', 2 ** 53, /^9007199254740992 is no bigint$/],
    ['bigint', '5', /^"5" is no bigint$/],
    ['blob', 'abc', /^"abc" is no blob$/],
    ['boolean', 1, /^1 is no boolean$/],
    ['date', '2023-02-29', /^"2023-02-29" is no date \(2025-06-30\)$/],
    ['decimal', 1.5, /is no decimal, as text$/],
    ['double', '1', /is no double$/],
    ['inet', 'localhost', /is no inet$/],
    ['int', 2 ** 31, /^2147483648 is no int$/],
    ['int', 1.5, /is no int$/],
    ['smallint', 32_768, /is no smallint$/],
    ['text', { a: 1 }, /^an object is no text$/],
    ['text', 'x'.repeat(1_000).split(''), /^a list is no text$/],
    ['time', '24:00:00', /is no time/],
    ['timestamp', new Date(Number.NaN), /is no timestamp/],
    ['timeuuid', uuid.replace('-11d2', '-41d2'), /is no timeuuid$/],
    ['uuid', 'abc', /is no uuid$/],
    ['frozen<list<int>>', [1, null], /^null is no int$/],
    ['frozen<list<int>>', 'abc', /^"abc" is no list<int>$/],
    ['set<int>', 'abc', /^"abc" is no set<int>$/],
    ['map<text, int>', ['a'], /^a list is no map<text, int>$/],
    ['map<text, int>', { a: 'b' }, /^"b" is no int$/],
  ]
  for (const [type, given, message] of refused)
    test(`${type} refuses ${String(given).slice(0, 40)}`, () =>
      assert.throws(() => parseType(type)!.encode(given), { name: 'TypeError', message }))

  test('types that columns do not have', () => {
    for (const type of [
      'counter',
      'varchar',
      'list<int>',
      'frozen<list<list<int>>>',
      'frozen<frozen<list<int>>>',
      'map<text>',
      'list<int, int>',
      'frozen<int>',
      'tuple<int>',
      'toString',
      '',
      5,
      null,
    ])
      assert.equal(parseType(type), null, String(type))
    for (const type of SCALAR_TYPES) assert.equal(parseType(type)!.cql, type)
    assert.equal(parseType('map<int,text>')!.cql, 'map<int, text>')
  })

  test('bytes are estimated', () => {
    for (const [value, bytes] of [
      ['abc', 3],
      [5, 8],
      [5n, 8],
      [null, 0],
      [Buffer.alloc(7), 7],
      [['ab', 'c'], 11],
      [new Map([['a', 1n]]), 17],
      [new Date(), 8],
    ] as const)
      assert.equal(bytesOf(value), bytes, String(value))
  })
})
