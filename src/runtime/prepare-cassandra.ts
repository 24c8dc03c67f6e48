import { compareKeyspace, keyspaceProblem } from '../cassandra/keyspace-schema.ts'
import { CassandraSession } from '../cassandra/session.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import { abortedRowsProblem, cassandraTables } from '../topology/cassandra-sinks.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import type { Logger } from './logger.ts'
import { retryWhileUnreachable } from './retry.ts'

export interface PrepareCassandraOptions {
  readonly config: Config
  readonly logger: Logger
  /** Ends the waiting. */
  readonly signal: AbortSignal
  /** How long Cassandra may not answer. */
  readonly timeoutMs: number
}

/**
 * What can be found without Cassandra: settings that a topology with Cassandra sinks needs, and sinks that exactly-once does not go with.
 *
 * @throws ConfigError; WeirError topology-invalid
 */
export function checkCassandra(topology: TopologyDefinition, config: Config): void {
  const tables = cassandraTables(topology)
  if (tables.length === 0) return
  const { contactPoints, localDatacenter, keyspace } = config.cassandra
  const problems = [
    ...(contactPoints.length === 0 ? ['WEIR_CASSANDRA_CONTACT_POINTS'] : []),
    ...(localDatacenter === null ? ['WEIR_CASSANDRA_LOCAL_DATACENTER'] : []),
    ...(keyspace === null ? ['WEIR_CASSANDRA_KEYSPACE'] : []),
  ].map((variable) => `${variable} is not set: the topology writes to table ${tables[0]!.name} in Cassandra`)
  if (problems.length > 0) throw new ConfigError(problems)
  if (config.processingGuarantee !== 'exactly_once_v2') return
  const problem = abortedRowsProblem(topology)
  if (problem !== null) throw new WeirError('topology-invalid', problem)
}

/**
 * Waits until Cassandra answers, and looks whether it has the tables that the topology writes to.
 *
 * @throws as checkCassandra; WeirError cassandra-unreachable, cassandra-denied, cassandra-schema; the signal's reason when it was aborted
 */
export async function prepareCassandra(
  topology: TopologyDefinition,
  options: PrepareCassandraOptions,
): Promise<void> {
  const { config, signal } = options
  checkCassandra(topology, config)
  const schemas = cassandraTables(topology).map(({ schema }) => schema)
  if (schemas.length === 0) return
  const keyspace = config.cassandra.keyspace!
  const session = await connectCassandra(options)
  try {
    const problem = keyspaceProblem(keyspace, await compareKeyspace(session, keyspace, schemas))
    if (problem !== null) throw new WeirError('cassandra-schema', problem)
  } catch (error) {
    signal.throwIfAborted()
    throw session.named(error)
  } finally {
    await session.close()
  }
}

/**
 * A session, once Cassandra answers.
 *
 * @throws ConfigError; WeirError cassandra-unreachable, cassandra-denied; the signal's reason when it was aborted
 */
export async function connectCassandra(options: PrepareCassandraOptions): Promise<CassandraSession> {
  const { config, logger, signal, timeoutMs } = options
  const session = await CassandraSession.open(config.cassandra)
  let isTold = false
  try {
    await retryWhileUnreachable(() => session.connect(), {
      signal,
      timeoutMs,
      onRetry: (error) => {
        if (!isTold) logger.warn({ reason: messageOf(error) }, 'Cassandra does not answer yet; trying again')
        isTold = true
      },
    })
    return session
  } catch (error) {
    await session.close()
    signal.throwIfAborted()
    throw error
  }
}
