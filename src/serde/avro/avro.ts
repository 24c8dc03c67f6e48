import { messageOf } from '../../errors/weir-error.ts'
import type { SerdeBinding, SerdePlace } from '../binding.ts'
import type { ByteWriter } from '../byte-writer.ts'
import {
  checkedSubjectOptions,
  isSubject,
  type SchemaSubject,
  type SubjectOptions,
  type SubjectStrategy,
} from '../registered/subject-options.ts'
import { referenceTexts, type SchemaNeed, type SchemaReference, type SchemaSource } from '../schema-source.ts'
import type { Serde } from '../serde.ts'
import { peekSchemaId, readSchemaId, WIRE_HEADER_BYTES, writeSchemaId } from '../wire-format.ts'
import { AvroReader, readAvro } from './avro-reader.ts'
import { fullNameOf, jsonOf, type Longs, parseAvro } from './avro-schema.ts'
import type { AvscType, SchemaJson } from './avsc-type.ts'
import { whyInvalid } from './invalid-value.ts'
import type { AvroSchemaOf, UntypedAvroSchema } from './typed-schema.ts'
import { WriteTap } from './write-tap.ts'

/** A schema: what an .avsc file holds, as JSON or as its text. */
export type AvroSchema =
  | string
  | { readonly type: unknown; readonly [attribute: string]: unknown }
  | readonly unknown[]

export interface AvroOptions extends SubjectOptions {
  /** What `long` is: a number, which beyond 2^53 is an error, or a bigint. Default: number. */
  readonly longs?: Longs
}

const OPTIONS = ['subjectStrategy', 'references', 'longs']

/**
 * Avro in Confluent's wire format. Values are read with the schema that they were written with, resolved to this one; written with this one.
 *
 * docs/avro.md tells what each type is in JavaScript. `T` is what the caller says it is, or what the schema does that `weir codegen` wrote.
 *
 * @param schema the schema, or the subject whose newest one is taken when the process starts
 * @throws TypeError for what is no schema, and for an unknown option
 */
export function avroSerde<T>(
  schema: AvroSchemaOf<T, 'number'>,
  options?: AvroOptions & { readonly longs?: 'number' },
): Serde<T>
export function avroSerde<T>(
  schema: AvroSchemaOf<T, 'bigint'>,
  options: AvroOptions & { readonly longs: 'bigint' },
): Serde<T>
export function avroSerde<T = unknown>(
  schema: UntypedAvroSchema | SchemaSubject,
  options?: AvroOptions,
): Serde<T>
export function avroSerde<T = unknown>(
  schema: AvroSchema | SchemaSubject,
  options: AvroOptions = {},
): Serde<T> {
  const unknown = Object.keys(options).find((option) => !OPTIONS.includes(option))
  if (unknown !== undefined)
    throw new TypeError(`serdes.avro: unknown option ${unknown}; allowed: ${OPTIONS.join(', ')}`)
  const { longs = 'number' } = options
  const { subjectStrategy, references } = checkedSubjectOptions('serdes.avro', options)
  if (longs !== 'number' && longs !== 'bigint')
    throw new TypeError(`serdes.avro: longs is ${String(longs)}; allowed are number and bigint`)
  if (isSubject('serdes.avro', schema)) {
    return new AvroSerde<T>({ subject: schema.subject, subjectStrategy, references: [], longs })
  }
  return new AvroSerde<T>({ schema: checkedSchema(schema), subjectStrategy, references, longs })
}

function checkedSchema(schema: unknown): SchemaJson {
  const isJson = typeof schema === 'string' || (typeof schema === 'object' && schema !== null)
  if (!isJson)
    throw new TypeError(
      `serdes.avro: a schema or { subject } is expected, not ${schema === null || schema === undefined ? schema : `a ${typeof schema}`}`,
    )
  try {
    return jsonOf(schema as SchemaJson)
  } catch (error) {
    throw new TypeError(`serdes.avro: the schema is no JSON: ${messageOf(error)}`, { cause: error })
  }
}

