/** Messages as plain objects, checked strictly: protobufjs' own conversion makes something of every value. */
import type { Enum, Field, Type } from 'protobufjs'

import type { Longs } from '../avro/avro-schema.ts'
import {
  enumValues,
  InvalidValue,
  isMessage,
  refuse,
  scalarValues,
  type ValueConverter,
} from './field-values.ts'
import { nameOf } from './proto-file.ts'

type Fields = Readonly<Record<string, unknown>>

/** As deep as Java's and protobufjs' readers go. */
const DEPTH_MAX = 100

interface FieldPlan {
  readonly name: string
  readonly kind: 'one' | 'list' | 'map'
  readonly values: ValueConverter
  /** Of a map. */
  readonly keys: ValueConverter | null
  readonly keyOf: ((key: string) => string) | null
  /** Whether one that has its default differs from one that is not there. */
  readonly hasPresence: boolean
  readonly isRequired: boolean
  /** What one without presence is when it is not there. */
  readonly absent: unknown
}

/** Converts the messages of one type, and those in them. */
export class MessageValues implements ValueConverter {
  readonly #type: Type
  readonly #longs: Longs
  readonly #known: Map<Type, MessageValues>
  #fields: readonly FieldPlan[] | null = null

  constructor(type: Type, longs: Longs, known = new Map<Type, MessageValues>()) {
    this.#type = type
    this.#longs = longs
    this.#known = known
    known.set(type, this)
  }

  isDefault(): boolean {
    return false
  }

  read(raw: unknown): Fields {
    const message = raw as Fields
    const value: Record<string, unknown> = {}
    for (const field of this.#plan()) {
      const { name } = field
      const isThere = Object.hasOwn(message, name) && message[name] !== null && message[name] !== undefined
      if (field.kind === 'list') value[name] = isThere ? this.#readList(field, message[name]) : []
      else if (field.kind === 'map') value[name] = isThere ? this.#readMap(field, message[name]) : {}
      else if (isThere) value[name] = within(name, () => field.values.read(message[name]))
      else if (!field.hasPresence) value[name] = field.absent
    }
    return value
  }

  write(value: unknown, depth = 0): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
      return refuse(value, nameOf(this.#type))
    if (depth > DEPTH_MAX) throw new InvalidValue('the value is nested too deeply')
    const given = value as Fields
    const plan = this.#plan()
    for (const name of Object.keys(given)) {
      if (given[name] !== undefined && !plan.some((field) => field.name === name))
        throw new InvalidValue(`${name} is no field of ${nameOf(this.#type)}`)
    }
    const message: Record<string, unknown> = {}
    for (const field of plan) {
      const one = given[field.name]
      if (one === undefined || one === null) {
        if (field.isRequired) throw new InvalidValue(`${field.name} is required`)
        continue
      }
      const written = within(field.name, () => writeField(field, one, depth))
      if (written !== undefined) message[field.name] = written
    }
    for (const { oneof } of this.#type.oneofsArray) {
      const set = oneof.filter((name) => message[name] !== undefined)
      if (set.length > 1) throw new InvalidValue(`${set.join(' and ')} are of one oneof`)
    }
    return message
  }

  #readList(field: FieldPlan, raw: unknown): unknown[] {
    return within(field.name, () => (raw as readonly unknown[]).map((one) => field.values.read(one)))
  }

  #readMap({ name, values, keyOf }: FieldPlan, raw: unknown): Fields {
    const entries = Object.entries(raw as Fields).map(([key, one]) => [
      keyOf === null ? key : keyOf(key),
      within(name, () => values.read(one)),
    ])
    return Object.fromEntries(entries) as Fields
  }

  /** Made when it is first needed: messages may have themselves in them. */
  #plan(): readonly FieldPlan[] {
    this.#fields ??= this.#type.fieldsArray.map((field) => this.#fieldPlan(field))
    return this.#fields
  }

  #fieldPlan(field: Field): FieldPlan {
    const { name, type, repeated, map, required } = field.resolve()
    const { resolvedType } = field
    let values = scalarValues(type, this.#longs)
    if (values === undefined)
      values = isMessage(resolvedType)
        ? (this.#known.get(resolvedType) ?? new MessageValues(resolvedType, this.#longs, this.#known))
        : enumValues(resolvedType as Enum)
    const { keyType = 'string' } = field as { keyType?: string }
    const kind = map ? 'map' : repeated ? 'list' : 'one'
    const hasPresence = isMessage(resolvedType) || Boolean((field as { hasPresence?: unknown }).hasPresence)
    return {
      name,
      kind,
      values,
      keys: map ? mapKeys(keyType) : null,
      keyOf: map && /64$/.test(keyType) ? longKey(keyType) : null,
      hasPresence,
      isRequired: required,
      // With presence protobufjs has no default of every type.
      absent: kind === 'one' && !hasPresence ? values.read(field.typeDefault) : undefined,
    }
  }
}

/** @returns undefined for what is not written: a default without presence */
function writeField(field: FieldPlan, value: unknown, depth: number): unknown {
  const { kind, values, keys } = field
  const written = (one: unknown): unknown =>
    values instanceof MessageValues ? values.write(one, depth + 1) : values.write(one)
  if (kind === 'list') {
    if (!Array.isArray(value)) return refuse(value, 'list')
    return value.map((one, index) => within(String(index), () => written(one)))
  }
  if (kind === 'map') {
    if (typeof value !== 'object' || Array.isArray(value)) return refuse(value, 'map')
    const entries = Object.entries(value as Fields).map(([key, one]) =>
      within(key, () => [keys!.write(key), written(one)] as const),
    )
    return Object.fromEntries(entries as [string, unknown][])
  }
  const one = written(value)
  return !field.hasPresence && !field.isRequired && values.isDefault(value) ? undefined : one
}

/** Of a JavaScript object: texts. */
function mapKeys(type: string): ValueConverter {
  const isNumber = /^[a-z]+(32|64)$/.test(type)
  const numbers = isNumber ? scalarValues(type, 'bigint')! : null
  return {
    read: (raw) => raw,
    isDefault: () => false,
    write(value) {
      const key = value as string
      if (type === 'bool') return key === 'true' || key === 'false' ? key : refuse(key, type)
      if (!isNumber) return scalarValues('string', 'bigint')!.write(key)
      if (!/^-?\d{1,20}$/.test(key)) return refuse(key, type)
      numbers!.write(/64$/.test(type) ? BigInt(key) : Number(key))
      return key
    },
  }
}

/** protobufjs has keys of 64 bits as eight characters; that of an entry without one as 0. */
function longKey(type: string): (key: string) => string {
  const isUnsigned = type === 'uint64' || type === 'fixed64'
  return (key) => {
    if (key.length !== 8) return key
    const bits = Buffer.from(key, 'latin1').readBigUInt64LE()
    return String(isUnsigned ? bits : BigInt.asIntN(64, bits))
  }
}

/** Puts a field's path before what is wrong with its value. */
function within<T>(path: string, convert: () => T): T {
  try {
    return convert()
  } catch (error) {
    if (error instanceof InvalidValue) throw new InvalidValue(joined(path, error.message))
    if (error instanceof RangeError && /beyond 2\^53/.test(error.message))
      throw new RangeError(joined(path, error.message))
    throw error
  }
}

/** `a: b: 5 is no string` -> `a.b: 5 is no string`. */
function joined(path: string, message: string): string {
  const inner = /^([\w.]+): /.exec(message)
  return inner === null ? `${path}: ${message}` : `${path}.${message}`
}
