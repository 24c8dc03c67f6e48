import { messageOf } from '../../errors/weir-error.ts'
import type { AvscType } from './avsc-type.ts'

const SHOWN_LENGTH_MAX = 60

/** Of a value within a value, as far as the stack holds. */
export const TOO_DEEP = 'the value is nested too deeply'

export function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && /call stack/.test(error.message)
}

/** Why a value cannot be written, with the path of the first field that does not fit: `user.address.zip: 5 is no string`. */
export function whyInvalid(type: AvscType, value: unknown, error: unknown): string {
  if (isTooDeep(error)) return TOO_DEEP
  const first: { path: string; why: string }[] = []
  try {
    type.isValid(value, {
      errorHook: (path, part, partType) => {
        if (first.length === 0)
          first.push({ path: path.join('.'), why: `${show(part)} is no ${describeType(partType)}` })
      },
    })
  } catch {
    // A value that cannot even be looked at: what writing it threw says why.
  }
  const [found] = first
  if (found === undefined) return messageOf(error)
  return found.path === '' ? found.why : `${found.path}: ${found.why}`
}

function describeType(type: AvscType): string {
  const { typeName, name } = type
  if (typeName.startsWith('logical:')) {
    const { schema = {} } = type as { schema?: { precision?: number; scale?: number } }
    const decimal = schema.precision === undefined ? '' : `(${schema.precision}, ${schema.scale ?? 0})`
    return typeName.slice('logical:'.length) + decimal
  }
  if (typeName.startsWith('union')) {
    const { types } = type as unknown as { types: readonly AvscType[] }
    return `${types.map(({ branchName }) => branchName).join(' or ')}${typeName === 'union:wrapped' ? ', as { branch: value }' : ''}`
  }
  if (typeName === 'abstract:long') return 'bigint of 64 bits'
  if (typeName === 'long') return 'long within 2^53'
  return name === undefined ? typeName : `${typeName} ${name}`
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function' || typeof value === 'symbol' || value === undefined) return String(value)
  let text: string
  try {
    text = JSON.stringify(value) ?? String(value)
  } catch {
    text = typeof value
  }
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}...` : text
}
