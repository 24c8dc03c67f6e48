import assert from 'node:assert/strict'
import { test } from 'node:test'

import { jsonValue, parseKey, writeKey } from '../../../src/query/key-text.ts'

for (const [serde, text, key] of [
  ['string', 'a/b c', 'a/b c'],
  ['string', '7', '7'],
  ['int32', '-7', -7],
  ['int64', '9007199254740991', 2 ** 53 - 1],
  ['bigint64', '-9223372036854775808', -(2n ** 63n)],
  ['float64', '0.5', 0.5],
  ['bytes', '_-8', Buffer.from([255, 239])],
  ['json', '{"a":[1,"x"]}', { a: [1, 'x'] }],
  ['avro', '"text"', 'text'],
] as const) {
  test(`a key of ${serde} is ${text} in a URL`, () => {
    assert.deepEqual(parseKey(text, serde, 'the key'), key)
    assert.equal(writeKey(key, serde), text)
  })
}

test('a text that is no key is one line that says what is allowed', () => {
  for (const [serde, text, allowed] of [
    ['int32', 'seven', 'a whole number'],
    ['int64', '1.5', 'a whole number'],
    ['bigint64', '', 'a whole number'],
    ['float64', ' ', 'a number'],
    ['bytes', 'a+b', 'base64url'],
    ['json', '{', 'JSON'],
  ] as const)
    assert.throws(() => parseKey(text, serde, 'from'), {
      code: 'query-invalid',
      message: `from is no key of this store (${serde}): expected ${allowed}`,
    })
})

test('values as JSON: no number is lost, and bytes are text', () => {
  const value = { big: 2n ** 60n, bytes: Buffer.from('hi'), map: new Map([['a', 1]]), list: [1n] }
  assert.equal(
    JSON.stringify(value, jsonValue),
    '{"big":"1152921504606846976","bytes":"aGk=","map":[["a",1]],"list":["1"]}',
  )
})
