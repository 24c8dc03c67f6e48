/** avsc's types where theirs would round, loop over what a broken count says, or lose a key. */
import {
  type AvscArrayType,
  type AvscMapType,
  type AvscRecordType,
  type AvscResolver,
  type AvscType,
  avscTypes,
  isLogical,
} from './avsc-type.ts'
import type { ReadTap } from './read-tap.ts'
import { type WriteTap, writeBigLong } from './write-tap.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** long as a number: an error beyond 2^53. */
export class NumberLongType extends avscTypes.LongType {
  override _read(tap: ReadTap): number {
    const start = tap.pos
    const value = tap.readLong()
    if (!Number.isSafeInteger(value)) {
      tap.pos = start
      throw new RangeError(`${tap.readBigLong()} is beyond 2^53: read it with { longs: 'bigint' }`)
    }
    return value
  }

  override _write(tap: WriteTap, value: unknown): void {
    if (!Number.isSafeInteger(value)) throw new TypeError('no safe integer')
    tap.writeLong(value as number)
  }

  override _check(value: unknown, _flags?: number, hook?: (value: unknown, type: AvscType) => void): boolean {
    const isLong = Number.isSafeInteger(value)
    if (!isLong) hook?.(value, this)
    return isLong
  }
}

/** float: what is promoted to it is rounded to it, as what is written is. */
export class RoundedFloatType extends avscTypes.FloatType {
  override _update(resolver: Partial<AvscResolver>, writer: AvscType): void {
    const { typeName } = writer
    if (typeName === 'float') resolver._read = (tap) => tap.readFloat()
    else if (typeName === 'int' || typeName === 'long' || typeName === 'abstract:long')
      resolver._read = (tap) => {
        const start = tap.pos
        const value = tap.readLong()
        if (Number.isSafeInteger(value)) return Math.fround(value)
        tap.pos = start
        return floatOf(tap.readBigLong())
      }
  }
}

/** The float next to a long beyond 2^53. By way of the double next to it, it would be rounded twice, and might be another one. */
function floatOf(long: bigint): number {
  const magnitude = long < 0n ? -long : long
  // A double holds what is left of it, and a bit for what is dropped: a float has 24 bits.
  const dropped = 16n
  const kept = magnitude >> dropped
  const odd = kept << dropped === magnitude ? kept : kept | 1n
  return Math.fround(Number(odd) * 2 ** 16 * (long < 0n ? -1 : 1))
}

/** long as a bigint. */
export class BigLongType extends avscTypes.LongType {
  // So does avsc call a long of which the values are no numbers: a union of it and of a number is no ambiguous one.
  override get typeName(): string {
    return 'abstract:long'
  }

  get _concreteTypeName(): string {
    return 'long'
  }

  override _read(tap: ReadTap): bigint {
    return tap.readBigLong()
  }

  override _write(tap: WriteTap, value: unknown): void {
    if (!isInt64(value)) throw new TypeError('no bigint of 64 bits')
    writeBigLong(tap, value)
  }

  override _check(value: unknown, _flags?: number, hook?: (value: unknown, type: AvscType) => void): boolean {
    const isLong = isInt64(value)
    if (!isLong) hook?.(value, this)
    return isLong
  }

  /** Defaults come as JSON numbers. */
  override _copy(value: unknown, options?: { coerce?: number }): unknown {
    if (options?.coerce === 2) return BigInt(value as number)
    return options?.coerce === 3 ? Number(value) : value
  }

  override _update(resolver: { _read?: (tap: ReadTap) => unknown }, writer: AvscType): void {
    if (writer.typeName === 'int' || writer.typeName === 'long' || writer.typeName === 'abstract:long')
      resolver._read = (tap) => tap.readBigLong()
  }

  _deref(): string {
    return 'long'
  }
}

export function isInt64(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX
}

/** array, of which a block cannot have more values than there are bytes for. */
export class BoundedArrayType extends avscTypes.ArrayType {
  #bytesMin = -1

