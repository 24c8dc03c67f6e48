import { messageOf } from '../../errors/weir-error.ts'
import { type RegisteredSchema, referenceTexts, type SchemaSource } from '../schema-source.ts'
import { type Longs, parseAvro } from './avro-schema.ts'
import type { AvscResolver, AvscType } from './avsc-type.ts'
import { isTooDeep, TOO_DEEP } from './invalid-value.ts'
import { ReadTap } from './read-tap.ts'

const tap = new ReadTap()
/** What V8 says where avsc meets bytes that it does not expect. */
const UNEXPECTED = /^Cannot read propert/
/** What avsc says of a symbol that is read through a resolver, which has no name. */
const NAMELESS_ENUM = /^invalid undefined enum index/

/** Reads the value in `buffer[start, end)`. @throws Error with one line when it is no such value, or ends elsewhere */
export function readAvro(reader: AvscResolver, buffer: Buffer, start: number, end: number): unknown {
  tap.buf = buffer
  tap.pos = start
  tap.end = end
  let value: unknown
  try {
    value = reader._read(tap)
  } catch (error) {
    throw whyUnreadable(error)
  }
  if (tap.pos !== end) throw new RangeError(`the value ends ${end - tap.pos} bytes before its end`)
  return value
}

function whyUnreadable(error: unknown): unknown {
  const message = messageOf(error)
  if (isTooDeep(error)) return new RangeError(TOO_DEEP, { cause: error })
  if (error instanceof TypeError && UNEXPECTED.test(message))
    return new TypeError("the bytes do not fit the writer's schema", { cause: error })
  if (NAMELESS_ENUM.test(message))
    return new RangeError(message.replace('undefined enum', 'enum'), { cause: error })
  return error
}

/** Reads values of every writer's schema as those of one reader's; what that takes is compiled once for each. */
export class AvroReader {
  readonly #type: AvscType
  readonly #longs: Longs
  readonly #schemas: SchemaSource
  readonly #resolvers = new Map<number, AvscResolver>()
  #lastId = -1
  #last!: AvscResolver

  constructor(type: AvscType, longs: Longs, schemas: SchemaSource) {
    this.#type = type
    this.#longs = longs
    this.#schemas = schemas
  }

  /** Whether values of this schema can be read at once. */
  knows(id: number): boolean {
    return id === this.#lastId || this.#resolvers.has(id)
  }

  /** @throws Error with one line: the registry has no such schema, it cannot be read as the reader's, or the bytes are none of it */
  read(id: number, buffer: Buffer, start: number, end: number): unknown {
    if (id !== this.#lastId) {
      this.#last = this.#resolver(id)
      this.#lastId = id
    }
    return readAvro(this.#last, buffer, start, end)
  }

  #resolver(id: number): AvscResolver {
    let resolver = this.#resolvers.get(id)
    if (resolver === undefined) {
      let schema = id < 0 ? null : this.#schemas.schema(id)
      if (schema === undefined) schema = this.#schemas.fetchNow(id)
      // Not kept: the registry may learn of it.
      if (schema === null) throw new RangeError(`the schema registry has no schema of id ${id}`)
      resolver = this.#resolve(schema)
      this.#resolvers.set(id, resolver)
    }
    return resolver
  }

  /** What cannot be read says so for each record, without being compiled again. */
  #resolve(schema: RegisteredSchema): AvscResolver {
    const { id, type } = schema
    try {
      if (type !== 'AVRO') throw new Error(`it is of type ${type}`)
      const writer = parseAvro(schema.schema, referenceTexts(schema.references), this.#longs)
      return this.#type.createResolver(writer, { ignoreNamespaces: true })
    } catch (error) {
      const message = `schema ${id} cannot be read as the reader's schema: ${messageOf(error)}`
      return {
        _read() {
          throw new TypeError(message, { cause: error })
        },
      }
    }
  }
}
