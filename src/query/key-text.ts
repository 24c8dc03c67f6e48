/** Keys as they stand in URLs. docs/queries.md. */
import { QueryError } from './query-error.ts'

/** How keys of a serde stand in a URL; those of any other stand there as JSON. */
const texts: Readonly<
  Record<string, { readonly allowed: string; parse(text: string): unknown; write(key: never): string }>
> = {
  string: { allowed: 'text', parse: (text) => text, write: (key: string) => key },
  bytes: {
    allowed: 'base64url',
    parse: (text) => (/^[\w-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : undefined),
    write: (key: Uint8Array) => Buffer.from(key).toString('base64url'),
  },
  int32: { allowed: 'a whole number', parse: wholeNumber, write: String },
  int64: { allowed: 'a whole number', parse: wholeNumber, write: String },
  bigint64: {
    allowed: 'a whole number',
    parse: (text) => (/^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined),
    write: String,
  },
  float64: {
    allowed: 'a number',
    parse: (text) => (text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : undefined),
    write: String,
  },
}

function wholeNumber(text: string): number | undefined {
  return /^-?\d{1,16}$/.test(text) ? Number(text) : undefined
}

/** @param serde its name. @param what for the message. @throws QueryError query-invalid */
export function parseKey(text: string, serde: string, what: string): unknown {
  const known = texts[serde]
  try {
    const key: unknown = known === undefined ? JSON.parse(text) : known.parse(text)
    if (key !== undefined) return key
  } catch {
    // Said below.
  }
  const allowed = known?.allowed ?? 'JSON'
  throw new QueryError('query-invalid', `${what} is no key of this store (${serde}): expected ${allowed}`)
}

/** What `parseKey` makes the key of again. */
export function writeKey(key: unknown, serde: string): string {
  return texts[serde]?.write(key as never) ?? JSON.stringify(key, jsonValue)
}

/** For JSON.stringify: a bigint as its digits, bytes as base64, a map as a list of pairs. */
export function jsonValue(this: unknown, name: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[name]
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64')
  if (typeof raw === 'bigint') return raw.toString()
  if (raw instanceof Map) return [...raw]
  if (raw instanceof Set) return [...raw]
  return value
}
