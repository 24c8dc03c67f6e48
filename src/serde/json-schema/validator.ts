import { createRequire } from 'node:module'

import type { AnySchema, Options } from 'ajv'

import { messageOf } from '../../errors/weir-error.ts'
import type { NamedSchema } from '../schema-source.ts'

/** @returns what is wrong with a value, in one line; null when it fits */
export type Validator = (value: unknown) => string | null

/** Ajv is loaded by the first schema: that takes tens of ms in each thread, and few processes have any. */
const load = createRequire(import.meta.url)
const ajvOf = (options: Options) => new (load('ajv') as typeof import('ajv')).Ajv(options)

/** By what `$schema` says. Draft 6 is a part of draft 7. */
const DRAFTS = [
  { pattern: /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, make: ajvOf },
  {
    pattern: /^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/,
    make: (options: Options) =>
      new (load('ajv/dist/2019.js') as typeof import('ajv/dist/2019.js')).Ajv2019(options),
  },
  {
    pattern: /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/,
    make: (options: Options) =>
      new (load('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')).Ajv2020(options),
  },
] as const
const SUPPORTED = 'draft 6, draft 7 (the default), 2019-09 and 2020-12'

/**
 * Compiles a JSON schema.
 *
 * @param references those that `$ref` names, by those names
 * @throws Error with one line for what is no schema
 */
export function compileValidator(text: string, references: readonly NamedSchema[]): Validator {
  const { $schema, ...schema } = parsed(text)
  const draft = DRAFTS.find(({ pattern }) => $schema === undefined || pattern.test(String($schema)))
  if (draft === undefined) throw new Error(`$schema is ${String($schema)}; supported are ${SUPPORTED}`)
  // Not strict: schemas have keywords of others, such as Kafka Connect's. What an object inherits, `constructor` say, is not in its JSON.
  const ajv = draft.make({ strict: false, logger: false, ownProperties: true })
  const formats = load('ajv-formats') as typeof import('ajv-formats')
  formats.default(ajv)
  try {
    for (const { name, schema: reference } of references) {
      const { $schema: _, ...referred } = parsed(reference)
      ajv.addSchema(referred, name)
    }
    const validate = ajv.compile(schema as AnySchema)
    return (value) => {
      if (validate(value) === true) return null
      const { instancePath = '', message = 'it does not fit', params } = validate.errors![0]!
      const { additionalProperty } = params as { additionalProperty?: string }
      const detail = additionalProperty === undefined ? '' : `: ${additionalProperty}`
      return `${instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.')} ${message}${detail}`
    }
  } catch (error) {
    throw new Error(`no JSON schema: ${messageOf(error)}`, { cause: error })
  }
}

function parsed(text: string): { readonly [keyword: string]: unknown } {
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch (error) {
    throw new Error(`the schema is no JSON: ${messageOf(error)}`, { cause: error })
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw new Error('no JSON schema: an object is expected')
  return schema as { readonly [keyword: string]: unknown }
}
