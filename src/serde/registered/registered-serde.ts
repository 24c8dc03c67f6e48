import { messageOf } from '../../errors/weir-error.ts'
import type { SerdeBinding, SerdePlace } from '../binding.ts'
import type { ByteWriter } from '../byte-writer.ts'
import type { NamedSchema, SchemaNeed, SchemaReference, SchemaSource } from '../schema-source.ts'
import type { Serde } from '../serde.ts'
import { peekSchemaId, readSchemaId, WIRE_HEADER_BYTES, writeSchemaId } from '../wire-format.ts'
import type { SchemaCodec, SchemaFormat, ValueReader } from './schema-format.ts'
import type { SubjectStrategy } from './subject-options.ts'

export interface SerdeDefinition {
  readonly format: SchemaFormat
  /** One of both. */
  readonly schema?: string
  readonly subject?: string
  readonly subjectStrategy: SubjectStrategy
  readonly references: readonly SchemaReference[]
}

/** A serde of a format in Confluent's wire format, as it stands in a topology: it knows no registry yet. */
export class RegisteredSerde<T> implements Serde<T> {
  readonly name: string
  readonly binding: SerdeBinding<T>
  readonly #definition: SerdeDefinition
  /** null until the schemas that it is made of are known: those of the registry that it was bound with last. */
  #codec: SchemaCodec | null = null
  /** What the codec was made of. */
  #compiledFrom = ''

  /** @throws TypeError for what is no schema */
  constructor(definition: SerdeDefinition) {
    const { format, schema, subject, references } = definition
    this.#definition = definition
    if (schema !== undefined && references.length === 0) this.#codecOf(schema, [])
    const kind = format.type.toLowerCase()
    this.name =
      subject !== undefined
        ? `${kind} of subject ${subject}`
        : (this.#codec?.name ?? `${kind} ${this.#recordName() ?? 'value'}`)
    this.binding = {
      needs: (place) => this.#needs(place),
      at: (place, schemas) => this.#at(place, schemas),
      local: () => new LocalSerde<T>(this.name, () => this.#known()),
    }
  }

  deserialize(): T {
    throw new Error(this.#notBound())
  }

  serialize(): void {
    throw new Error(this.#notBound())
  }

  #needs(place: SerdePlace): readonly SchemaNeed[] {
    const { subject, references } = this.#definition
    const kept = (name: string): readonly SchemaNeed[] =>
      place.use === 'store' ? [{ kind: 'all', subject: name }] : []
    if (subject !== undefined) return [{ kind: 'latest', subject }, ...kept(subject)]
    const versions = references.map((reference) => ({ kind: 'version', ...reference }) as const)
    const writer = this.#writer(place)
    if (place.use === 'source') return [...versions, { ...writer, kind: 'reader' }]
    return [...versions, writer, ...kept(writer.subject)]
  }

  #writer(place: SerdePlace): SchemaNeed & { kind: 'writer' } {
    const { format, schema, references } = this.#definition
    return {
      kind: 'writer',
      subject: this.#subjectAt(place),
      type: format.type,
      schema: schema!,
      references,
      isInternal: place.isInternal,
    }
  }

  #subjectAt({ topic, part }: SerdePlace): string {
    const { format, subjectStrategy } = this.#definition
    if (subjectStrategy === 'topic') return `${topic}-${part}`
    const name = this.#recordName()
    if (name === undefined)
      throw new TypeError(
        `${format.serde}: subjectStrategy ${subjectStrategy} needs a schema with a name, for the ${part}s of ${topic}`,
      )
    return subjectStrategy === 'record' ? name : `${topic}-${name}`
  }

  #recordName(): string | undefined {
    const { format, schema } = this.#definition
    return format.recordName(schema!)
  }

  #at(place: SerdePlace, schemas: SchemaSource): Serde<T> {
    const { format, schema, subject, references } = this.#definition
    let writerId: number | null = null
    if (subject !== undefined) {
      const latest = schemas.answer({ kind: 'latest', subject })
      if (latest.type !== format.type)
        throw new TypeError(
          `${format.serde}: the schema of subject ${subject} is of type ${latest.type}, not ${format.type}`,
        )
      writerId = latest.id
      this.#codecOf(latest.schema, latest.references)
    } else {
      const named = references.flatMap((reference) => {
        const version = schemas.answer({ kind: 'version', ...reference })
        return [...version.references, { name: reference.name, schema: version.schema }]
      })
      this.#codecOf(schema!, named)
      if (place.use !== 'source') writerId = schemas.answer(this.#writer(place)).id
    }
    const source = subject === undefined ? JSON.stringify([schema, references]) : `subject ${subject}`
    const codec = this.#known()
    const reader = readerOf(format, codec, source, schemas)
    return new BoundSerde<T>({ unbound: this, place, codec, reader, writerId })
  }

  /** Compiles a schema, unless it is the one that was compiled last: a serde may be bound with several registries, one test after the other. */
  #codecOf(schema: string, references: readonly NamedSchema[]): void {
    const from = JSON.stringify([schema, references])
    if (this.#codec === null || from !== this.#compiledFrom) this.#codec = this.#compile(schema, references)
    this.#compiledFrom = from
  }

  #compile(schema: string, references: readonly NamedSchema[]): SchemaCodec {
    const { format } = this.#definition
    try {
      return format.compile(schema, references)
    } catch (error) {
      throw new TypeError(`${format.serde}: ${messageOf(error)}`, { cause: error })
    }
  }

  #known(): SchemaCodec {
    if (this.#codec === null) throw new Error(`${this.name}: ${this.#notBound()}`)
    return this.#codec
  }

  #notBound(): string {
    const { serde } = this.#definition.format
    return `${serde} is used as a part of a topology, where it is given its registry: it reads and writes nothing by itself`
  }
}

