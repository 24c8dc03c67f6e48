/** Random Avro schemas, and how they change. */
import type { Random } from './seed.ts'

type Schema = string | Schema[] | { [attribute: string]: unknown }

const PRIMITIVES = ['boolean', 'int', 'long', 'float', 'double', 'string', 'bytes']
/** What a type can be read as besides itself. Not bytes as a string: bytes that are no text are an error in Weir, and U+FFFD in Java. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
}
const DEFAULTS: Readonly<Record<string, unknown>> = {
  boolean: true,
  int: 7,
  long: -8,
  float: 0.5,
  double: 1.25,
  string: 'text',
  bytes: 'bytes',
  null: null,
}

/** Schemas of records that use every type, and names of their own. */
export class RandomAvro {
  readonly #random: Random
  #names = 0

  constructor(random: Random) {
    this.#random = random
  }

  record(depth = 3): Schema {
    const fields = Array.from({ length: 1 + this.#random.below(5) }, (_, index) => {
      const type = this.#type(depth - 1)
      const hasDefault = typeof type === 'string' && type in DEFAULTS && this.#random.below(3) === 0
      return { name: `f${index}`, type, ...(hasDefault && { default: DEFAULTS[type] }) }
    })
    return { type: 'record', name: this.#name('Record'), fields }
  }

  #type(depth: number): Schema {
    const random = this.#random
    const kind = random.below(depth <= 0 ? 8 : 13)
    if (kind < 6) return random.pick(PRIMITIVES)
    if (kind === 6)
      return {
        type: 'enum',
        name: this.#name('Enum'),
        symbols: ['A', 'B', 'C'].slice(0, 1 + random.below(3)),
      }
    if (kind === 7) return { type: 'fixed', name: this.#name('Fixed'), size: random.below(5) }
    if (kind === 8) return { type: 'array', items: this.#type(depth - 1) }
    if (kind === 9) return { type: 'map', values: this.#type(depth - 1) }
    if (kind === 10) return this.record(depth - 1)
    return this.#union(depth - 1)
  }

  #union(depth: number): Schema {
    const branches: Schema[] = this.#random.below(2) === 0 ? ['null'] : []
    const kinds = new Set<string>()
    for (let count = 1 + this.#random.below(3); count > 0; count--) {
      const branch = this.#type(depth)
      const kind =
        typeof branch === 'string'
          ? branch
          : Array.isArray(branch)
            ? 'union'
            : String(branch.name ?? branch.type)
      if (kind === 'union' || kinds.has(kind)) continue
      kinds.add(kind)
      branches.push(branch)
    }
    return branches.length === 0 ? ['null', 'string'] : branches
  }

  #name(kind: string): string {
    return `test.${kind}${this.#names++}`
  }

  /** The schema of a reader: fields go, come, move or are promoted; branches and symbols come and go. */
  evolved(schema: Schema): Schema {
    const random = this.#random
    if (typeof schema === 'string') {
      const promotions = PROMOTIONS[schema]
      return promotions !== undefined && random.below(5) === 0 ? random.pick(promotions) : schema
    }
    if (Array.isArray(schema)) {
      const branches = schema.map((branch) => this.evolved(branch))
      if (random.below(4) === 0) branches.reverse()
      return isUnion(branches) ? branches : schema
    }
    switch (schema.type) {
      case 'record':
        return { ...schema, fields: this.#fields(schema.fields as Field[]) }
      case 'array':
        return { ...schema, items: this.evolved(schema.items as Schema) }
      case 'map':
        return { ...schema, values: this.evolved(schema.values as Schema) }
      case 'enum':
        return random.below(4) === 0 ? { ...schema, symbols: ['Z', 'A', 'B', 'C'], default: 'Z' } : schema
      default:
        return schema
    }
  }

  #fields(fields: readonly Field[]): Field[] {
    const random = this.#random
    const kept = fields.filter(() => random.below(6) > 0)
    const changed = kept.map((field): Field => {
      const type = this.evolved(field.type)
      const isRenamed = random.below(6) === 0
      const { default: _default, ...rest } = field
      return {
        ...rest,
        type,
        ...(isRenamed && { name: `${field.name}renamed`, aliases: [field.name] }),
        ...(random.below(5) === 0 &&
          !Array.isArray(type) &&
          typeof type !== 'object' && { default: DEFAULTS[type] }),
      }
    })
    if (random.below(2) === 0) changed.push({ name: 'added', type: ['null', 'string'], default: null })
    if (random.below(3) === 0)
      changed.unshift({ name: 'first', type: { type: 'array', items: 'int' }, default: [1, 2] })
    if (random.below(3) === 0) changed.reverse()
    // A type's name is defined where it comes first: in another order it would be used before.
    return changed
  }
}

interface Field {
  readonly name: string
  readonly type: Schema
  readonly default?: unknown
  readonly aliases?: readonly string[]
}

function isUnion(branches: readonly Schema[]): boolean {
  const kinds = branches.map((branch) => (typeof branch === 'string' ? branch : JSON.stringify(branch)))
  const types = branches.map((branch) =>
    typeof branch === 'string'
      ? branch
      : String((branch as { type?: unknown; name?: unknown }).name ?? (branch as { type?: unknown }).type),
  )
  return new Set(kinds).size === kinds.length && new Set(types).size === types.length
}
