import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../config/config-error.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import type { MetricSnapshot } from '../../observe/metric-set.ts'
import { SchemaMetrics } from '../../observe/schema-metrics.ts'
import type { RequestListener } from '../../schema-registry/registry-client.ts'
import type { SchemaRegistry } from '../../schema-registry/schema-registry.ts'
import { type PlacedNeed, schemaNeeds } from '../../topology/bind-serdes.ts'
import type { TopologyDefinition } from '../../topology/definition.ts'
import type { Handlers } from '../channel.ts'
import type { Logger } from '../logger.ts'
import type { SchemaRequests } from '../protocol.ts'
import { ProcessSchemas } from './process-schemas.ts'
import { answerThread, type SchemaAnswers } from './thread-schemas.ts'

export interface OpenSchemasOptions {
  readonly config: Config
  /** undefined: the one that `config` names. */
  readonly registry: SchemaRegistry | undefined
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** What the main thread has of a schema registry. */
export interface OpenSchemas {
  /** What threads begin with; null when no serde asks a registry. */
  readonly answers: SchemaAnswers | null
  /** What threads ask. */
  readonly handlers: Handlers<SchemaRequests>
  /** None when no serde asks a registry. */
  metrics(): Promise<MetricSnapshot>
  close(): Promise<void>
}

/**
 * Asks the registry for what a topology needs to know before it runs.
 *
 * @throws ConfigError when there is no registry and one is needed; WeirError topology-invalid; as ProcessSchemas.prepare
 */
export async function openSchemas(
  topology: TopologyDefinition,
  options: OpenSchemasOptions,
): Promise<OpenSchemas> {
  const { config, logger, signal, timeoutMs } = options
  const needs = needsOf(topology, config.applicationId)
  if (needs === null) {
    const none = async (): Promise<never> => {
      throw new WeirError('internal', 'there is no schema registry')
    }
    return {
      answers: null,
      handlers: { schema: none, schemas: none },
      metrics: async () => [],
      close: async () => {},
    }
  }
  const metrics = new SchemaMetrics()
  const registry = options.registry ?? (await httpRegistry(config, metrics.requested))
  const { autoRegister } = config.schemaRegistry
  const schemas = new ProcessSchemas({ registry, autoRegister, logger })
  try {
    const answers = await schemas.prepare(needs, { signal, timeoutMs })
    const { size } = answers.answers
    logger.info(
      { registry: registry.name, needs: size, schemas: answers.schemas.length },
      'schemas are known',
    )
    return {
      answers,
      handlers: {
        schema: (request) => answerThread(request, (id) => schemas.schema(id)),
        schemas: ({ subjects }) => schemas.newest(subjects),
      },
      metrics: () => metrics.collect(schemas.usage()),
      close: () => schemas.close(),
    }
  } catch (error) {
    await schemas.close()
    signal.throwIfAborted()
    throw error
  }
}

/** @returns null when no serde asks a registry. @throws WeirError topology-invalid */
export function needsOf(topology: TopologyDefinition, applicationId: string): PlacedNeed[] | null {
  try {
    return schemaNeeds(topology, applicationId)
  } catch (error) {
    throw new WeirError('topology-invalid', messageOf(error), { cause: error })
  }
}

/** The HTTP client is loaded where a registry is asked. @throws ConfigError when none is set */
export async function httpRegistry(
  { schemaRegistry }: Config,
  onRequest?: RequestListener,
): Promise<SchemaRegistry> {
  if (schemaRegistry.urls.length === 0) {
    throw new ConfigError([
      'WEIR_SCHEMA_REGISTRY_URL is not set: schemas are needed that are in a schema registry',
    ])
  }
  const { HttpSchemaRegistry } = await import('../../schema-registry/http-schema-registry.ts')
  return new HttpSchemaRegistry(schemaRegistry, onRequest)
}
