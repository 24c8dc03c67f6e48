/** The CQL types that columns may have, and what JavaScript gives for them. */
import { isIP } from 'node:net'

/** What code gives for a column of each type. */
interface ScalarValues {
  ascii: string
  bigint: number | bigint
  blob: Uint8Array
  boolean: boolean
  /** `2025-06-30` */
  date: string
  /** `-12.50` */
  decimal: string
  double: number
  float: number
  inet: string
  int: number
  smallint: number
  text: string
  /** `12:30:00.123456789` */
  time: string
  /** A number is ms since 1970. */
  timestamp: Date | number
  timeuuid: string
  tinyint: number
  uuid: string
  varint: number | bigint
}

export type ScalarType = keyof ScalarValues

type ListType = `list<${ScalarType}>`
/** A list is none of them: Cassandra gives its elements new places each time, so one that is written twice would have them twice. */
type CollectionType = `set<${ScalarType}>` | `map<${ScalarType}, ${ScalarType}>`

/** `text`, `set<uuid>`, `map<text, bigint>`, `frozen<list<int>>`. */
export type CqlType = ScalarType | CollectionType | `frozen<${CollectionType | ListType}>`

type MapValue<K extends ScalarType, V extends ScalarType> =
  | ReadonlyMap<ScalarValues[K], ScalarValues[V]>
  | (ScalarValues[K] extends string ? Readonly<Record<string, ScalarValues[V]>> : never)

/** What code gives for a column of type `T`. */
export type CqlValue<T extends CqlType> = T extends ScalarType
  ? ScalarValues[T]
  : T extends `frozen<list<${infer E extends ScalarType}>>`
    ? readonly ScalarValues[E][]
    : T extends `frozen<${infer C extends CollectionType}>`
      ? CqlValue<C>
      : T extends `set<${infer E extends ScalarType}>`
        ? ReadonlySet<ScalarValues[E]> | readonly ScalarValues[E][]
        : T extends `map<${infer K extends ScalarType}, ${infer V extends ScalarType}>`
          ? MapValue<K, V>
          : never

/**
 * Makes a value what the driver takes for the type.
 *
 * @throws TypeError for what is no value of the type: `"abc" is no int`
 */
export type ColumnEncoder = (value: unknown) => unknown

function integers(type: string, bits: number): ColumnEncoder {
  const limit = 2 ** (bits - 1)
  return (value) => {
    if (Number.isInteger(value) && (value as number) >= -limit && (value as number) < limit) return value
    throw isNo(value, type)
  }
}

const BIGINT_LIMIT = 2n ** 63n

function largeIntegers(type: string, limit: bigint | null): ColumnEncoder {
  return (value) => {
    // A number beyond 2^53 is not the one that was meant.
    const integer = Number.isSafeInteger(value) ? BigInt(value as number) : value
    if (typeof integer !== 'bigint') throw isNo(value, type)
    if (limit !== null && (integer < -limit || integer >= limit)) throw isNo(value, type)
    return integer
  }
}

function texts(type: string, isOne: (value: string) => boolean = () => true): ColumnEncoder {
  return (value) => {
    if (typeof value === 'string' && isOne(value)) return value
    throw isNo(value, type)
  }
}

