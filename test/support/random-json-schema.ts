/** Random JSON schemas of draft 7, and values that may fit them. */
import type { Random } from './seed.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Schema = { [keyword: string]: Json }

/** Not `__proto__`: Ajv has no properties of that name. */
const NAMES = ['a', 'b', 'c', 'größe', 'constructor']
const TEXTS = ['', 'a', 'ab', 'abc', 'größer', '😀', '2026-01-02']
const NUMBERS = [0, 1, -1, 2, 5, 10, 0.5, -2.5, 1e10]

export class RandomJsonSchema {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** With a definition that its parts may refer to. */
  schema(): Schema {
    return { ...this.#object(2), definitions: { shared: this.#part(1, false) } }
  }

  #part(depth: number, mayRefer = true): Schema {
    const random = this.#random
    switch (random.below(depth <= 0 ? 5 : 12)) {
      case 0:
        return { type: random.pick(['string', 'number', 'integer', 'boolean', 'null']) }
      case 1:
        return this.#some({
          type: 'number',
          minimum: random.pick(NUMBERS),
          exclusiveMaximum: random.pick(NUMBERS),
          multipleOf: random.pick([1, 2, 5]),
        })
      case 2:
        return this.#some({
          type: 'string',
          minLength: random.below(3),
          maxLength: 1 + random.below(4),
          pattern: random.pick(['^a', 'b$', '[ö]']),
        })
      case 3:
        return { enum: [random.pick(TEXTS), random.pick(NUMBERS), null] }
      case 4:
        return random.below(3) === 0 && mayRefer
          ? { $ref: '#/definitions/shared' }
          : { const: this.value(depth) }
      case 5:
        return { anyOf: [this.#part(depth - 1, mayRefer), this.#part(depth - 1, mayRefer)] }
      case 6:
        return { oneOf: [this.#part(depth - 1, mayRefer), this.#part(depth - 1, mayRefer)] }
      case 7:
        return { allOf: [this.#part(depth - 1, mayRefer), this.#part(depth - 1, mayRefer)] }
      case 8:
        return { not: this.#part(depth - 1, mayRefer) }
      case 9:
        return this.#some({
          type: 'array',
          items: this.#part(depth - 1, mayRefer),
          minItems: random.below(3),
          maxItems: 1 + random.below(3),
          uniqueItems: true,
          contains: this.#part(depth - 1, mayRefer),
        })
      case 10:
        return {
          if: this.#part(depth - 1, mayRefer),
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: this.#part(depth - 1, mayRefer),
          else: this.#part(depth - 1, mayRefer),
        }
      default:
        return this.#object(depth - 1, mayRefer)
    }
  }

  #object(depth: number, mayRefer = true): Schema {
    const random = this.#random
    const names = NAMES.filter(() => random.below(2) === 0)
    const properties = Object.fromEntries(names.map((name) => [name, this.#part(depth, mayRefer)]))
    return {
      ...this.#some({
        required: NAMES.filter(() => random.below(8) === 0),
        additionalProperties: random.pick([false, this.#part(depth - 1, mayRefer)]),
        patternProperties: { '^b': this.#part(depth - 1, mayRefer) },
        minProperties: random.below(2),
        maxProperties: 1 + random.below(5),
        dependencies: { a: ['b'] },
        propertyNames: { maxLength: random.pick([4, 20]) },
      }),
      type: 'object',
      properties,
    }
  }

  /** The first keyword, and each other one or not. */
  #some(keywords: Schema): Schema {
    return Object.fromEntries(
      Object.entries(keywords).filter((_, index) => index === 0 || this.#random.below(3) === 0),
    )
  }

  value(depth = 2): Json {
    const random = this.#random
    switch (random.below(depth <= 0 ? 5 : 8)) {
      case 0:
        return null
      case 1:
        return random.below(2) === 0
      case 2:
        return random.pick(NUMBERS)
      case 3:
      case 4:
        return random.pick(TEXTS)
      case 5:
        return Array.from({ length: random.below(4) }, () => this.value(depth - 1))
      default:
        return this.objectValue(depth)
    }
  }

  objectValue(depth = 2): Json {
    const names = NAMES.filter(() => this.#random.below(2) === 0)
    return Object.fromEntries(names.map((name) => [name, this.value(depth - 1)]))
  }
}
