import type { Config } from '../../config/config.ts'
import { bindTopology } from '../../topology/bind-serdes.ts'
import type { TopologyDefinition } from '../../topology/definition.ts'
import type { Channel } from '../channel.ts'
import type { SchemaRequests } from '../protocol.ts'
import { type SchemaAnswers, type SchemaThreadRequests, ThreadSchemas } from './thread-schemas.ts'

/** A thread's topology, with serdes that know the schemas. */
export function boundTopology(
  topology: TopologyDefinition,
  { config, schemas }: { readonly config: Config; readonly schemas: SchemaAnswers | null },
  requests: SchemaThreadRequests,
): { readonly topology: TopologyDefinition; readonly schemas: ThreadSchemas | null } {
  if (schemas === null) return { topology, schemas: null }
  const source = new ThreadSchemas(schemas, requests, config.schemaRegistry.requestTimeoutMs)
  return { topology: bindTopology(topology, config.applicationId, source), schemas: source }
}

/** What the thread asks over its channel. */
export function schemaRequests(
  channel: Pick<Channel<SchemaRequests, never, never>, 'request'>,
): SchemaThreadRequests {
  return {
    schema: (request) => channel.request('schema', request),
    schemas: (request) => channel.request('schemas', request),
  }
}
