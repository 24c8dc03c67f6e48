import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/settings.ts'
import { httpRegistry, needsOf } from '../runtime/schemas/open-schemas.ts'
import type { SchemaRegistry } from '../schema-registry/schema-registry.ts'
import { needKey, type SchemaNeed } from '../serde/schema-source.ts'
import type { PlacedNeed } from '../topology/bind-serdes.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'
import { textTable } from './text-table.ts'

/**
 * - `registered`: the subject has the schema
 * - `compatible`: it has others, and the schema may follow them
 * - `new`: it has none
 * - `incompatible`: the schema may not follow those that it has
 * - `missing`: of a subject or a version that is looked up by its name, there is none
 */
export type SchemaVerdict = 'registered' | 'compatible' | 'new' | 'incompatible' | 'missing'

/** One of the topology's schemas, and what its subject makes of it. */
export interface CheckedSchema {
  readonly subject: string
  /** AVRO, JSON, PROTOBUF; null of one that is looked up by its subject's name. */
  readonly type: string | null
  /** Where the schema is used: `values of views, read`. */
  readonly uses: readonly string[]
  readonly verdict: SchemaVerdict
  /** Of an incompatible one, as the registry says it; of a missing one, what is missing. */
  readonly reasons: readonly string[]
}

/**
 * `weir schemas check`: compares the schemas that a topology reads and writes with what the registry has. Registers nothing.
 *
 * @param environment the registry's settings and WEIR_APPLICATION_ID, which internal topics begin with
 * @returns the report, and the subjects that the application could not start with
 * @throws ConfigError; WeirError module-not-loaded, topology-invalid, schema-registry-unreachable, schema-registry-refused
 */
export async function checkSchemas(
  modulePath: string,
  options: { readonly json: boolean },
  environment: Environment = process.env,
): Promise<{ readonly text: string; readonly refused: readonly string[] }> {
  // Nothing is asked of a broker.
  const config = loadConfig({ WEIR_BOOTSTRAP_SERVERS: 'none:9092', ...environment })
  const topology = await loadTopology(moduleUrlOf(modulePath), config.topologyOptimization)
  const checked = await checkNeeds(needsOf(topology, config.applicationId) ?? [], config)
  const refused = checked.filter(({ verdict }) => verdict === 'incompatible' || verdict === 'missing')
  const text = options.json ? `${JSON.stringify(checked, null, 2)}\n` : textOf(checked)
  return { text, refused: refused.map(({ subject }) => subject) }
}

/** Each schema of each subject once. A topology that needs none needs no registry either. */
async function checkNeeds(needs: readonly PlacedNeed[], config: Config): Promise<CheckedSchema[]> {
  if (needs.length === 0) return []
  const registry = await httpRegistry(config)
  try {
    const checked: CheckedSchema[] = []
    for (const [one, ...others] of bySchema(needs)) {
      const { need } = one!
      const uses = [one!, ...others].map(({ place, need: { kind } }) => {
        return `${place.part}s of ${place.topic}, ${kind === 'reader' || place.use === 'source' ? 'read' : 'written'}`
      })
      const type = 'type' in need ? need.type : null
      checked.push({
        subject: need.subject,
        type,
        uses: [...new Set(uses)],
        ...(await verdictOn(need, registry)),
      })
    }
    return checked
  } finally {
    await registry.close()
  }
}

/** The needs of each schema; without those for all that a subject has, which compare with nothing. */
function bySchema(needs: readonly PlacedNeed[]): Iterable<PlacedNeed[]> {
  const compared = needs.filter(({ need }) => need.kind !== 'all')
  const keyOf = (need: SchemaNeed): string =>
    'schema' in need ? JSON.stringify([need.subject, need.schema]) : needKey(need)
  return Map.groupBy(compared, ({ need }) => keyOf(need)).values()
}

type Verdict = Pick<CheckedSchema, 'verdict' | 'reasons'>

async function verdictOn(need: SchemaNeed, registry: SchemaRegistry): Promise<Verdict> {
  const { subject } = need
  if (need.kind === 'version') {
    const found = await registry.version(subject, need.version)
    return found === null ? missing(`there is no version ${need.version}`) : registered
  }
  if (!('schema' in need))
    return (await registry.latest(subject)) === null ? missing('the subject has no schema') : registered
  if ((await registry.lookUp(need)) !== null) return registered
  const reasons = await registry.incompatibilities(need)
  if (reasons === null) return { verdict: 'new', reasons: [] }
  return { verdict: reasons.length === 0 ? 'compatible' : 'incompatible', reasons }
}

const registered: Verdict = { verdict: 'registered', reasons: [] }

function missing(reason: string): Verdict {
  return { verdict: 'missing', reasons: [reason] }
}

function textOf(checked: readonly CheckedSchema[]): string {
  if (checked.length === 0) return 'the topology has no schemas of its own\n'
  const rows = checked.map(({ subject, type, uses, verdict }) => [
    subject,
    type ?? '-',
    verdict,
    uses.join('; '),
  ])
  const reasons = checked.flatMap(({ subject, reasons: all }) => all.map((reason) => `${subject}: ${reason}`))
  const table = textTable([['SUBJECT', 'TYPE', 'VERDICT', 'USED FOR'], ...rows])
  return [table, ...(reasons.length > 0 ? ['', ...reasons] : []), ''].join('\n')
}
