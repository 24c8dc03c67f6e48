import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { Windowed, WindowedSerde } from '../../../src/serde/windowed.ts'

function bytesOf(serde: WindowedSerde<string>, key: Windowed<string>): string {
  const writer = new ByteWriter(8)
  serde.serialize(key, writer)
  return writer.copyFrom(0).toString('hex')
}

function int64(number: number): string {
  return BigInt(number).toString(16).padStart(16, '0')
}

const time = fc.nat({ max: Number.MAX_SAFE_INTEGER })

describe('windowed keys', () => {
  test('of time windows are key start(8), and come back with an end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), time, time, (key, start, sizeMs) => {
        const serde = serdes.timeWindowed(serdes.string, sizeMs)
        const hex = bytesOf(serde, { key, window: { start, end: start } })
        assert.equal(hex, Buffer.from(key).toString('hex') + int64(start))
        const bytes = Buffer.from(`ff${hex}ff`, 'hex')
        const end = Math.min(start + sizeMs, Number.MAX_SAFE_INTEGER)
        assert.deepEqual(serde.deserialize(bytes, 1, bytes.length - 1), { key, window: { start, end } })
      }),
    )
  })

  test('of sessions are key end(8) start(8)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), time, time, (key, start, end) => {
        const serde = serdes.sessionWindowed(serdes.string)
        const hex = bytesOf(serde, { key, window: { start, end } })
        assert.equal(hex, Buffer.from(key).toString('hex') + int64(end) + int64(start))
        const bytes = Buffer.from(`ff${hex}ff`, 'hex')
        assert.deepEqual(serde.deserialize(bytes, 1, bytes.length - 1), { key, window: { start, end } })
      }),
    )
  })

  test('that cannot be are refused', () => {
    const short = Buffer.alloc(15)
    assert.throws(() => serdes.timeWindowed(serdes.string, 1).deserialize(short, 0, 7), {
      message: 'a windowed key has 8 bytes or more, not 7',
    })
    assert.throws(() => serdes.sessionWindowed(serdes.string).deserialize(short, 0, 15), {
      message: 'a windowed key has 16 bytes or more, not 15',
    })
    const far = Buffer.from('0020000000000000', 'hex')
    assert.throws(() => serdes.timeWindowed(serdes.string, 1).deserialize(far, 0, 8), {
      message: '9007199254740992 is no time in ms',
    })
    assert.throws(() => bytesOf(serdes.sessionWindowed(serdes.string), 'key' as never), {
      message: 'a windowed key is { key, window: { start, end } }',
    })
    assert.throws(() => serdes.timeWindowed(undefined as never, 1), {
      message: 'serdes.timeWindowed: key must be a serde, not undefined',
    })
    assert.throws(() => serdes.timeWindowed(serdes.string, 1.5), {
      message: 'serdes.timeWindowed: sizeMs is 1.5; allowed is a whole number of milliseconds from 0',
    })
    assert.throws(() => serdes.sessionWindowed(serdes.json as never), {
      message: 'serdes.sessionWindowed: key must be a serde, not a function',
    })
  })
})
