/** What a field's values are in JavaScript, and in the messages of protobufjs. */
import type { Enum, Type } from 'protobufjs'

import type { Longs } from '../avro/avro-schema.ts'

/** A value of 64 bits, as protobufjs has it. */
export interface Long {
  /** Int32 */
  readonly low: number
  /** Int32 */
  readonly high: number
  readonly unsigned: boolean
}

export interface ValueConverter {
  /** @throws RangeError with one line */
  read(raw: unknown): unknown
  /** @throws TypeError with one line for what is no value of the type */
  write(value: unknown): unknown
  /** Whether it is the value of a field that is not there, which is then not written. */
  isDefault(value: unknown): boolean
}

/** For a value that is none: the caller puts the field's path before it. */
export class InvalidValue extends TypeError {}

/** @throws InvalidValue */
export function refuse(value: unknown, what: string): never {
  let text: string
  if (typeof value === 'bigint') text = `${value}n`
  else if (typeof value === 'function' || typeof value === 'symbol') text = typeof value
  else {
    try {
      text = JSON.stringify(value) ?? String(value)
    } catch {
      text = typeof value
    }
  }
  throw new InvalidValue(`${text.length > 60 ? `${text.slice(0, 60)}...` : text} is no ${what}`)
}

const same = (raw: unknown): unknown => raw

function integers(name: string, min: number, max: number): ValueConverter {
  return {
    read: same,
    write: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? value
        : refuse(value, name),
    isDefault: (value) => value === 0,
  }
}

function longs(name: string, unsigned: boolean, as: Longs): ValueConverter {
  const min = unsigned ? 0n : -(2n ** 63n)
  const max = unsigned ? 2n ** 64n - 1n : 2n ** 63n - 1n
  const bits = (value: bigint): Long => ({
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned,
  })
  const big = (raw: unknown): bigint => {
    const { low, high } = raw as Long
    const value = (BigInt(high) << 32n) | BigInt(low >>> 0)
    return unsigned ? BigInt.asUintN(64, value) : value
  }
  if (as === 'bigint')
    return {
      read: big,
      write: (value) =>
        typeof value === 'bigint' && value >= min && value <= max
          ? bits(value)
          : refuse(value, `bigint of ${name}`),
      isDefault: (value) => value === 0n,
    }
  return {
    read(raw) {
      const { low, high } = raw as Long
      const value = (unsigned ? high >>> 0 : high) * 2 ** 32 + (low >>> 0)
      if (!Number.isSafeInteger(value))
        throw new RangeError(`${big(raw)} is beyond 2^53: use longs: 'bigint'`)
      return value
    },
    write: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && (!unsigned || value >= 0)
        ? bits(BigInt(value))
        : refuse(value, `${name} within 2^53`),
    isDefault: (value) => value === 0,
  }
}

const floats: ValueConverter = {
  read: same,
  write: (value) => (typeof value === 'number' ? value : refuse(value, 'number')),
  isDefault: (value) => Object.is(value, 0),
}

const bools: ValueConverter = {
  read: same,
  write: (value) => (typeof value === 'boolean' ? value : refuse(value, 'bool')),
  isDefault: (value) => value === false,
}

const strings: ValueConverter = {
  read: same,
  write: (value) => {
    if (typeof value !== 'string') return refuse(value, 'string')
    if (!value.isWellFormed())
      throw new InvalidValue('the text has a lone surrogate, which UTF-8 cannot express')
    return value
  },
  isDefault: (value) => value === '',
}

const bytes: ValueConverter = {
  // Copied: the bytes of the batch are used again.
  read: (raw) => Buffer.from(raw as Uint8Array),
  write: (value) => (value instanceof Uint8Array ? value : refuse(value, 'Buffer or Uint8Array')),
  isDefault: (value) => (value as Uint8Array).length === 0,
}

const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const
const UINT32 = [0, 2 ** 32 - 1] as const

/** @param type as a .proto file has it; of a message or an enum its name */
export function scalarValues(type: string, as: Longs): ValueConverter | undefined {
  switch (type) {
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return integers(type, ...INT32)
    case 'uint32':
    case 'fixed32':
      return integers(type, ...UINT32)
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return longs(type, false, as)
    case 'uint64':
    case 'fixed64':
      return longs(type, true, as)
    case 'float':
    case 'double':
      return floats
    case 'bool':
      return bools
    case 'string':
      return strings
    case 'bytes':
      return bytes
    default:
      return undefined
  }
}

/** Its names; a number that has none is itself, as files evolve. */
export function enumValues({ name, values, valuesById }: Enum): ValueConverter {
  const first = Object.values(values)[0] ?? 0
  return {
    read: (raw) => valuesById[raw as number] ?? raw,
    write(value) {
      if (typeof value === 'string' && Object.hasOwn(values, value)) return values[value]
      if (typeof value === 'number' && (value | 0) === value) return value
      return refuse(value, `${name}: ${Object.keys(values).join(', ')}`)
    },
    isDefault: (value) => value === first || (typeof value === 'string' && values[value] === first),
  }
}

export function isMessage(resolved: unknown): resolved is Type {
  return resolved !== null && typeof resolved === 'object' && 'fieldsArray' in resolved
}
