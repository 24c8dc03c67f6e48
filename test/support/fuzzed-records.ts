import type { Random } from './seed.ts'

/** A record's bytes, valid or not, and whether they are what the pair of serdes reads: said by other code than Weir's. */
export interface FuzzedRecord {
  readonly pair: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly isReadable: boolean
}

interface Part {
  readonly make: (random: Random) => Buffer
  readonly isReadable: (bytes: Buffer) => boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isText(bytes: Buffer): boolean {
  try {
    utf8.decode(bytes)
    return true
  } catch {
    return false
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(utf8.decode(bytes))
    return true
  } catch {
    return false
  }
}

function isSafe(bytes: Buffer): boolean {
  const value = bytes.readBigInt64BE()
  return value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n
}

const words = ['', 'user', 'größer', '日本', '👍🏽', 'a\u0000b', 'x'.repeat(300)]

const text: Part = {
  make: (random) => Buffer.from(random.pick(words) + random.below(1_000)),
  isReadable: isText,
}
const json: Part = {
  make: (random) =>
    Buffer.from(
      JSON.stringify({
        id: random.below(1e9),
        name: random.pick(words),
        tags: [random.pick(words), null, true, { deep: [[random.next()]] }],
      }),
    ),
  isReadable: isJson,
}
const wide = (random: Random): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(random.below(2 ** 50)) * BigInt(random.pick([1, -1])))
  return bytes
}

const parts: Readonly<Record<string, { readonly key: Part; readonly value: Part }>> = {
  numbers: {
    key: {
      make: (random) => wide(random).subarray(4),
      isReadable: (bytes) => bytes.length === 4,
    },
    value: { make: wide, isReadable: (bytes) => bytes.length === 8 && isSafe(bytes) },
  },
  texts: { key: text, value: text },
  json: { key: text, value: json },
  windows: {
    key: {
      make: (random) => Buffer.concat([text.make(random), wide(random)]),
      isReadable: (bytes) => bytes.length >= 8 && isText(bytes.subarray(0, -8)) && isSafe(bytes.subarray(-8)),
    },
    value: { make: wide, isReadable: (bytes) => bytes.length === 8 },
  },
  bytes: {
    key: { make: wide, isReadable: () => true },
    value: { make: wide, isReadable: (bytes) => bytes.length === 8 },
  },
  counted: { key: text, value: json },
}

export const fuzzedPairs = Object.keys(parts)

/** Most often one part is damaged; now and then both, or none; some are null. */
export function fuzzedRecord(random: Random): FuzzedRecord {
  const pair = random.pick(fuzzedPairs)
  const { key: keyPart, value: valuePart } = parts[pair]!
  const key = fuzzed(keyPart, random)
  const value = fuzzed(valuePart, random)
  const isReadable =
    (key === null || keyPart.isReadable(key)) && (value === null || valuePart.isReadable(value))
  return { pair, key, value, isReadable }
}

function fuzzed(part: Part, random: Random): Buffer | null {
  const bytes = part.make(random)
  const kind = random.below(10)
  if (kind === 0) return null
  if (kind <= 5) return bytes
  if (kind === 6) return bytes.subarray(0, random.below(bytes.length + 1))
  if (kind === 7) {
    const more = Array.from({ length: 1 + random.below(8) }, () => random.below(256))
    return Buffer.concat([bytes, Buffer.from(more)])
  }
  for (let flips = 1 + random.below(8); flips > 0 && bytes.length > 0; flips--) {
    const at = random.below(bytes.length)
    bytes[at] = bytes[at]! ^ (1 << random.below(8))
  }
  return bytes
}
