import { messageOf } from '../../errors/weir-error.ts'
import { RegisteredSerde } from '../registered/registered-serde.ts'
import type { SchemaCodec } from '../registered/schema-format.ts'
import {
  checkedSubjectOptions,
  checkOptionNames,
  isSubject,
  type SchemaSubject,
  type SubjectOptions,
} from '../registered/subject-options.ts'
import { type NamedSchema, referenceTexts } from '../schema-source.ts'
import type { Serde } from '../serde.ts'
import { type Longs, parseAvro } from './avro-schema.ts'
import type { SchemaJson } from './avsc-type.ts'
import { compileCopy } from './copy-value.ts'
import { whyInvalid } from './invalid-value.ts'
import { readAvro } from './read-avro.ts'
import { fullNameOf, jsonOf, textOfJson } from './schema-json.ts'
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

const SERDE = 'serdes.avro'
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
  checkOptionNames(SERDE, options, OPTIONS)
  const { longs = 'number' } = options
  const subjectOptions = checkedSubjectOptions(SERDE, options)
  if (longs !== 'number' && longs !== 'bigint')
    throw new TypeError(`${SERDE}: longs is ${String(longs)}; allowed are number and bigint`)
  const format = {
    serde: SERDE,
    type: 'AVRO',
    variant: longs,
    readsAs: " as the reader's schema",
    recordName: (text: string) => fullNameOf(jsonOf(text)),
    compile: (text: string, references: readonly NamedSchema[]) => codecOf(text, references, longs),
  }
  const common = { format, ...subjectOptions }
  if (isSubject(SERDE, schema))
    return new RegisteredSerde<T>({ ...common, subject: schema.subject, references: [] })
  return new RegisteredSerde<T>({ ...common, schema: textOf(schema) })
}

/** JSON, whatever it was given as. */
function textOf(schema: unknown): string {
  const isJson = typeof schema === 'string' || (typeof schema === 'object' && schema !== null)
  if (!isJson)
    throw new TypeError(
      `${SERDE}: a schema or { subject } is expected, not ${schema === null || schema === undefined ? schema : `a ${typeof schema}`}`,
    )
  try {
    return textOfJson(jsonOf(schema as SchemaJson))
  } catch (error) {
    throw new TypeError(`${SERDE}: the schema is no JSON: ${messageOf(error)}`, { cause: error })
  }
}

const tap = new WriteTap()

function codecOf(text: string, references: readonly NamedSchema[], longs: Longs): SchemaCodec {
  const type = parseAvro(text, referenceTexts(references), longs)
  return {
    name: `avro ${type.name ?? fullNameOf(jsonOf(text)) ?? type.typeName}`,
    write(value, writer) {
      tap.out = writer
      try {
        type._write(tap, value)
      } catch (error) {
        throw new TypeError(whyInvalid(type, value, error), { cause: error })
      }
    },
    read: (buffer, start, end) => readAvro(type, buffer, start, end),
    copy: compileCopy(type) ?? undefined,
    readerOf(writer) {
      const written = parseAvro(writer.schema, referenceTexts(writer.references), longs, 'writer')
      const resolver = type.createResolver(written, { ignoreNamespaces: true })
      return (buffer, start, end) => readAvro(resolver, buffer, start, end)
    },
  }
}