interface AvroDefinition {
  /** One of both. */
  readonly schema?: SchemaJson
  readonly subject?: string
  readonly subjectStrategy: SubjectStrategy
  readonly references: readonly SchemaReference[]
  readonly longs: Longs
}

const tap = new WriteTap()

/**
 * Appends a value.
 *
 * @param start where the writer is put back when that fails
 * @param what the value is, for messages
 * @throws TypeError with one line for what is no value of the type
 */
function writeAvro(type: AvscType, value: unknown, writer: ByteWriter, start: number, what: string): void {
  tap.out = writer
  try {
    type._write(tap, value)
  } catch (error) {
    writer.position = start
    throw new TypeError(`${what}: ${whyInvalid(type, value, error)}`, { cause: error })
  }
}

/** As it stands in a topology: it knows no registry yet. */
class AvroSerde<T> implements Serde<T> {
  readonly name: string
  readonly binding: SerdeBinding<T>
  readonly #definition: AvroDefinition
  /** null until the schemas that it is made of are known. */
  #type: AvscType | null = null

  constructor(definition: AvroDefinition) {
    const { schema, subject, references, longs } = definition
    this.#definition = definition
    if (schema !== undefined && references.length === 0)
      this.#type = parsed(() => parseAvro(schema, [], longs))
    this.name = subject === undefined ? nameOf(this.#type, schema) : `avro of subject ${subject}`
    this.binding = {
      needs: (place) => this.#needs(place),
      at: (place, schemas) => this.#at(place, schemas),
      local: () => new LocalAvroSerde<T>(this.name, () => this.#known()),
    }
  }

  deserialize(): T {
    throw new Error(NOT_BOUND)
  }

  serialize(): void {
    throw new Error(NOT_BOUND)
  }

  #needs(place: SerdePlace): readonly SchemaNeed[] {
    const { subject, references } = this.#definition
    if (subject !== undefined)
      return [
        { kind: 'latest', subject },
        ...(place.use === 'store' ? [{ kind: 'all', subject } as const] : []),
      ]
    const versions = references.map((reference) => ({ kind: 'version', ...reference }) as const)
    const writer = this.#writer(place)
    if (place.use === 'source') return [...versions, { ...writer, kind: 'reader' }]
    return [
      ...versions,
      writer,
      ...(place.use === 'store' ? [{ kind: 'all', subject: writer.subject } as const] : []),
    ]
  }

  #writer(place: SerdePlace): SchemaNeed & { kind: 'writer' } {
    const { schema, references } = this.#definition
    return {
      kind: 'writer',
      subject: this.#subjectAt(place),
      type: 'AVRO',
      schema: JSON.stringify(schema),
      references,
      isInternal: place.isInternal,
    }
  }

  #subjectAt({ topic, part }: SerdePlace): string {
    const { subjectStrategy, schema } = this.#definition
    if (subjectStrategy === 'topic') return `${topic}-${part}`
    const name = this.#type?.name ?? fullNameOf(schema!)
    if (name === undefined)
      throw new TypeError(
        `serdes.avro: subjectStrategy ${subjectStrategy} needs a schema with a name, for the ${part}s of ${topic}`,
      )
    return subjectStrategy === 'record' ? name : `${topic}-${name}`
  }

  #at(place: SerdePlace, schemas: SchemaSource): Serde<T> {
    const { schema, subject, references, longs } = this.#definition
    let writerId: number | null = null
    let readerKey: string
    if (subject !== undefined) {
      const latest = schemas.answer({ kind: 'latest', subject })
      writerId = latest.id
      readerKey = `${longs} ${latest.id}`
      this.#type = parsed(() => parseAvro(latest.schema, referenceTexts(latest.references), longs))
    } else {
      const versions = references.map((reference) => schemas.answer({ kind: 'version', ...reference }))
      const texts = versions.flatMap((one) => [...referenceTexts(one.references), one.schema])
      this.#type ??= parsed(() => parseAvro(schema!, [...new Set(texts)], longs))
      readerKey = `${longs} ${JSON.stringify(schema)}`
      if (place.use !== 'source') writerId = schemas.answer(this.#writer(place)).id
    }
    const type = this.#type
    const reader = readerOf(schemas, readerKey, () => new AvroReader(type, longs, schemas))
    const name = nameOf(type, schema)
    return new BoundAvroSerde<T>({ name, unbound: this, place, type, reader, writerId, schemas })
  }

  #known(): AvscType {
    if (this.#type === null) throw new Error(`${this.name}: ${NOT_BOUND}`)
    return this.#type
  }
}

