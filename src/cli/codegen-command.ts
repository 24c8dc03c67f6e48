import { readFile, writeFile } from 'node:fs/promises'

import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/settings.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { HttpSchemaRegistry } from '../schema-registry/http-schema-registry.ts'
import { type TypedSchema, typesOf } from '../serde/avro/typescript-types.ts'

export interface CodegenOptions {
  /** .avsc files; each may use the names of those before it. */
  readonly files: readonly string[]
  /** Whose newest schemas are taken. */
  readonly subjects: readonly string[]
  /** Where the module is written; null: it is returned. */
  readonly out: string | null
  readonly longs: 'number' | 'bigint'
}

/**
 * `weir codegen`: TypeScript types of Avro schemas.
 *
 * @returns what is to be printed
 * @throws ConfigError for a file that cannot be read, or is no schema; WeirError schema-missing, schema-registry-unreachable, schema-registry-refused
 */
export async function generateTypes(
  { files, subjects, out, longs }: CodegenOptions,
  environment: Environment = process.env,
): Promise<string> {
  if (files.length + subjects.length === 0)
    throw new ConfigError(['weir codegen: expected .avsc files, or --subject'])
  const schemas: TypedSchema[] = []
  for (const file of files) {
    const schema = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new ConfigError([`${file}: cannot be read: ${messageOf(error)}`])
    })
    const references = schemas.map((before) => before.schema)
    schemas.push({ schema, references })
    // Here, so that the message names the file.
    checked(file, () => typesOf([{ schema, references }], longs))
  }
  if (subjects.length > 0) schemas.push(...(await newest(subjects, environment)))
  const text = checked(subjects.join(', '), () => typesOf(schemas, longs))
  if (out === null) return text
  await writeFile(out, text)
  return ''
}

async function newest(subjects: readonly string[], environment: Environment): Promise<TypedSchema[]> {
  // No application, and no broker.
  const none = { WEIR_APPLICATION_ID: 'codegen', WEIR_BOOTSTRAP_SERVERS: 'none:9092' }
  const { schemaRegistry } = loadConfig({ ...none, ...environment })
  if (schemaRegistry.urls.length === 0) throw new ConfigError(['WEIR_SCHEMA_REGISTRY_URL is not set'])
  const registry = new HttpSchemaRegistry(schemaRegistry)
  try {
    const schemas: TypedSchema[] = []
    for (const subject of subjects) {
      const schema = await registry.latest(subject)
      if (schema === null)
        throw new WeirError('schema-missing', `subject ${subject} has no schema in ${registry.name}`)
      if (schema.type !== 'AVRO')
        throw new WeirError('schema-missing', `the schema of subject ${subject} is of type ${schema.type}`)
      schemas.push(schema)
    }
    return schemas
  } finally {
    await registry.close()
  }
}

function checked(where: string, make: () => string): string {
  try {
    return make()
  } catch (error) {
    throw new ConfigError([`${where}: ${messageOf(error)}`])
  }
}