  override _read(tap: ReadTap): unknown[] {
    const { itemsType } = this
    if (this.#bytesMin < 0) this.#bytesMin = minBytes(itemsType)
    return readArray(tap, itemsType, this.#bytesMin)
  }

  override _skip(tap: ReadTap): void {
    skipBlocks(tap, minBytes(this.itemsType), () => this.itemsType._skip(tap))
  }

  override _update(resolver: Partial<AvscResolver>, writer: AvscType, options: object): void {
    if (writer.typeName !== 'array') return
    const { itemsType } = writer as AvscArrayType
    const items = this.itemsType.createResolver(itemsType, options)
    const bytesMin = minBytes(itemsType)
    resolver._read = (tap) => readArray(tap, items, bytesMin)
  }
}

function readArray(tap: ReadTap, items: AvscResolver, bytesMin: number): unknown[] {
  const values: unknown[] = []
  for (let count = tap.readBlockCount(bytesMin); count !== 0; count = tap.readBlockCount(bytesMin)) {
    for (; count > 0; count--) values.push(items._read(tap))
  }
  return values
}

/** map, the same; and a key may have any name. */
export class BoundedMapType extends avscTypes.MapType {
  #bytesMin = -1

  override _read(tap: ReadTap): Record<string, unknown> {
    const { valuesType } = this
    if (this.#bytesMin < 0) this.#bytesMin = KEY_BYTES_MIN + minBytes(valuesType)
    return readMap(tap, valuesType, this.#bytesMin)
  }

  override _skip(tap: ReadTap): void {
    skipBlocks(tap, KEY_BYTES_MIN + minBytes(this.valuesType), () => {
      tap.skipString()
      this.valuesType._skip(tap)
    })
  }

  override _update(resolver: Partial<AvscResolver>, writer: AvscType, options: object): void {
    if (writer.typeName !== 'map') return
    const { valuesType } = writer as AvscMapType
    const values = this.valuesType.createResolver(valuesType, options)
    const bytesMin = KEY_BYTES_MIN + minBytes(valuesType)
    resolver._read = (tap) => readMap(tap, values, bytesMin)
  }
}

/** Of an empty text. */
const KEY_BYTES_MIN = 1

function readMap(tap: ReadTap, valuesOf: AvscResolver, bytesMin: number): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (let count = tap.readBlockCount(bytesMin); count !== 0; count = tap.readBlockCount(bytesMin)) {
    for (; count > 0; count--) {
      const key = tap.readString()
      const value = valuesOf._read(tap)
      if (key === '__proto__')
        Object.defineProperty(values, key, { value, enumerable: true, writable: true, configurable: true })
      else values[key] = value
    }
  }
  return values
}

function skipBlocks(tap: ReadTap, bytesMin: number, skip: () => void): void {
  for (;;) {
    const { count, isLast } = tap.skipBlock(bytesMin)
    if (isLast) return
    for (let left = count; left > 0; left--) skip()
  }
}

const minBytesKnown = new WeakMap<AvscType, number>()

/** The bytes that a value takes at the least. */
export function minBytes(type: AvscType): number {
  let bytes = minBytesKnown.get(type)
  if (bytes === undefined) {
    // A record within itself lies behind a union, an array or a map, which have a byte.
    minBytesKnown.set(type, 0)
    bytes = countMinBytes(type)
    minBytesKnown.set(type, bytes)
  }
  return bytes
}

function countMinBytes(type: AvscType): number {
  if (isLogical(type)) return minBytes(type.underlyingType)
  switch (type.typeName) {
    case 'null':
      return 0
    case 'float':
      return 4
    case 'double':
      return 8
    case 'fixed':
      return (type as AvscType & { size: number }).size
    case 'record':
    case 'error':
      return (type as AvscRecordType).fields.reduce((sum, field) => sum + minBytes(field.type), 0)
    default:
      return 1
  }
}