const NOT_BOUND =
  'serdes.avro is used as a part of a topology, where it is given its registry: it reads and writes nothing by itself'

/** By the registry, then by the reader's schema: resolvers are compiled once for each writer's, however many places there are. */
const readers = new WeakMap<SchemaSource, Map<string, AvroReader>>()

function readerOf(schemas: SchemaSource, key: string, make: () => AvroReader): AvroReader {
  const known = readers.get(schemas) ?? new Map<string, AvroReader>()
  readers.set(schemas, known)
  const reader = known.get(key) ?? make()
  known.set(key, reader)
  return reader
}

interface BoundParts<T> {
  readonly name: string
  readonly unbound: Serde<T>
  readonly place: SerdePlace
  readonly type: AvscType
  readonly reader: AvroReader
  /** null: it is read alone. */
  readonly writerId: number | null
  readonly schemas: SchemaSource
}

class BoundAvroSerde<T> implements Serde<T> {
  readonly name: string
  readonly unbound: Serde<T>
  readonly #type: AvscType
  readonly #reader: AvroReader
  readonly #writerId: number | null
  readonly #schemas: SchemaSource
  /** For messages. */
  readonly #what: string

  constructor({ name, unbound, place, type, reader, writerId, schemas }: BoundParts<T>) {
    // Keys of another schema have other bytes: a store must not mix them.
    this.name = place.part === 'key' && writerId !== null ? `${name} (schema ${writerId})` : name
    this.#what = `the ${place.part} for ${place.topic} is no ${this.name}`
    this.unbound = unbound
    this.#type = type
    this.#reader = reader
    this.#writerId = writerId
    this.#schemas = schemas
  }

  deserialize(buffer: Buffer, start: number, end: number): T {
    const id = readSchemaId(buffer, start, end)
    return this.#reader.read(id, buffer, start + WIRE_HEADER_BYTES, end) as T
  }

  serialize(value: T, writer: ByteWriter): void {
    if (this.#writerId === null) throw new TypeError(`the ${this.name} is only read here`)
    const start = writer.position
    writeSchemaId(this.#writerId, writer)
    writeAvro(this.#type, value, writer, start, this.#what)
  }

  awaits(buffer: Buffer, start: number, end: number): Promise<void> | null {
    const id = peekSchemaId(buffer, start, end)
    if (id < 0 || this.#reader.knows(id) || this.#schemas.schema(id) !== undefined) return null
    return this.#schemas.fetch(id)
  }
}

/** Without a schema's id: the values never leave the thread. */
class LocalAvroSerde<T> implements Serde<T> {
  readonly name: string
  readonly #type: () => AvscType

  constructor(name: string, type: () => AvscType) {
    this.name = name
    this.#type = type
  }

  deserialize(buffer: Buffer, start: number, end: number): T {
    return readAvro(this.#type(), buffer, start, end) as T
  }

  serialize(value: T, writer: ByteWriter): void {
    writeAvro(this.#type(), value, writer, writer.position, `no ${this.name}`)
  }
}

function parsed(parse: () => AvscType): AvscType {
  try {
    return parse()
  } catch (error) {
    throw new TypeError(`serdes.avro: ${messageOf(error)}`, { cause: error })
  }
}

/** For messages, and for what tells whose rows a store has: a record stays the same when its schema evolves. */
function nameOf(type: AvscType | null, schema: SchemaJson | undefined): string {
  return `avro ${type?.name ?? (schema === undefined ? undefined : fullNameOf(schema)) ?? type?.typeName ?? 'value'}`
}
