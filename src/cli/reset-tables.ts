import { qualified } from '../cassandra/cql.ts'
import { compareKeyspace } from '../cassandra/keyspace-schema.ts'
import type { CassandraSession } from '../cassandra/session.ts'
import {
  checkCassandra,
  connectCassandra,
  type PrepareCassandraOptions,
} from '../runtime/prepare-cassandra.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { tieredStores } from '../topology/tiered-stores.ts'

/** As Cassandra's own limit, ms: every node empties its part, after a snapshot. */
const TRUNCATE_TIMEOUT_MS = 60_000

/** The tables that are state of a topology: its tiered stores'. Those of sinks are output. */
export function stateTables(topology: TopologyDefinition | null): string[] {
  const stores = topology?.subtopologies.flatMap((subtopology) => tieredStores(subtopology.stores)) ?? []
  return stores.map(({ tier }) => tier!.table.name)
}

/** Empties tables of tiered stores. */
export class ResetTables {
  readonly #session: CassandraSession
  readonly #names: readonly string[]
  readonly #keyspace: string

  private constructor(session: CassandraSession, names: readonly string[], keyspace: string) {
    this.#session = session
    this.#names = names
    this.#keyspace = keyspace
  }

  /**
   * Looks which of a topology's tables are there; changes nothing.
   *
   * @throws ConfigError; WeirError cassandra-unreachable, cassandra-denied
   */
  static async open(topology: TopologyDefinition, options: PrepareCassandraOptions): Promise<ResetTables> {
    const { config } = options
    // Rows of sinks are not a reset's matter.
    checkCassandra(topology, { ...config, processingGuarantee: 'at_least_once' })
    const keyspace = config.cassandra.keyspace!
    const session = await connectCassandra(options)
    try {
      const schemas = topology.subtopologies.flatMap(({ stores }) =>
        tieredStores(stores).map(({ tier }) => tier!.table.schema),
      )
      const { tables } = await compareKeyspace(session, keyspace, schemas)
      const found = tables.filter(({ exists }) => exists).map(({ schema }) => schema.name)
      return new ResetTables(session, found, keyspace)
    } catch (error) {
      await session.close()
      throw session.named(error)
    }
  }

  /** @throws WeirError cassandra-unreachable (a node is down: nothing is emptied), cassandra-denied */
  async empty(onEmptied: () => void): Promise<void> {
    for (const name of this.#names) {
      await this.#session.define(`TRUNCATE ${qualified(this.#keyspace, name)}`, TRUNCATE_TIMEOUT_MS)
      onEmptied()
    }
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}
