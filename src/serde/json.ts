import type { Serde } from './serde.ts'
import { decodeUtf8 } from './utf8.ts'

/** Beyond it the bytes have to tell: what refers to itself has no end. */
const COPY_DEPTH_MAX = 32

/** JSON as UTF-8. What is read is not checked against the type that the caller names. */
export const jsonSerde: Serde<unknown> = {
  name: 'json',
  deserialize(buffer, start, end) {
    return JSON.parse(decodeUtf8(buffer, start, end))
  },
  serialize(value, writer) {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`JSON has no form for ${typeof value}`)
    writer.writeUtf8(text)
  },
  copy: (value) => copyJson(value, 0),
}

/** @returns undefined for a part that JSON would leave out or change: undefined, NaN, a date, an object of a class */
function copyJson(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      // JSON has no -0.
      return Number.isFinite(value) ? value + 0 : undefined
    case 'object':
      if (value === null) return null
      if (depth === COPY_DEPTH_MAX) return undefined
      return Array.isArray(value) ? copyArray(value, depth + 1) : copyObject(value, depth + 1)
    default:
      return undefined
  }
}

function copyArray(items: readonly unknown[], depth: number): unknown[] | undefined {
  const copies: unknown[] = []
  for (const item of items) {
    const copy = copyJson(item, depth)
    if (copy === undefined) return undefined
    copies.push(copy)
  }
  return copies
}

function copyObject(value: object, depth: number): object | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  // Spread keeps the object's shape, which is much faster than to add one name after the other.
  const copies: Record<string, unknown> = { ...value }
  for (const name in copies) {
    const item = copies[name]
    if (typeof item === 'string' || typeof item === 'boolean') continue
    const copy = copyJson(item, depth)
    if (copy === undefined) return undefined
    copies[name] = copy
  }
  return copies
}
