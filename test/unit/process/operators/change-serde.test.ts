import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { changeSerde } from '../../../../src/process/operators/change-serde.ts'
import { ByteWriter } from '../../../../src/serde/byte-writer.ts'
import { serdes } from '../../../../src/serde/serdes.ts'

const serde = changeSerde(serdes.string)

function written(newValue: string | null, oldValue: string | null): string {
  const writer = new ByteWriter(1)
  writer.writeUInt8(0xee)
  serde.serialize({ newValue, oldValue }, writer)
  return writer.copyFrom(1).toString('hex')
}

function read(hex: string): { readonly newValue: string | null; readonly oldValue: string | null } {
  const bytes = Buffer.from(`ee${hex}ee`, 'hex')
  return serde.deserialize(bytes, 1, bytes.length - 1)
}

/** What Kafka's ByteUtils.writeVarint makes of a length: told by its definition, not by the code under test. */
function zigzagVarint(length: number): string {
  const groups = (length * 2).toString(2).padStart(35, '0').match(/.{7}/g)!.reverse()
  while (groups.length > 1 && Number(groups.at(-1)) === 0) groups.pop()
  const bytes = groups.map((bits, index) => Number.parseInt(bits, 2) + (index < groups.length - 1 ? 128 : 0))
  return Buffer.from(bytes).toString('hex')
}

describe('changes of rows have the bytes of ChangedSerializer', () => {
  test('one value, or both', () => {
    assert.equal(written(null, 'ab'), '616200')
    assert.equal(written('ab', null), '616201')
    assert.equal(written('ab', 'c'), '0461626302')
    assert.equal(written('', ''), '0002')
  })

  test('new values of any length', () => {
    for (const length of [0, 1, 63, 64, 127, 128, 8191, 8192, 100_000, 1_048_576]) {
      const hex = written('n'.repeat(length), 'old')
      assert.equal(hex, `${zigzagVarint(length)}${'6e'.repeat(length)}6f6c6402`, `${length} bytes`)
      assert.deepEqual(read(hex), { newValue: 'n'.repeat(length), oldValue: 'old' })
    }
  })

  test('what is written is read', () => {
    const value = fc.option(fc.string({ unit: 'grapheme', maxLength: 100 }), { nil: null })
    fc.assert(
      fc.property(value, value, (newValue, oldValue) => {
        fc.pre(newValue !== null || oldValue !== null)
        assert.deepEqual(read(written(newValue, oldValue)), { newValue, oldValue })
      }),
    )
  })

  test('what carries a mark of the latest change is read too', () => {
    assert.deepEqual(read('61620103'), { newValue: null, oldValue: 'ab' })
    assert.deepEqual(read('61620004'), { newValue: 'ab', oldValue: null })
    assert.deepEqual(read('046162630105'), { newValue: 'ab', oldValue: 'c' })
  })

  test('other bytes are refused', () => {
    assert.throws(() => read(''), /a change of a row ends with a byte from 0 to 5, not -1/)
    assert.throws(() => read('6106'), /a change of a row ends with a byte from 0 to 5, not 6/)
    assert.throws(() => read('03'), /a change of a row ends with a byte from 0 to 5, not 3/)
    assert.throws(() => read('086102'), /a change of a row has 1 bytes of values, not 4/)
    assert.throws(() => read('016102'), /a change of a row has 1 bytes of values, not -1/)
    assert.throws(() => read('80808002'), /the length of a new value ends nowhere/)
    assert.throws(() => written(null, null), /a change has a new or an old value; both are null/)
  })
})
