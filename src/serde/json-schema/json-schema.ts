import { messageOf } from '../../errors/weir-error.ts'
import { parseExactJson } from '../exact-json.ts'
import { RegisteredSerde } from '../registered/registered-serde.ts'
import type { SchemaCodec } from '../registered/schema-format.ts'
import {
  checkedSubjectOptions,
  checkOptionNames,
  isSubject,
  type SchemaSubject,
  type SubjectOptions,
} from '../registered/subject-options.ts'
import type { NamedSchema } from '../schema-source.ts'
import type { Serde } from '../serde.ts'
import { decodeUtf8 } from '../utf8.ts'
import { compileValidator, type Validator } from './validator.ts'

/** A JSON schema, as JSON or as its text. */
export type JsonSchema = string | { readonly [keyword: string]: unknown }

export interface JsonSchemaOptions extends SubjectOptions {
  /** Whether what is read is checked as well as what is written. Default: false. */
  readonly validateReads?: boolean
}

const SERDE = 'serdes.jsonSchema'
const OPTIONS = ['subjectStrategy', 'references', 'validateReads']

/**
 * JSON in Confluent's wire format (0x00 schemaId(4) JSON), with a schema in the registry. What is written is checked against the schema; what is read only
 * with `validateReads`, and against this schema, not the writer's.
 *
 * `T` is what the caller says it is. A schema's name is its `title`.
 *
 * @param schema the schema, or the subject whose newest one is taken when the process starts
 * @throws TypeError for what is no schema, and for an unknown option
 */
export function jsonSchemaSerde<T = unknown>(
  schema: JsonSchema | SchemaSubject,
  options: JsonSchemaOptions = {},
): Serde<T> {
  checkOptionNames(SERDE, options, OPTIONS)
  const { validateReads = false } = options
  if (typeof validateReads !== 'boolean')
    throw new TypeError(`${SERDE}: validateReads is ${String(validateReads)}; allowed are true and false`)
  const format = {
    serde: SERDE,
    type: 'JSON',
    variant: String(validateReads),
    recordName: titleOf,
    compile: (text: string, references: readonly NamedSchema[]) => codecOf(text, references, validateReads),
  }
  const common = { format, ...checkedSubjectOptions(SERDE, options) }
  if (isSubject(SERDE, schema))
    return new RegisteredSerde<T>({ ...common, subject: schema.subject, references: [] })
  return new RegisteredSerde<T>({ ...common, schema: textOf(schema) })
}

function textOf(schema: unknown): string {
  if (typeof schema === 'string') return schema
  if (typeof schema === 'object' && schema !== null) return JSON.stringify(schema)
  throw new TypeError(
    `${SERDE}: a schema or { subject } is expected, not ${schema === null ? 'null' : typeof schema}`,
  )
}

function titleOf(text: string): string | undefined {
  try {
    const { title } = JSON.parse(text) as { title?: unknown }
    return typeof title === 'string' && title !== '' ? title : undefined
  } catch {
    return undefined
  }
}

function codecOf(text: string, references: readonly NamedSchema[], validateReads: boolean): SchemaCodec {
  const validate = compileValidator(text, references)
  const read = validateReads ? validatedReader(validate) : readJson
  return {
    name: `json ${titleOf(text) ?? 'value'}`,
    write(value, writer) {
      const problem = validate(value)
      if (problem !== null) throw new TypeError(problem)
      const json = JSON.stringify(value) as string | undefined
      if (json === undefined) throw new TypeError(`JSON has no form for ${typeof value}`)
      writer.writeUtf8(json)
    },
    read,
    readerOf: () => read,
  }
}

function readJson(buffer: Buffer, start: number, end: number): unknown {
  try {
    return parseExactJson(decodeUtf8(buffer, start, end))
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw new TypeError(`no JSON: ${messageOf(error)}`, { cause: error })
  }
}

function validatedReader(validate: Validator): typeof readJson {
  return (buffer, start, end) => {
    const value = readJson(buffer, start, end)
    const problem = validate(value)
    if (problem !== null) throw new TypeError(problem)
    return value
  }
}
