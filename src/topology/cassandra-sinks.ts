/** The sinks of a topology that write to Cassandra. */
import { CassandraTable } from '../cassandra/cassandra-table.ts'
import type { WrittenTable } from '../cassandra/table-schema.ts'
import type { CassandraSinkDefinition, NodeDefinition, TopologyDefinition } from './definition.ts'
import { kindOf } from './options.ts'
import { tieredStores } from './tiered-stores.ts'
import { TopologyError } from './topology-error.ts'

export function cassandraSinks(nodes: readonly NodeDefinition[]): CassandraSinkDefinition[] {
  return nodes.filter((node) => node.kind === 'cassandra-sink')
}

/** The tables of a topology's sinks, each once. */
export function sinkTables({ subtopologies }: TopologyDefinition): CassandraTable[] {
  const tables = new Map<string, CassandraTable>()
  for (const { nodes } of subtopologies)
    for (const { table } of cassandraSinks(nodes)) tables.set(table.name, table)
  return [...tables.values()]
}

/** Every table that a topology writes to, once. */
export function cassandraTables(topology: TopologyDefinition): WrittenTable[] {
  const tiered = topology.subtopologies.flatMap(({ stores }) => tieredStores(stores))
  return [...sinkTables(topology), ...tiered.map(({ tier }) => tier!.table)]
}

/** @throws TopologyError for what is no table */
export function checkCassandraTable(where: string, table: unknown): void {
  if (!(table instanceof CassandraTable))
    throw new TopologyError(`${where}: table must be a table made by cassandra.table, not ${kindOf(table)}`)
}

/** @throws TopologyError for two tables of one name that are not the same */
export function checkCassandraTables(nodes: readonly NodeDefinition[]): void {
  const texts = new Map<string, string>()
  for (const { table } of cassandraSinks(nodes)) {
    const text = JSON.stringify(table.schema)
    if ((texts.get(table.name) ?? text) !== text)
      throw new TopologyError(`cassandra.table ${table.name} is there twice, with other columns`)
    texts.set(table.name, text)
  }
}

/**
 * What has been written to Cassandra is not taken back when a transaction is aborted. So under exactly-once rows are made of records that were committed: what writes them
 * reads them from a topic, and does nothing else.
 *
 * @returns one line for a sink that writes what may be aborted; null when there is none
 */
export function abortedRowsProblem({ subtopologies }: TopologyDefinition): string | null {
  for (const { nodes } of subtopologies) {
    const [sink] = cassandraSinks(nodes)
    const other = nodes.find(({ kind }) => kind !== 'source' && kind !== 'cassandra-sink')
    if (sink === undefined || other === undefined) continue
    return (
      `sink ${sink.name} writes to table ${sink.table.name} in Cassandra what a transaction may abort (its sub-topology also has ${other.name}): under exactly_once_v2 ` +
      `records have to go through a topic: to(table, { through: 'topic' })`
    )
  }
  return null
}
