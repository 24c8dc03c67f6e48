import { messageOf } from '../../errors/weir-error.ts'
import {
  type AvscArrayType,
  type AvscLogicalType,
  type AvscMapType,
  type AvscParseOptions,
  type AvscRecordType,
  type AvscType,
  type AvscUnionType,
  isLogical,
  isType,
  parseType,
  type SchemaJson,
} from './avsc-type.ts'
import {
  BigLongType,
  BoundedArrayType,
  BoundedMapType,
  NumberLongType,
  RoundedFloatType,
} from './exact-types.ts'
import { logicalKinds, logicalTypes } from './logical-types.ts'
import { hasBigInts, jsonOf, withNumbers, withoutDefaults } from './schema-json.ts'
import { PlainUnionType, TaggedUnionType } from './union-types.ts'

/** What `long` is in JavaScript. */
export type Longs = 'number' | 'bigint'

const longTypes: Readonly<Record<Longs, AvscType>> = {
  number: new NumberLongType(),
  bigint: new BigLongType(),
}

const floatType: AvscType = new RoundedFloatType()

/**
 * Makes avsc's type of a schema.
 *
 * @param schema the schema's JSON, or its text
 * @param references texts of schemas whose names it uses, each after those that it uses itself
 * @param of whose schema it is. Default: that of who reads and writes values
 * @throws Error with one line for what is no schema
 */
export function parseAvro(
  schema: SchemaJson | string,
  references: readonly string[],
  longs: Longs,
  of: 'reader' | 'writer' = 'reader',
): AvscType {
  const options: AvscParseOptions = {
    registry: {},
    typeHook: (part, nested) => typeOf(part, nested, longs),
    logicalTypes,
    omitRecordMethods: true,
  }
  const prepared = (text: SchemaJson): SchemaJson => {
    const json = jsonOf(text)
    if (of === 'writer') return withoutDefaults(json)
    return hasBigInts(json) ? (withNumbers(json, longs === 'bigint') as SchemaJson) : json
  }
  let type: AvscType
  try {
    for (const reference of references)
      parseType(prepared(reference), { ...options, registry: options.registry })
    type = parseType(prepared(schema), options)
  } catch (error) {
    throw new Error(`no Avro schema: ${messageOf(error)}`, { cause: error })
  }
  makePlain(type, new Set())
  return type
}

/** Weir's types in the place of avsc's; undefined leaves it to avsc. */
function typeOf(schema: SchemaJson, options: AvscParseOptions, longs: Longs): AvscType | undefined {
  if (schema === 'long') return longTypes[longs]
  if (schema === 'float') return floatType
  if (Array.isArray(schema)) return unionOf(schema, options)
  if (typeof schema !== 'object' || schema === null) return undefined
  const { type, logicalType } = schema as { type?: unknown; logicalType?: unknown }
  if (type === 'float') return floatType
  if (type === 'array') return new BoundedArrayType(schema, options)
  if (type === 'map') return new BoundedMapType(schema, options)
  if (type === 'long' && !(typeof logicalType === 'string' && Object.hasOwn(logicalTypes, logicalType)))
    return longTypes[longs]
  return undefined
}

/**
 * A union's values are those of its branches where these differ in JavaScript; else each is wrapped, as in Avro's JSON: `{ branch: value }`. avsc's
 * rule, with what logical types are.
 */
function unionOf(schemas: readonly SchemaJson[], options: AvscParseOptions): AvscType {
  const types = schemas.map((schema) => parseType(schema, options))
  const kinds = types.map(kindOf)
  const Union = new Set(kinds).size === kinds.length ? PlainUnionType : TaggedUnionType
  return new Union(types, options)
}

function kindOf(type: AvscType): string {
  const { typeName } = type
  if (isLogical(type)) return logicalKinds.get(typeName.slice('logical:'.length)) ?? typeName
  switch (typeName) {
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'abstract:long':
      return 'bigint'
    case 'string':
    case 'enum':
      return 'string'
    case 'bytes':
    case 'fixed':
      return 'buffer'
    case 'map':
    case 'record':
    case 'error':
      return 'object'
    default:
      return typeName
  }
}

/** Records and wrapped values are plain objects to those who compare and print them. */
function makePlain(type: AvscType, seen: Set<AvscType>): void {
  if (seen.has(type)) return
  seen.add(type)
  const branch = (type as { _branchConstructor?: { prototype: object } | null })._branchConstructor
  if (branch && !type.typeName.startsWith('union')) branch.prototype = Object.prototype
  for (const inner of innerTypes(type)) makePlain(inner, seen)
  const { recordConstructor } = type as Partial<AvscRecordType>
  if (recordConstructor !== undefined) recordConstructor.prototype = Object.prototype
}

function innerTypes(type: AvscType): readonly AvscType[] {
  const { itemsType } = type as Partial<AvscArrayType>
  const { valuesType } = type as Partial<AvscMapType>
  const { underlyingType } = type as Partial<AvscLogicalType>
  const { types } = type as Partial<AvscUnionType>
  const { fields } = type as Partial<AvscRecordType>
  return [
    itemsType,
    valuesType,
    underlyingType,
    ...(types ?? []),
    ...(fields ?? []).map((one) => one.type),
  ].filter(isType)
}
