import { type Longs, parseAvro } from './avro-schema.ts'
import {
  type AvscArrayType,
  type AvscLogicalType,
  type AvscMapType,
  type AvscRecordType,
  type AvscType,
  type AvscUnionType,
  isLogical,
} from './avsc-type.ts'
import { logicalKinds } from './logical-types.ts'

/** A schema to make types of. */
export interface TypedSchema {
  /** Its text. */
  readonly schema: string
  /** Texts of the schemas whose names it uses. */
  readonly references: readonly string[]
}

/**
 * A TypeScript module with a type for each record, enum and fixed of the schemas, and with each schema as a constant: what `serdes.avro<T>(schema)` reads and
 * writes, by the table of docs/avro.md.
 *
 * @throws Error with one line for what is no schema, or has no name
 */
export function typesOf(schemas: readonly TypedSchema[], longs: Longs): string {
  const module = new TypesModule(longs)
  for (const schema of schemas) module.add(schema)
  return module.text()
}

class TypesModule {
  readonly #longs: Longs
  /** Names in TypeScript, by those in Avro. */
  readonly #names = new Map<string, string>()
  /** In order of name. */
  readonly #declarations = new Map<string, string>()
  readonly #constants: string[] = []

  constructor(longs: Longs) {
    this.#longs = longs
  }

  add({ schema, references }: TypedSchema): void {
    const type = parseAvro(schema, references, this.#longs)
    if (type.name === undefined)
      throw new Error('types are made of schemas with a name: records, enums, fixed')
    const name = this.#reference(type)
    const constant = `${name[0]!.toLowerCase()}${name.slice(1)}Schema`
    const json = JSON.stringify(JSON.parse(schema), null, 2)
    this.#constants.push(`/** Of {@link ${name}}. */\nexport const ${constant} = ${json} as const\n`)
  }

  text(): string {
    return ['// Made by weir codegen.\n', ...this.#declarations.values(), ...this.#constants].join('\n')
  }

  /** How a type is written where it is used. */
  #of(type: AvscType): string {
    if (isLogical(type)) return this.#ofLogical(type)
    switch (type.typeName) {
      case 'null':
      case 'boolean':
      case 'string':
        return type.typeName
      case 'int':
      case 'float':
      case 'double':
      case 'long':
        return 'number'
      case 'abstract:long':
        return 'bigint'
      case 'bytes':
        return 'Buffer'
      case 'array':
        return `readonly ${inParentheses(this.#of((type as AvscArrayType).itemsType))}[]`
      case 'map':
        return `Readonly<Record<string, ${this.#of((type as AvscMapType).valuesType)}>>`
      case 'union:unwrapped':
        return (type as AvscUnionType).types.map((branch) => this.#of(branch)).join(' | ')
      case 'union:wrapped':
        return (type as AvscUnionType).types
          .map((branch) => {
            if (branch.branchName === 'null') return 'null'
            return `{ readonly ${propertyName(branch.branchName!)}: ${this.#of(branch)} }`
          })
          .join(' | ')
      default:
        return this.#reference(type)
    }
  }

  #ofLogical(type: AvscLogicalType): string {
    const kind = logicalKinds.get(type.typeName.slice('logical:'.length))
    if (kind === undefined) return this.#of(type.underlyingType)
    return kind === 'object'
      ? '{ readonly months: number; readonly days: number; readonly milliseconds: number }'
      : kind
  }

  /** The name of a type that has one, which is declared when it is met first. */
  #reference(type: AvscType): string {
    const full = type.name!
    const known = this.#names.get(full)
    if (known !== undefined) return known
    const short = full.slice(full.lastIndexOf('.') + 1)
    const isTaken = [...this.#names.values()].includes(short)
    const name = isTaken ? full.replaceAll('.', '_') : short
    this.#names.set(full, name)
    // Keeps its place before what it refers to.
    this.#declarations.set(name, '')
    this.#declarations.set(name, this.#declaration(type, name))
    return name
  }

  #declaration(type: AvscType, name: string): string {
    const doc = docOf((type as { doc?: string }).doc, '', `\`${type.name}\``)
    switch (type.typeName) {
      case 'record':
      case 'error': {
        const fields = (type as AvscRecordType).fields.map((field) => {
          const fieldDoc = docOf((field as { doc?: string }).doc, '  ')
          return `${fieldDoc}  readonly ${propertyName(field.name)}: ${this.#of(field.type)}\n`
        })
        return `${doc}export interface ${name} {\n${fields.join('')}}\n`
      }
      case 'enum': {
        const { symbols } = type as unknown as { symbols: readonly string[] }
        return `${doc}export type ${name} = ${symbols.map((symbol) => `'${symbol}'`).join(' | ')}\n`
      }
      default:
        return `${doc}export type ${name} = Buffer\n`
    }
  }
}

function docOf(doc: string | undefined, indent: string, otherwise?: string): string {
  const text = doc?.replaceAll('*/', '* /').replace(/\s+/g, ' ').trim() || otherwise
  return text === undefined ? '' : `${indent}/** ${text} */\n`
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`
}

function inParentheses(type: string): string {
  return / \| |^readonly /.test(type) ? `(${type})` : type
}
