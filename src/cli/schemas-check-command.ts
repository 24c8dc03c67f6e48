import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/settings.ts'
import { HttpSchemaRegistry } from '../schema-registry/http-schema-registry.ts'
import type { SchemaRegistry } from '../schema-registry/schema-registry.ts'
import type { WriterSchema } from '../serde/schema-source.ts'
import { type PlacedNeed, schemaNeeds } from '../topology/bind-serdes.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { textTable } from './text-table.ts'

/**
 * - `registered`: the subject has the schema
 * - `compatible`: it has others, and the schema may follow them
 * - `new`: it has none
 * - `incompatible`: the schema may not follow those that it has
 */
export type SchemaVerdict = 'registered' | 'compatible' | 'new' | 'incompatible'

/** One of the topology's schemas, and what its subject makes of it. */
export interface CheckedSchema {
  readonly subject: string
  /** Where the schema is used: `values of views, read`. */
  readonly uses: readonly string[]
  readonly verdict: SchemaVerdict
  /** Of an incompatible one, as the registry says it. */
  readonly reasons: readonly string[]
}

/**
 * `weir schemas check`: compares the schemas that a topology reads and writes with what the registry has. Registers nothing.
 *
 * @param environment the registry's settings and WEIR_APPLICATION_ID, which internal topics begin with
 * @returns the report, and the subjects whose rules are broken
 * @throws ConfigError; WeirError module-not-loaded, topology-invalid, schema-registry-unreachable, schema-registry-refused
 */
export async function checkSchemas(
  modulePath: string,
  options: { readonly json: boolean },
  environment: Environment = process.env,
): Promise<{ readonly text: string; readonly incompatible: readonly string[] }> {
  // Nothing is asked of a broker.
  const config = loadConfig({ WEIR_BOOTSTRAP_SERVERS: 'none:9092', ...environment })
  const { schemaRegistry, applicationId, topologyOptimization } = config
  if (schemaRegistry.urls.length === 0) throw new ConfigError(['WEIR_SCHEMA_REGISTRY_URL is not set'])
  const topology = await loadTopology(moduleUrlOf(modulePath), topologyOptimization)
  const registry = new HttpSchemaRegistry(schemaRegistry)
  try {
    const checked = await checkNeeds(schemaNeeds(topology, applicationId) ?? [], registry)
    const incompatible = checked.filter(({ verdict }) => verdict === 'incompatible')
    const text = options.json ? `${JSON.stringify(checked, null, 2)}\n` : textOf(checked)
    return { text, incompatible: incompatible.map(({ subject }) => subject) }
  } finally {
    await registry.close()
  }
}

/** Each schema of each subject once. */
async function checkNeeds(needs: readonly PlacedNeed[], registry: SchemaRegistry): Promise<CheckedSchema[]> {
  const schemas = new Map<string, { readonly schema: WriterSchema; readonly uses: Set<string> }>()
  for (const { place, need } of needs) {
    if (need.kind !== 'reader' && need.kind !== 'writer') continue
    const { kind, ...schema } = need
    const key = JSON.stringify([schema.subject, schema.schema])
    const one = schemas.get(key) ?? { schema, uses: new Set<string>() }
    one.uses.add(`${place.part}s of ${place.topic}, ${kind === 'reader' ? 'read' : 'written'}`)
    schemas.set(key, one)
  }
  const checked: CheckedSchema[] = []
  for (const { schema, uses } of schemas.values()) {
    const { verdict, reasons } = await verdictOf(schema, registry)
    checked.push({ subject: schema.subject, uses: [...uses], verdict, reasons })
  }
  return checked
}

async function verdictOf(
  schema: WriterSchema,
  registry: SchemaRegistry,
): Promise<{ verdict: SchemaVerdict; reasons: readonly string[] }> {
  if ((await registry.lookUp(schema)) !== null) return { verdict: 'registered', reasons: [] }
  const reasons = await registry.incompatibilities(schema)
  if (reasons === null) return { verdict: 'new', reasons: [] }
  return { verdict: reasons.length === 0 ? 'compatible' : 'incompatible', reasons }
}

function textOf(checked: readonly CheckedSchema[]): string {
  if (checked.length === 0) return 'the topology has no schemas of its own\n'
  const rows = checked.map(({ subject, uses, verdict }) => [subject, verdict, uses.join('; ')])
  const reasons = checked.flatMap(({ subject, reasons: all }) => all.map((reason) => `${subject}: ${reason}`))
  const table = textTable([['SUBJECT', 'VERDICT', 'USED FOR'], ...rows])
  return [table, ...(reasons.length > 0 ? ['', ...reasons] : []), ''].join('\n')
}
