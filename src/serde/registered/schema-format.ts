import type { ByteWriter } from '../byte-writer.ts'
import type { NamedSchema, RegisteredSchema } from '../schema-source.ts'

/** Reads the value in `buffer[start, end)`. @throws Error with one line when it is none, or ends elsewhere */
export type ValueReader = (buffer: Buffer, start: number, end: number) => unknown

/** A schema, ready for use. */
export interface SchemaCodec {
  /** For messages, and for what tells whose rows a store has: `json Order`. It stays the same when the schema evolves. */
  readonly name: string
  /** What follows the schema's id. @throws Error with one line for what is no value of the schema */
  write(value: unknown, writer: ByteWriter): void
  /** For what `write` wrote. */
  readonly read: ValueReader
  /** As of Serde. Default: there is none. */
  readonly copy?: ((value: unknown) => unknown) | undefined
  /** For what others wrote. @throws Error with one line when that cannot be read */
  readerOf(writer: RegisteredSchema): ValueReader
}

/** A kind of schemas in a registry: what differs from one to the other. */
export interface SchemaFormat {
  /** For messages: `serdes.jsonSchema`. */
  readonly serde: string
  /** What the registry calls it: AVRO, JSON, PROTOBUF. */
  readonly type: string
  /** Serdes of a type whose variants and schemas are the same read alike: what is compiled for one serves all. */
  readonly variant: string
  /** For messages: as what another's schema cannot be read. Default: nothing is said of it. */
  readonly readsAs?: string
  /** @throws Error with one line for what is no schema */
  compile(schema: string, references: readonly NamedSchema[]): SchemaCodec
  /** What the subject strategies `record` and `topic-record` name a subject after. */
  recordName(schema: string): string | undefined
}
