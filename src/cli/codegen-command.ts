import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AvroSource, typescriptOfAvro } from '../codegen/avro-types.ts'
import { readAvscFiles } from '../codegen/avsc-files.ts'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/settings.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { httpRegistry } from '../runtime/schemas/open-schemas.ts'
import type { Longs } from '../serde/avro/avro-schema.ts'
import { jsonOf } from '../serde/avro/schema-json.ts'
import { referenceTexts } from '../serde/schema-source.ts'

export interface CodegenOptions {
  /** .avsc files. */
  readonly files: readonly string[]
  /** Of the schema registry; the newest schema of each. */
  readonly subjects: readonly string[]
  /** A folder; made when it does not exist. */
  readonly out: string
  readonly longs: Longs
}

/**
 * `weir codegen`: a TypeScript file for each schema. Nothing is written when one of them cannot be.
 *
 * @returns the files' paths
 * @throws WeirError, ConfigError with one line
 */
export async function runCodegen(
  options: CodegenOptions,
  environment: Environment = process.env,
): Promise<string[]> {
  const { files, subjects, out, longs } = options
  if (files.length + subjects.length === 0)
    throw new WeirError('config-invalid', 'codegen: .avsc files or --subject are expected')
  const sources = [...readAvscFiles(files, longs), ...(await readSubjects(subjects, environment))]
  const written = new Map<string, string>()
  for (const source of sources) {
    const path = join(out, `${source.fallbackName.replace(/[^A-Za-z0-9._-]/g, '_')}.ts`)
    if (written.has(path))
      throw new WeirError('config-invalid', `${source.origin}: ${path} is another schema's already`)
    written.set(path, textOf(source, longs))
  }
  mkdirSync(out, { recursive: true })
  for (const [path, text] of written) writeFileSync(path, text)
  return [...written.keys()]
}

function textOf(source: AvroSource, longs: Longs): string {
  try {
    return typescriptOfAvro(source, longs)
  } catch (error) {
    throw new WeirError('config-invalid', `${source.origin}: ${messageOf(error)}`, { cause: error })
  }
}

async function readSubjects(subjects: readonly string[], environment: Environment): Promise<AvroSource[]> {
  if (subjects.length === 0) return []
  // The registry's settings are all that is used: there need be no application.
  const config = loadConfig({
    WEIR_APPLICATION_ID: 'codegen',
    WEIR_BOOTSTRAP_SERVERS: 'localhost:9092',
    ...environment,
  })
  const registry = await httpRegistry(config)
  try {
    const sources: AvroSource[] = []
    for (const subject of subjects) {
      const found = await registry.latest(subject)
      if (found === null)
        throw new WeirError('schema-missing', `subject ${subject} has no schema in ${registry.name}`)
      if (found.type !== 'AVRO')
        throw new WeirError(
          'config-invalid',
          `subject ${subject}: its schema is ${found.type}; AVRO is expected`,
        )
      sources.push({
        origin: `subject ${subject}`,
        schema: jsonOf(found.schema),
        references: referenceTexts(found.references),
        fallbackName: subject,
      })
    }
    return sources
  } finally {
    await registry.close()
  }
}
