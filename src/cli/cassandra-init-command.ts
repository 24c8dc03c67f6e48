import { createKeyspace, createTable } from '../cassandra/cql.ts'
import { compareKeyspace, differenceLine, type KeyspaceComparison } from '../cassandra/keyspace-schema.ts'
import type { CassandraSession } from '../cassandra/session.ts'
import type { TableSchema } from '../cassandra/table-schema.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/settings.ts'
import { WeirError } from '../errors/weir-error.ts'
import { createLogger } from '../observe/logger.ts'
import { checkCassandra, connectCassandra } from '../runtime/prepare-cassandra.ts'
import { cassandraTables } from '../topology/cassandra-sinks.ts'
import { loadTopology, moduleUrlOf } from '../topology/load-topology.ts'

/** How long Cassandra may not answer. */
const TIMEOUT_MS = 30_000

export interface CassandraInitOptions {
  /** Of a keyspace that is not there: copies in the local data centre (`3`), or in each (`dc1:3,dc2:2`). */
  readonly replication?: string
  /** Prints the statements instead. */
  readonly print?: true
}

/**
 * `weir cassandra init`: creates the keyspace and the tables that a topology needs, as far as they are not there. What is there is never changed.
 *
 * @param environment the settings of Cassandra, of which `--print` needs the keyspace alone
 * @param write gets lines for people, or CQL
 * @throws ConfigError; WeirError module-not-loaded, topology-invalid, config-invalid, cassandra-unreachable, cassandra-denied, and cassandra-schema for a table that is there with
 * other columns
 */
export async function initCassandra(
  modulePath: string,
  options: CassandraInitOptions,
  write: (line: string) => void,
  environment: Environment = process.env,
): Promise<void> {
  // Neither a broker nor a group is asked for anything.
  const config = loadConfig({
    WEIR_BOOTSTRAP_SERVERS: 'none:9092',
    WEIR_APPLICATION_ID: 'none',
    ...environment,
    WEIR_PROCESSING_GUARANTEE: undefined,
  })
  const topology = await loadTopology(moduleUrlOf(modulePath), config.topologyOptimization)
  const schemas = cassandraTables(topology).map(({ schema }) => schema)
  if (schemas.length === 0) {
    if (options.print !== true) write('the topology writes to no table in Cassandra')
    return
  }
  if (options.print === true) {
    printStatements(schemas, config, options.replication, write)
    return
  }
  checkCassandra(topology, config)
  const signal = new AbortController().signal
  const logger = createLogger({ ...config, logLevel: 'silent' })
  const session = await connectCassandra({ config, logger, signal, timeoutMs: TIMEOUT_MS })
  try {
    await create(session, schemas, config, options.replication, write)
  } catch (error) {
    throw session.named(error)
  } finally {
    await session.close()
  }
}

async function create(
  session: CassandraSession,
  schemas: readonly TableSchema[],
  config: Config,
  replication: string | undefined,
  write: (line: string) => void,
): Promise<void> {
  const keyspace = config.cassandra.keyspace!
  const found = await compareKeyspace(session, keyspace, schemas)
  refuseDifferent(keyspace, found)
  if (!found.exists) {
    if (replication === undefined) {
      const what = `keyspace ${keyspace} does not exist in Cassandra`
      throw new WeirError(
        'config-invalid',
        `${what}: say how many copies it has, with --replication 3, or of each data centre with --replication dc1:3,dc2:2`,
      )
    }
    await session.define(createKeyspace(keyspace, parseReplication(replication, config)))
    write(`keyspace ${keyspace}: created`)
  }
  for (const { schema, exists } of found.tables) {
    if (!exists) await session.define(createTable(keyspace, schema))
    write(`table ${schema.name}: ${exists ? 'is there' : 'created'}`)
  }
  // Another one may have created them in between.
  refuseDifferent(keyspace, await compareKeyspace(session, keyspace, schemas))
}

function refuseDifferent(keyspace: string, { tables }: KeyspaceComparison): void {
  const lines = tables.filter(({ differences }) => differences.length > 0).map(differenceLine(keyspace))
  if (lines.length > 0) throw new WeirError('cassandra-schema', lines.join('; '))
}

function printStatements(
  schemas: readonly TableSchema[],
  config: Config,
  replication: string | undefined,
  write: (line: string) => void,
): void {
  const { keyspace } = config.cassandra
  if (keyspace === null)
    throw new ConfigError(['WEIR_CASSANDRA_KEYSPACE is not set: the tables are in a keyspace'])
  if (replication !== undefined) write(createKeyspace(keyspace, parseReplication(replication, config)))
  for (const schema of schemas) write(createTable(keyspace, schema))
}

/** @throws WeirError config-invalid */
function parseReplication(text: string, { cassandra }: Config): ReadonlyMap<string, number> {
  const copies = new Map<string, number>()
  const single = /^\d{1,2}$/.test(text)
  if (single && cassandra.localDatacenter === null)
    throw new ConfigError([
      `WEIR_CASSANDRA_LOCAL_DATACENTER is not set: --replication ${text} is that of the local data centre`,
    ])
  for (const part of single ? [`${cassandra.localDatacenter}:${text}`] : text.split(',')) {
    const [, datacenter, count] = /^\s*([^:,'"\s][^:,'"]*):(\d{1,2})\s*$/.exec(part) ?? []
    if (datacenter === undefined || Number(count) < 1 || copies.has(datacenter)) {
      throw new WeirError(
        'config-invalid',
        `--replication ${text}: expected a number of copies from 1 (of the local data centre), or dc1:3,dc2:2`,
      )
    }
    copies.set(datacenter, Number(count))
  }
  return copies
}
