import { readInt64 } from './byte-writer.ts'
import type { Serde } from './serde.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

function checkLength(expected: number, length: number): void {
  if (length !== expected) throw new RangeError(`${expected} bytes are expected, not ${length}`)
}

/** A whole number from -2^31 to 2^31 - 1 as 4 bytes, big-endian. Java's Serdes.Integer. */
export const int32Serde: Serde<number> = {
  name: 'int32',
  primitive: true,
  deserialize(buffer, start, end) {
    checkLength(4, end - start)
    return buffer.readInt32BE(start)
  },
  serialize(value, writer) {
    if (typeof value !== 'number' || (value | 0) !== value) {
      throw new TypeError(`an int32 is a whole number from -2^31 to 2^31 - 1, not ${show(value)}`)
    }
    writer.writeInt32(value)
  },
}

/** A whole number as 8 bytes, big-endian. Throws beyond 2^53, where a number is no longer exact: see bigint64. Java's Serdes.Long. */
export const int64Serde: Serde<number> = {
  name: 'int64',
  primitive: true,
  deserialize(buffer, start, end) {
    checkLength(8, end - start)
    const value = readInt64(buffer, start)
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`${buffer.readBigInt64BE(start)} is beyond 2^53: use bigint64`)
    }
    return value
  },
  serialize(value, writer) {
    if (!Number.isSafeInteger(value)) {
      throw new TypeError(`an int64 is a whole number from -2^53 + 1 to 2^53 - 1, not ${show(value)}`)
    }
    writer.writeInt64(value)
  },
}

/** A bigint from -2^63 to 2^63 - 1 as 8 bytes, big-endian. Java's Serdes.Long. */
export const bigint64Serde: Serde<bigint> = {
  name: 'bigint64',
  primitive: true,
  deserialize(buffer, start, end) {
    checkLength(8, end - start)
    return buffer.readBigInt64BE(start)
  },
  serialize(value, writer) {
    if (typeof value !== 'bigint' || value < INT64_MIN || value > INT64_MAX) {
      throw new TypeError(`a bigint64 is a bigint from -2^63 to 2^63 - 1, not ${show(value)}`)
    }
    writer.writeBigInt64(value)
  },
}

/** IEEE 754, 8 bytes, big-endian. Not primitive: 0 and -0 are equal, their bytes are not. Java's Serdes.Double. */
export const float64Serde: Serde<number> = {
  name: 'float64',
  deserialize(buffer, start, end) {
    checkLength(8, end - start)
    return buffer.readDoubleBE(start)
  },
  serialize(value, writer) {
    if (typeof value !== 'number') throw new TypeError(`a float64 is a number, not ${show(value)}`)
    writer.writeFloat64(value)
  },
}

function show(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? `${value}` : typeof value
}
