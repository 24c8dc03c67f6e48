import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import type { Serde } from '../serde/serde.ts'
import { checkCassandraTable } from '../topology/cassandra-sinks.ts'
import type { SourceOptions } from '../topology/node-options.ts'
import { checkName } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode, SourceGraphNode } from './graph.ts'
import { checkStep, type NameOption } from './options.ts'
import { requireSerde } from './serde-state.ts'
import { type StreamParts, sourceParts } from './stream-parts.ts'
import { addSink } from './stream-sink.ts'

/** How records get to a table in Cassandra. */
export interface CassandraSinkOption extends NameOption {
  /**
   * Records are written to this topic, which must exist, and the table is written from it: by tasks of its own, from committed records alone. `exactly_once_v2`
   * needs it. Default: the table is written at once.
   */
  readonly through?: string
}

/** A table in Cassandra at the end of the stream. */
export function addCassandraSink<K, V>(
  parts: StreamParts<K, V>,
  table: CassandraTable<NonNullable<K>, NonNullable<V>>,
  options: (CassandraSinkOption & { readonly key?: Serde<K>; readonly value?: Serde<V> }) | undefined,
): void {
  checkCassandraTable('to', table)
  const where = `to ${table.name}`
  checkStep(where, options, ['name', 'through', 'key', 'value'])
  const { name: given, through } = options ?? {}
  for (const part of ['key', 'value'] as const)
    if (through === undefined && options?.[part] !== undefined)
      throw new TopologyError(
        `${where}: ${part} is given without a topic that records go through: give { through }`,
      )
  const { graph, node } = through === undefined ? parts : throughTopic(where, parts, through, options)
  const name = graph.nameOr(given, 'CASSANDRA-SINK-')
  graph.add(
    new GraphNode(name, (topology, parents) => topology.addCassandraSink(name, { parents, table })),
    node,
  )
}

function throughTopic<K, V>(
  where: string,
  parts: StreamParts<K, V>,
  through: string,
  options: { readonly name?: string; readonly key?: Serde<K>; readonly value?: Serde<V> } | undefined,
): StreamParts<K, V> {
  checkName(where, 'through', through)
  const key = requireSerde(where, 'key', options?.key, parts.key)
  const value = requireSerde(where, 'value', options?.value, parts.value)
  const { graph } = parts
  const named = options?.name
  addSink(parts, through, { key, value, ...(named !== undefined && { name: `${named}-through` }) })
  const name = graph.nameOr(named === undefined ? undefined : `${named}-source`, 'KSTREAM-SOURCE-')
  // All that is written to it counts.
  const source: SourceOptions<K, V> = { topics: [through], key, value, offsetReset: 'earliest' }
  const node = graph.add(
    new SourceGraphNode(name, [through], source as unknown as SourceOptions<unknown, unknown>),
  )
  return sourceParts(graph, node, key, value)
}
