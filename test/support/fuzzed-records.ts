import avsc from 'avsc'

import { type AvroSchema, decodeAvro } from './avro-decoder.ts'
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

type Parts = Readonly<Record<string, { readonly key: Part; readonly value: Part }>>

const fields = [
  { name: 'id', type: 'string' },
  { name: 'at', type: 'long' },
  { name: 'count', type: 'int' },
  { name: 'score', type: 'double' },
  { name: 'isNew', type: 'boolean' },
  { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } },
  { name: 'tags', type: { type: 'array', items: 'string' } },
  { name: 'attributes', type: { type: 'map', values: ['null', 'string', 'boolean', 'double'] } },
  { name: 'next', type: ['null', 'Event'], default: null },
] as const
const own = [...fields, { name: 'source', type: ['null', 'string'], default: null }] as const
const newer = [
  { name: 'extra', type: { type: 'array', items: ['string', 'long'] } },
  ...own,
  { name: 'note', type: 'string' },
] as const

/** Those of the writers. The topology reads with the one that is called own. */
export const fuzzedSchemas = {
  key: 'string',
  older: { type: 'record', name: 'Event', fields },
  own: { type: 'record', name: 'Event', fields: own },
  newer: { type: 'record', name: 'Event', fields: newer },
} as const

/** The ids that a registry has given to them. */
export type FuzzedSchemaIds = Readonly<Record<keyof typeof fuzzedSchemas, number>>

const WIRE_HEADER_BYTES = 5

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

const plainParts: Parts = {
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

export const fuzzedPairs = [...Object.keys(plainParts), 'avro', 'avro-counted'] as const

/** Records that most often have one damaged part, now and then two or none; some are null. */
export class FuzzedRecords {
  readonly #parts: Parts
  /** The writers' schemas by their ids. */
  readonly #writers: ReadonlyMap<number, AvroSchema>

  constructor(ids: FuzzedSchemaIds) {
    const versions = ['older', 'own', 'newer'] as const
    this.#writers = new Map(versions.map((version) => [ids[version], fuzzedSchemas[version]]))
    const types = versions.map((version) => ({
      id: ids[version],
      type: avsc.Type.forSchema(fuzzedSchemas[version] as never),
    }))
    const keyType = avsc.Type.forSchema('string')
    const key: Part = {
      make: (random) => framed(ids.key, keyType.toBuffer(random.pick(words) + random.below(1_000))),
      isReadable: (bytes) => isAvro(bytes, (id) => (id === ids.key ? 'string' : undefined), 'string'),
    }
    const value: Part = {
      make: (random) => {
        const { id, type } = random.pick(types)
        return framed(id, type.toBuffer(event(random)))
      },
      isReadable: (bytes) => isAvro(bytes, (id) => this.#writers.get(id), fuzzedSchemas.own),
    }
    this.#parts = { ...plainParts, avro: { key, value }, 'avro-counted': { key, value } }
  }

  next(random: Random): FuzzedRecord {
    const pair = random.pick(fuzzedPairs)
    const { key: keyPart, value: valuePart } = this.#parts[pair]!
    const key = fuzzed(keyPart, random)
    const value = fuzzed(valuePart, random)
    const isReadable =
      (key === null || keyPart.isReadable(key)) && (value === null || valuePart.isReadable(value))
    return { pair, key, value, isReadable }
  }

  /** What the topology makes of a value of the pair `avro`: read with the writer's schema as its own. */
  event(bytes: Buffer): unknown {
    const writer = this.#writers.get(bytes.readInt32BE(1))!
    return decodeAvro(bytes.subarray(WIRE_HEADER_BYTES), writer, fuzzedSchemas.own)
  }

  /** What the topology has written: of its own schema, whatever id the registry gave to that. */
  result(bytes: Buffer): unknown {
    return decodeAvro(bytes.subarray(WIRE_HEADER_BYTES), fuzzedSchemas.own, fuzzedSchemas.own)
  }
}

function framed(id: number, value: Buffer): Buffer {
  const header = Buffer.alloc(WIRE_HEADER_BYTES)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, value])
}

function isAvro(
  bytes: Buffer,
  writerOf: (id: number) => AvroSchema | undefined,
  reader: AvroSchema,
): boolean {
  if (bytes.length < WIRE_HEADER_BYTES || bytes[0] !== 0) return false
  const writer = writerOf(bytes.readInt32BE(1))
  if (writer === undefined) return false
  try {
    decodeAvro(bytes.subarray(WIRE_HEADER_BYTES), writer, reader)
    return true
  } catch {
    return false
  }
}

/** With the fields of every version. */
function event(random: Random, depth = 0): object {
  const texts = (): string[] => Array.from({ length: random.below(4) }, () => random.pick(words))
  const attribute = (): unknown =>
    random.pick([null, random.pick(words), random.below(2) === 0, random.next()])
  return {
    id: random.pick(words) + random.below(1_000),
    at: random.below(2 ** 50) * random.pick([1, -1]),
    count: random.below(2 ** 31) * random.pick([1, -1]),
    score: random.next(),
    isNew: random.below(2) === 0,
    kind: random.pick(['A', 'B', 'C']),
    tags: texts(),
    attributes: Object.fromEntries(texts().map((name) => [name, attribute()])),
    next: depth < 2 && random.below(4) === 0 ? event(random, depth + 1) : null,
    source: random.pick([null, random.pick(words)]),
    extra: texts(),
    note: random.pick(words),
  }
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
