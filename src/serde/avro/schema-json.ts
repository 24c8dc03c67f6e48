/**
 * Schemas as JSON. A default may be a long beyond 2^53, which JSON.parse would round: it is a bigint here, and the very same number where a schema is text again.
 */
import { exactIntegers } from '../exact-json.ts'
import type { SchemaJson } from './avsc-type.ts'

/** JSON.rawJSON, which TypeScript does not know of. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/** A text that is no JSON is a type's name: `string`. @throws SyntaxError */
export function jsonOf(schema: SchemaJson): SchemaJson {
  if (typeof schema !== 'string' || !/^\s*["[{]/.test(schema)) return schema
  return JSON.parse(schema, exactIntegers) as SchemaJson
}

/** @param indent spaces for each level. Default: all in one line */
export function textOfJson(schema: SchemaJson, indent?: number): string {
  const exact = (_name: string, value: unknown): unknown =>
    typeof value === 'bigint' ? rawJSON(String(value)) : value
  return JSON.stringify(schema, exact, indent)
}

/** Of a record, an enum or a fixed. @returns undefined when it has none */
export function fullNameOf(schema: SchemaJson): string | undefined {
  if (typeof schema !== 'object' || Array.isArray(schema)) return undefined
  const { name, namespace, type } = schema as { name?: unknown; namespace?: unknown; type?: SchemaJson }
  // `{ type: { type: 'record', ... } }` is that record.
  if (typeof name !== 'string') return type === undefined ? undefined : fullNameOf(type)
  return name.includes('.') || typeof namespace !== 'string' || namespace === ''
    ? name
    : `${namespace}.${name}`
}

/** Whether it has a number that is none of JavaScript. */
export function hasBigInts(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return typeof json === 'bigint'
  return Object.values(json).some(hasBigInts)
}

/** The schema with numbers in the place of bigints. @param keepsLongs whether those of long defaults stay */
export function withNumbers(json: unknown, keepsLongs: boolean): unknown {
  if (typeof json === 'bigint') return Number(json)
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((one) => withNumbers(one, keepsLongs))
  const { type } = json as { type?: unknown }
  const first = Array.isArray(type) ? (type as readonly unknown[])[0] : type
  const isFloating = first === 'double' || first === 'float'
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [
      name,
      name === 'default' && keepsLongs && !isFloating ? value : withNumbers(value, keepsLongs),
    ]),
  )
}

/**
 * A writer's schema without its defaults: its values have all fields, and no one reads them. Registries have schemas whose defaults are none of their types',
 * which Java takes, too.
 */
export function withoutDefaults(json: SchemaJson): SchemaJson {
  if (Array.isArray(json)) return json.map(withoutDefaults)
  if (typeof json !== 'object' || json === null) return json
  const { default: _, ...schema } = json as { [attribute: string]: unknown }
  for (const part of ['type', 'items', 'values'])
    if (schema[part] !== undefined) schema[part] = withoutDefaults(schema[part] as SchemaJson)
  if (Array.isArray(schema.fields)) schema.fields = schema.fields.map(withoutDefaults)
  return schema as SchemaJson
}