function numbers(type: string): ColumnEncoder {
  return (value) => {
    if (typeof value === 'number') return value
    throw isNo(value, type)
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const TIME_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?$/

function isDate(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

const scalars: Readonly<Record<ScalarType, ColumnEncoder>> = {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what ASCII is
  ascii: texts('ascii', (value) => /^[\x00-\x7f]*$/.test(value)),
  bigint: largeIntegers('bigint', BIGINT_LIMIT),
  blob: (value) => {
    if (Buffer.isBuffer(value)) return value
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    throw isNo(value, 'blob')
  },
  boolean: (value) => {
    if (typeof value === 'boolean') return value
    throw isNo(value, 'boolean')
  },
  date: texts('date (2025-06-30)', isDate),
  decimal: texts('decimal, as text', (value) => /^-?\d+(\.\d+)?$/.test(value)),
  double: numbers('double'),
  float: numbers('float'),
  inet: texts('inet', (value) => isIP(value) !== 0),
  int: integers('int', 32),
  smallint: integers('smallint', 16),
  text: texts('text'),
  time: texts('time (12:30:00.123456789)', (value) => TIME.test(value)),
  timestamp: (value) => {
    const timeMs = value instanceof Date ? value.getTime() : value
    if (Number.isSafeInteger(timeMs)) return new Date(timeMs as number)
    throw isNo(value, 'timestamp (a Date, or ms since 1970)')
  },
  timeuuid: texts('timeuuid', (value) => TIME_UUID.test(value)),
  tinyint: integers('tinyint', 8),
  uuid: texts('uuid', (value) => UUID.test(value)),
  varint: largeIntegers('varint', null),
}

export const SCALAR_TYPES = Object.keys(scalars) as readonly ScalarType[]

/** As the type is written in CQL, with one blank behind a comma. @returns null for a type that columns cannot have here */
export function parseType(text: unknown): { readonly cql: string; readonly encode: ColumnEncoder } | null {
  if (typeof text !== 'string') return null
  const [, frozen] = /^frozen<(.*)>$/.exec(text) ?? []
  if (frozen !== undefined) {
    const inner = parseCollection(frozen)
    return inner === null ? null : { cql: `frozen<${inner.cql}>`, encode: inner.encode }
  }
  if (isScalar(text)) return { cql: text, encode: scalars[text] }
  return text.startsWith('list<') ? null : parseCollection(text)
}

function parseCollection(text: string): { readonly cql: string; readonly encode: ColumnEncoder } | null {
  const [, kind, first = '', second] = /^(list|set|map)<(\w+)(?:, ?(\w+))?>$/.exec(text) ?? []
  if (!isScalar(first) || (kind === 'map') !== (second !== undefined)) return null
  if (kind !== 'map') {
    const cql = `${kind}<${first}>`
    return { cql, encode: kind === 'list' ? lists(cql, scalars[first]) : sets(cql, scalars[first]) }
  }
  if (second === undefined || !isScalar(second)) return null
  const cql = `map<${first}, ${second}>`
  return { cql, encode: maps(cql, scalars[first], scalars[second]) }
}

function isScalar(text: string): text is ScalarType {
  return Object.hasOwn(scalars, text)
}

function lists(cql: string, element: ColumnEncoder): ColumnEncoder {
  return (value) => {
    if (!Array.isArray(value)) throw isNo(value, cql)
    return value.map(element)
  }
}

function sets(cql: string, element: ColumnEncoder): ColumnEncoder {
  return (value) => {
    if (!Array.isArray(value) && !(value instanceof Set)) throw isNo(value, cql)
    return new Set(Array.from(value as Iterable<unknown>, element))
  }
}

function maps(cql: string, key: ColumnEncoder, element: ColumnEncoder): ColumnEncoder {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw isNo(value, cql)
    const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value)
    return new Map(Array.from(entries, ([name, one]) => [key(name), element(one)]))
  }
}

const SHOWN_LENGTH_MAX = 80

function isNo(value: unknown, type: string): TypeError {
  return new TypeError(`${shownValue(value)} is no ${type}`)
}

/** For messages. */
export function shownValue(value: unknown): string {
  let text: string
  if (typeof value === 'bigint') text = `${value}n`
  else if (value instanceof Uint8Array) text = `0x${Buffer.from(value).toString('hex')}`
  else if (typeof value === 'object' && value !== null && !(value instanceof Date))
    text = Array.isArray(value) ? 'a list' : 'an object'
  else text = value instanceof Date ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}...` : text
}

/** About as many bytes as a value has in Cassandra. @param value what an encoder gave, or null */
export function bytesOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return value.length
    case 'object':
      break
    default:
      return 8
  }
  if (value === null) return 0
  if (value instanceof Uint8Array) return value.length
  let sum = 8
  if (value instanceof Map) for (const [key, one] of value) sum += bytesOf(key) + bytesOf(one)
  else if (Array.isArray(value) || value instanceof Set) for (const one of value) sum += bytesOf(one)
  return sum
}

/** Tells values of one column apart. @param value what an encoder gave */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  return value instanceof Date ? String(value.getTime()) : String(value)
}
