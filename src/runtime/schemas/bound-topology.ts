import type { Config } from '../../config/config.ts'
import { bindTopology } from '../../topology/bind-serdes.ts'
import type { TopologyDefinition } from '../../topology/definition.ts'
import { type AskForSchema, type SchemaAnswers, ThreadSchemas } from './thread-schemas.ts'

/** A thread's topology, with serdes that know the schemas. */
export function boundTopology(
  topology: TopologyDefinition,
  { config, schemas }: { readonly config: Config; readonly schemas: SchemaAnswers | null },
  ask: AskForSchema,
): TopologyDefinition {
  if (schemas === null) return topology
  const source = new ThreadSchemas(schemas, ask, config.schemaRegistry.requestTimeoutMs)
  return bindTopology(topology, config.applicationId, source)
}
