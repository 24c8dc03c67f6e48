/**
 * What Weir uses of avsc besides its public face: the methods by which its types read from a tap and write to one, call each other, and resolve a
 * writer's type. They carry an underscore there; avsc is kept to 5.7, and test/unit/serde/avro meets each of them.
 */
import { createRequire } from 'node:module'

import type * as Avsc from 'avsc'

import type { ReadTap } from './read-tap.ts'
import type { WriteTap } from './write-tap.ts'

/** Reads values of a writer's type as a reader's. */
export interface AvscResolver {
  _read(tap: ReadTap): unknown
}

export interface AvscType {
  readonly typeName: string
  readonly name: string | undefined
  readonly branchName: string | undefined
  _read(tap: ReadTap): unknown
  _skip(tap: ReadTap): void
  _write(tap: WriteTap, value: unknown): void
  _check(
    value: unknown,
    flags?: number,
    hook?: (value: unknown, type: AvscType) => void,
    path?: string[],
  ): boolean
  _copy(value: unknown, options?: { coerce?: number }): unknown
  _update(resolver: Partial<AvscResolver>, writer: AvscType, options: object): void
  createResolver(writer: AvscType, options?: object): AvscResolver
  isValid(
    value: unknown,
    options: { errorHook: (path: string[], value: unknown, type: AvscType) => void },
  ): boolean
}

export interface AvscArrayType extends AvscType {
  readonly itemsType: AvscType
}

export interface AvscMapType extends AvscType {
  readonly valuesType: AvscType
}

export interface AvscUnionType extends AvscType {
  readonly types: readonly AvscType[]
}

export interface AvscFixedType extends AvscType {
  readonly size: number
}

export interface AvscRecordType extends AvscType {
  readonly fields: readonly { readonly name: string; readonly type: AvscType }[]
  readonly recordConstructor: { prototype: object }
}

export interface AvscLogicalType extends AvscType {
  readonly underlyingType: AvscType
}

/** A JSON schema, or a part of one. */
export type SchemaJson = string | readonly SchemaJson[] | { readonly [key: string]: unknown }

interface ParseOptions {
  registry: Record<string, AvscType>
  typeHook: (schema: SchemaJson, options: ParseOptions) => AvscType | undefined
  logicalTypes: Readonly<Record<string, unknown>>
  omitRecordMethods: true
  namespace?: string
}

export type { ParseOptions as AvscParseOptions }

type TypeClass<T extends AvscType> = new (schema: unknown, options?: ParseOptions) => T

/** The file of the types alone: avsc's index loads its services and containers besides, and every stream thread would load them anew. */
const { Type, builtins } = createRequire(import.meta.url)('avsc/lib/types.js') as {
  Type: typeof Avsc.Type
  builtins: typeof Avsc.types
}

/** avsc's classes, as far as Weir extends them. */
export const avscTypes = builtins as unknown as {
  readonly ArrayType: TypeClass<AvscArrayType>
  readonly MapType: TypeClass<AvscMapType>
  readonly LongType: new () => AvscType
  readonly FloatType: new () => AvscType
  readonly LogicalType: TypeClass<AvscLogicalType>
  readonly UnwrappedUnionType: TypeClass<AvscUnionType>
  readonly WrappedUnionType: TypeClass<AvscUnionType>
}

/** @throws Error for what is no schema */
export function parseType(schema: SchemaJson, options: ParseOptions): AvscType {
  return Type.forSchema(schema as never, options as never) as unknown as AvscType
}

export function isType(type: unknown): type is AvscType {
  return Type.isType(type)
}

export function isLogical(type: AvscType): type is AvscLogicalType {
  return type.typeName.startsWith('logical:')
}
