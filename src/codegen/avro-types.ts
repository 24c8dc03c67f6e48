/** TypeScript of an Avro schema: what `serdes.avro` reads and writes for it, as docs/avro.md tells. */
import { type Longs, parseAvro } from '../serde/avro/avro-schema.ts'
import {
  type AvscArrayType,
  type AvscLogicalType,
  type AvscMapType,
  type AvscRecordType,
  type AvscType,
  type AvscUnionType,
  isLogical,
  type SchemaJson,
} from '../serde/avro/avsc-type.ts'
import { logicalKinds } from '../serde/avro/logical-types.ts'
import { hasBigInts, textOfJson } from '../serde/avro/schema-json.ts'
import { docComment, isTypeName, quoted, toTypeName } from './typescript-text.ts'

export interface AvroSource {
  /** Where it comes from, for messages and for the file's first line. */
  readonly origin: string
  readonly schema: SchemaJson
  /** Texts of schemas whose names it uses, each after those that it uses itself. */
  readonly references: readonly string[]
  /** What a schema without a name of its own is called: a file's name, a subject. */
  readonly fallbackName: string
}

/** avsc's types as they are looked at here. */
type Documented = AvscType & { readonly doc?: string | undefined }
interface EnumType extends Documented {
  readonly symbols: readonly string[]
}
interface RecordType extends AvscRecordType {
  readonly fields: readonly {
    readonly name: string
    readonly type: AvscType
    readonly doc: string | undefined
  }[]
}

/**
 * A file with a type for each record, enum and fixed of a schema, and the schema itself as a constant. The same for the same schema.
 *
 * @throws Error with one line for what is no schema, and for two names that would be one in TypeScript
 */
export function typescriptOfAvro(source: AvroSource, longs: Longs): string {
  const root = parseAvro(source.schema, source.references, longs)
  const names = new TypeNames()
  const body: string[] = []
  let rootName: string
  if (isNamed(root)) rootName = names.of(root)
  else {
    rootName = names.alias(toTypeName(source.fallbackName))
    body.push(`export type ${rootName} = ${typeText(root, names)}\n`)
  }
  // Declaring one may name others.
  for (let at = 0; at < names.types.length; at++) body.push(declaration(names.types[at]!, names))
  const schemaOf = `AvroSchemaOf<${rootName}${longs === 'bigint' ? ", 'bigint'" : ''}>`
  const constant = `${rootName[0]!.toLowerCase()}${rootName.slice(1)}Schema`
  // In TypeScript a number beyond 2^53 would be rounded: such a schema stays text.
  const isText = hasBigInts(source.schema)
  const json = isText ? quoted(textOfJson(source.schema)) : textOfJson(source.schema, 2)
  const imports = [...(names.hasDuration ? ['AvroDuration'] : []), 'AvroSchemaOf']
  const list = !isText && typeof source.schema === 'object' && !Array.isArray(source.schema)
  return [
    `// Written by weir codegen from ${source.origin}. What is changed here is lost.\n`,
    `import type { ${imports.join(', ')} } from 'weir'\n\n`,
    body.join('\n'),
    `\n/** For serdes.avro${longs === 'bigint' ? ", with longs: 'bigint'" : ''}. */\n`,
    list
      ? `export const ${constant}: ${schemaOf} = ${json}\n`
      : `export const ${constant} = ${json} as ${schemaOf}\n`,
  ].join('')
}

/** The types that have a name of their own in TypeScript, in the order in which they are met. */
class TypeNames {
  readonly types: AvscType[] = []
  hasDuration = false
  /** Full names, by what they are in TypeScript. */
  readonly #taken = new Map<string, string>()

  of(type: AvscType): string {
    const fullName = type.name!
    const simple = fullName.slice(fullName.lastIndexOf('.') + 1)
    const name = isTypeName(simple) ? simple : `${simple}_`
    const other = this.#taken.get(name)
    if (other === fullName) return name
    if (other !== undefined) throw new Error(`${other} and ${fullName} would both be ${name} in TypeScript`)
    this.#taken.set(name, fullName)
    this.types.push(type)
    return name
  }

  /** Of the schema itself, when it has none. */
  alias(name: string): string {
    this.#taken.set(name, 'the schema itself')
    return name
  }
}

function isNamed(type: AvscType): boolean {
  return ['record', 'error', 'enum', 'fixed'].includes(type.typeName)
}

function declaration(type: AvscType, names: TypeNames): string {
  const name = names.of(type)
  const doc = docComment((type as Documented).doc, '')
  if (type.typeName === 'enum') {
    const { symbols } = type as EnumType
    return `${doc}export type ${name} = ${symbols.map(quoted).join(' | ')}\n`
  }
  if (type.typeName === 'fixed') return `${doc}export type ${name} = Buffer\n`
  const { fields } = type as RecordType
  if (fields.length === 0) return `${doc}export type ${name} = { readonly [field: string]: never }\n`
  const lines = fields.map(
    (field) => `${docComment(field.doc, '  ')}  readonly ${field.name}: ${typeText(field.type, names)}\n`,
  )
  return `${doc}export interface ${name} {\n${lines.join('')}}\n`
}

function typeText(type: AvscType, names: TypeNames): string {
  if (isNamed(type)) return names.of(type)
  if (isLogical(type)) return logicalText(type, names)
  switch (type.typeName) {
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'abstract:long':
      return 'bigint'
    case 'bytes':
      return 'Buffer'
    case 'array': {
      const items = typeText((type as AvscArrayType).itemsType, names)
      return `readonly ${items.includes(' ') ? `(${items})` : items}[]`
    }
    case 'map':
      return `{ readonly [key: string]: ${typeText((type as AvscMapType).valuesType, names)} }`
    case 'union:unwrapped':
      return (type as AvscUnionType).types.map((branch) => typeText(branch, names)).join(' | ') || 'never'
    case 'union:wrapped':
      return (type as AvscUnionType).types.map((branch) => taggedText(branch, names)).join(' | ')
    default:
      // null, boolean, string
      return type.typeName
  }
}

function taggedText(branch: AvscType, names: TypeNames): string {
  const { branchName } = branch
  if (branchName === 'null') return 'null'
  const key = /^\w+$/.test(branchName!) ? branchName : quoted(branchName!)
  return `{ readonly ${key}: ${typeText(branch, names)} }`
}

function logicalText(type: AvscLogicalType, names: TypeNames): string {
  const logicalName = type.typeName.slice('logical:'.length)
  if (logicalName === 'duration') {
    names.hasDuration = true
    return 'AvroDuration'
  }
  const kind = logicalKinds.get(logicalName)
  // Units of time are what their int or long is.
  return kind === undefined || kind === 'number' ? typeText(type.underlyingType, names) : kind
}
