import type { AvscArrayType, AvscMapType, AvscRecordType, AvscType, AvscUnionType } from './avsc-type.ts'

/** @returns the copy; undefined for a value of which only its bytes can tell what would be read back */
export type CopyValue = (value: unknown) => unknown

type AnyFunction = (...args: unknown[]) => unknown

/**
 * What makes copies of a type's values: what would be read back of what is written, without writing it, in a tenth of the time. As avsc does for reading, a record's is compiled,
 * and calls the constructor that avsc reads with: so copies have the same shape as what is read.
 *
 * @returns null for types with a part whose copies take more than that: bytes, fixed, logical types, unions of more than null and another, recursive records
 */
export function compileCopy(type: AvscType): CopyValue | null {
  return copyOf(type, new Set())
}

function copyOf(type: AvscType, above: Set<AvscType>): CopyValue | null {
  switch (type.typeName) {
    case 'null':
      return (value) => (value === null ? null : undefined)
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? value : undefined)
    case 'int':
    case 'long':
      return (value) => (Number.isSafeInteger(value) ? (value as number) + 0 : undefined)
    case 'abstract:long':
      return (value) => (typeof value === 'bigint' ? value : undefined)
    case 'float':
      return (value) => (typeof value === 'number' ? Math.fround(value) : undefined)
    case 'double':
      return (value) => (typeof value === 'number' ? value : undefined)
    case 'string':
    case 'enum':
      return (value) => (typeof value === 'string' ? value : undefined)
    case 'array':
      return inside(type, above, () => copyArray(copyOf((type as AvscArrayType).itemsType, above)))
    case 'map':
      return inside(type, above, () => copyMap(copyOf((type as AvscMapType).valuesType, above)))
    case 'record':
      return inside(type, above, () => copyRecord(type as AvscRecordType, above))
    case 'union:unwrapped':
      return copyOptional((type as AvscUnionType).types, above)
    default:
      return null
  }
}

function inside(type: AvscType, above: Set<AvscType>, make: () => CopyValue | null): CopyValue | null {
  if (above.has(type)) return null
  above.add(type)
  const copy = make()
  above.delete(type)
  return copy
}

function copyOptional(types: readonly AvscType[], above: Set<AvscType>): CopyValue | null {
  const others = types.filter(({ typeName }) => typeName !== 'null')
  if (others.length !== 1 || types.length !== 2) return null
  const copy = copyOf(others[0]!, above)
  return copy === null ? null : (value) => (value === null ? null : copy(value))
}

function copyArray(copyItem: CopyValue | null): CopyValue | null {
  if (copyItem === null) return null
  return (value) => {
    if (!Array.isArray(value)) return undefined
    const copies: unknown[] = []
    for (const item of value) {
      const copy = copyItem(item)
      if (copy === undefined) return undefined
      copies.push(copy)
    }
    return copies
  }
}

function copyMap(copyItem: CopyValue | null): CopyValue | null {
  if (copyItem === null) return null
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const copies: Record<string, unknown> = {}
    for (const [name, item] of Object.entries(value)) {
      const copy = copyItem(item)
      // It would be the copy's prototype.
      if (copy === undefined || name === '__proto__') return undefined
      copies[name] = copy
    }
    return copies
  }
}

/** Avro's names are JavaScript's, too. */
function copyRecord({ fields, recordConstructor }: AvscRecordType, above: Set<AvscType>): CopyValue | null {
  const copies = fields.map(({ type }) => copyOf(type, above))
  if (copies.includes(null)) return null
  const parameters = ['Record', ...fields.map((_, index) => `copy${index}`)]
  const body = `return function copy(value) {
  if (typeof value !== 'object' || value === null) return undefined
${fields
  .map(
    ({ name }, index) => `  const v${index} = copy${index}(value.${name})
  if (v${index} === undefined) return undefined
`,
  )
  .join('')}  return new Record(${fields.map((_, index) => `v${index}`).join(', ')})
}`
  const make = new Function(...parameters, body) as AnyFunction
  return make(recordConstructor, ...copies) as CopyValue
}