/** By the registry, then by the reader's schema: what is compiled for a writer's serves every place, however many there are. */
const readers = new WeakMap<SchemaSource, Map<string, WritersReader>>()

/** @param source the reader's schema, or the subject whose newest it is: that stays the same for the whole process */
function readerOf(
  format: SchemaFormat,
  codec: SchemaCodec,
  source: string,
  schemas: SchemaSource,
): WritersReader {
  const known = readers.get(schemas) ?? new Map<string, WritersReader>()
  readers.set(schemas, known)
  const key = `${format.type} ${format.variant} ${source}`
  const reader = known.get(key) ?? new WritersReader(format, codec, schemas)
  known.set(key, reader)
  return reader
}

/** Reads values of every writer's schema; what that takes is made once for each. */
class WritersReader {
  readonly #format: SchemaFormat
  readonly #codec: SchemaCodec
  readonly #schemas: SchemaSource
  readonly #readers = new Map<number, ValueReader>()
  /** No id at first. */
  #lastId = Number.NaN
  #last!: ValueReader

  constructor(format: SchemaFormat, codec: SchemaCodec, schemas: SchemaSource) {
    this.#format = format
    this.#codec = codec
    this.#schemas = schemas
  }

  read(buffer: Buffer, start: number, end: number): unknown {
    const id = readSchemaId(buffer, start, end)
    if (id !== this.#lastId) {
      this.#last = this.#readers.get(id) ?? this.#readerOf(id)
      this.#lastId = id
    }
    return this.#last(buffer, start + WIRE_HEADER_BYTES, end)
  }

  awaits(buffer: Buffer, start: number, end: number): Promise<void> | null {
    const id = peekSchemaId(buffer, start, end)
    return id < 0 || id === this.#lastId || this.#readers.has(id) ? null : this.#schemas.awaits(id)
  }

  #readerOf(id: number): ValueReader {
    let schema = id < 0 ? null : this.#schemas.schema(id)
    if (schema === undefined) schema = this.#schemas.fetchNow(id)
    // Not kept: the registry may learn of it.
    if (schema === null) throw new RangeError(`the schema registry has no schema of id ${id}`)
    let reader: ValueReader
    try {
      const { type } = schema
      if (type !== this.#format.type) throw new TypeError(`it is of type ${type}, not ${this.#format.type}`)
      reader = this.#codec.readerOf(schema)
    } catch (error) {
      // Said for each record, without being compiled again.
      const { readsAs = '' } = this.#format
      const message = `schema ${id} cannot be read${readsAs}: ${messageOf(error)}`
      reader = () => {
        throw new TypeError(message, { cause: error })
      }
    }
    this.#readers.set(id, reader)
    return reader
  }
}

interface BoundParts<T> {
  readonly unbound: Serde<T>
  readonly place: SerdePlace
  readonly codec: SchemaCodec
  readonly reader: WritersReader
  /** null: it is read alone. */
  readonly writerId: number | null
}

class BoundSerde<T> implements Serde<T> {
  readonly name: string
  readonly unbound: Serde<T>
  readonly #codec: SchemaCodec
  readonly #reader: WritersReader
  readonly #writerId: number | null
  /** For messages. */
  readonly #what: string

  constructor({ unbound, place, codec, reader, writerId }: BoundParts<T>) {
    // Keys of another schema have other bytes: a store must not mix them.
    this.name = place.part === 'key' && writerId !== null ? `${codec.name} (schema ${writerId})` : codec.name
    this.#what = `the ${place.part} for ${place.topic} is no ${this.name}`
    this.unbound = unbound
    this.#codec = codec
    this.#reader = reader
    this.#writerId = writerId
  }

  deserialize(buffer: Buffer, start: number, end: number): T {
    return this.#reader.read(buffer, start, end) as T
  }

  serialize(value: T, writer: ByteWriter): void {
    if (this.#writerId === null) throw new TypeError(`the ${this.name} is only read here`)
    const start = writer.position
    writeSchemaId(this.#writerId, writer)
    writeValue(this.#codec, value, writer, start, this.#what)
  }

  awaits(buffer: Buffer, start: number, end: number): Promise<void> | null {
    return this.#reader.awaits(buffer, start, end)
  }
}

/** Without a schema's id: the values never leave the thread. */
class LocalSerde<T> implements Serde<T> {
  readonly name: string
  readonly #codec: () => SchemaCodec

  constructor(name: string, codec: () => SchemaCodec) {
    this.name = name
    this.#codec = codec
  }

  deserialize(buffer: Buffer, start: number, end: number): T {
    return this.#codec().read(buffer, start, end) as T
  }

  serialize(value: T, writer: ByteWriter): void {
    writeValue(this.#codec(), value, writer, writer.position, `no ${this.name}`)
  }

  copy(value: T): T | undefined {
    return this.#codec().copy?.(value) as T | undefined
  }
}

/** Appends a value; when that fails the writer is put back to `start`. @throws TypeError with one line */
function writeValue(
  codec: SchemaCodec,
  value: unknown,
  writer: ByteWriter,
  start: number,
  what: string,
): void {
  try {
    codec.write(value, writer)
  } catch (error) {
    writer.position = start
    throw new TypeError(`${what}: ${messageOf(error)}`, { cause: error })
  }
}
