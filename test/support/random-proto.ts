/** Random .proto files: every type of field, singular, optional, required, repeated, in maps and in oneofs, with messages and enums of their own. */
import type { Random } from './seed.ts'

const SCALARS = [
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'float',
  'double',
  'bool',
  'string',
  'bytes',
]
/** Not float, double or bytes. */
const MAP_KEYS = SCALARS.filter((type) => !['float', 'double', 'bytes'].includes(type))

export interface ProtoFile {
  readonly text: string
  /** Full names, in the order of the file. */
  readonly messages: readonly string[]
}

/** @param longKeys whether maps may have keys of 64 bits. Default: true */
export function randomProto(
  random: Random,
  syntax: 'proto2' | 'proto3',
  { longKeys = true }: { readonly longKeys?: boolean } = {},
): ProtoFile {
  const mapKeys = longKeys ? MAP_KEYS : MAP_KEYS.filter((type) => !type.endsWith('64'))
  const messages: string[] = []
  let names = 0

  function message(outer: string, depth: number): string {
    const name = `M${names++}`
    const full = `${outer}.${name}`
    messages.push(full)
    const nested = Array.from({ length: depth < 2 ? random.below(3) : 0 }, () => message(full, depth + 1))
    const kinds = Array.from({ length: random.below(2) }, () => kind())
    const own = [...nested, ...kinds].map((text) => / (\w+) /.exec(text)![1]!)
    let number = 0
    const next = (): number => (number += random.below(10) === 0 ? 1 + random.below(3_000) : 1)
    const type = (): string => (random.below(4) === 0 ? random.pick([name, ...own]) : random.pick(SCALARS))
    const field = (index: number): string => {
      const label = random.below(6)
      if (label === 0) return `map<${random.pick(mapKeys)}, ${type()}> f${index} = ${next()};`
      if (label === 1)
        return `oneof one_${index} { ${type()} f${index} = ${next()}; ${type()} g${index} = ${next()}; }`
      if (label === 2) {
        const repeated = type()
        const isNumber = SCALARS.includes(repeated) && !['string', 'bytes'].includes(repeated)
        const packed = isNumber && random.below(2) === 0 ? ` [packed = ${random.below(2) === 0}]` : ''
        return `repeated ${repeated} f${index} = ${next()}${packed};`
      }
      if (syntax === 'proto3') return `${label === 3 ? 'optional ' : ''}${type()} f${index} = ${next()};`
      // A required message within itself would have no end.
      return label === 3
        ? `required ${random.pick(SCALARS)} f${index} = ${next()};`
        : `optional ${type()} f${index} = ${next()};`
    }
    const fields = Array.from({ length: random.below(7) }, (_, index) => field(index))
    return `message ${name} {\n${[...nested, ...kinds, ...fields].join('\n')}\n}`
  }

  function kind(): string {
    const name = `E${names++}`
    const values = ['A', 'B', 'C'].slice(0, 1 + random.below(3))
    return `enum ${name} {\n${values.map((value, index) => `${name}_${value} = ${index * (index === 2 ? -1 : 1)};`).join('\n')}\n}`
  }

  const types = Array.from({ length: 1 + random.below(3) }, () => message('test', 0))
  return { text: `syntax = "${syntax}";\npackage test;\n${types.join('\n')}\n`, messages }
}
