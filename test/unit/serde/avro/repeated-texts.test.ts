import assert from 'node:assert/strict'
import test from 'node:test'

import { RepeatedTexts } from '../../../../src/serde/avro/repeated-texts.ts'
import { decodeUtf8 } from '../../../../src/serde/utf8.ts'
import { Random } from '../../../support/seed.ts'

test('a text is that of its bytes, whatever came before', () => {
  const random = new Random()
  const texts = new RepeatedTexts()
  const parts = ['a', 'b', 'DE', 'ß', '€', '😀', '\0', '\x7f', '\x80', 'campaign', '', 'x'.repeat(40)]
  for (let round = 0; round < 200_000; round++) {
    const text = Array.from({ length: random.below(5) }, () => random.pick(parts)).join('')
    const bytes = Buffer.from(`<${text}>`)
    assert.equal(texts.read(bytes, 1, bytes.length - 1, decodeUtf8), text, `seed ${random.seed}`)
  }
})

test('what comes again is not made again, and what never does is not kept', () => {
  const texts = new RepeatedTexts()
  let made = 0
  const read = (text: string): string => {
    const bytes = Buffer.from(text)
    return texts.read(bytes, 0, bytes.length, (...part) => {
      made++
      return decodeUtf8(...part)
    })
  }
  for (let round = 0; round < 10; round++) for (const country of ['AT', 'CH', 'DE']) read(country)
  assert.equal(made, 6)
  made = 0
  for (let round = 0; round < 10; round++) read('ö'.repeat(3))
  assert.equal(made, 10)
  // Of one hash: the last eight bytes, and the length.
  made = 0
  for (let round = 0; round < 10; round++)
    for (const from of ['a', 'b']) assert.equal(read(`${from}-12345678`)[0], from)
  assert.ok(made > 10)
})

test('bytes that are no text are refused each time', () => {
  const texts = new RepeatedTexts()
  const bytes = Buffer.from([0x61, 0xff])
  for (let round = 0; round < 3; round++)
    assert.throws(() => texts.read(bytes, 0, 2, decodeUtf8), /not UTF-8/)
})
