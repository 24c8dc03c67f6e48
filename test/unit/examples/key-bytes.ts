import fc from 'fast-check'

import { ByteWriter } from '../../../src/serde/byte-writer.ts'
import type { Serde } from '../../../src/serde/serde.ts'

export function bytesOf<T>(serde: Serde<T>, value: T): Buffer {
  const writer = new ByteWriter(16)
  serde.serialize(value, writer)
  return writer.copyFrom(0)
}

/** Short, so that one text is often the beginning of another. */
export const textWithoutZero = fc
  .string({ unit: fc.constantFrom('a', 'b', '\u0001', 'é', '\u{10ffff}'), maxLength: 4 })
  .filter((text) => text !== '')

/** Also where the number of bytes changes. */
export const timeMs = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
)
