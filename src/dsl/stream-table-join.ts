/** Joins of a stream to a table, as nodes of the graph. */
import { bufferedRecordSerde, bufferKeySerde } from '../process/operators/record-buffer.ts'
import { streamTableGraceJoin } from '../process/operators/stream-table-grace-join.ts'
import { streamTableJoin, type ValueJoiner } from '../process/operators/stream-table-join.ts'
import type { TableView } from '../process/operators/table-view.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { checkFunction } from '../topology/options.ts'
import { stores } from '../topology/stores.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { checkMs } from './check-ms.ts'
import { GraphNode } from './graph.ts'
import type { JoinInput } from './join-input.ts'
import { checkStep, type NameOption } from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'
import type { TableParts } from './table-parts.ts'

/** How a stream is joined to a table. Kafka Streams' Joined. */
export interface TableJoinOptions extends NameOption {
  /**
   * How long records wait for rows that come late, ms of stream time: a whole number, no more than the `historyRetentionMs` of the table, which must be
   * versioned. Both serdes must be known or given. Default: records do not wait. Kafka Streams' Joined.withGracePeriod (KIP-923).
   */
  readonly graceMs?: number
}

/** Options of a join to a table, serdes included. */
export interface TableJoined<K, V> extends TableJoinOptions {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
}

/** A join to the table's rows. Checks the options. */
export function addTableJoin<K, V, VR, R>(
  method: 'join' | 'leftJoin',
  input: JoinInput<K, V>,
  table: TableParts<NonNullable<K>, VR>,
  joiner: ValueJoiner<K, NonNullable<V>, VR | null, R>,
  options: TableJoined<K, V> | undefined,
): StreamParts<K, R> {
  checkTableJoin(method, joiner, options)
  const leftJoin = method === 'leftJoin'
  const left = input.byKey(method, options?.name, options?.key, options?.value)
  const { graph } = left
  const sources = new Set([...left.sources, ...table.sources])
  graph.copartition(sources)
  const name = graph.nameOr(options?.name, leftJoin ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-')
  const graceMs = options?.graceMs
  const view = table.rows.view() as TableView<K, VR>
  let buffer: StoreDefinition | null = null
  let supplier = streamTableJoin(view, joiner, leftJoin)
  if (graceMs !== undefined) {
    checkHistory(name, graceMs, table)
    buffer = bufferStore(name, left, options)
    supplier = streamTableGraceJoin(view, joiner, { leftJoin, buffer: buffer.name, graceMs })
  }
  const node = new GraphNode(name, (topology, parents) => {
    if (buffer !== null) topology.addStateStore(buffer)
    topology.addProcessor(name, supplier, {
      parents,
      stores: buffer === null ? view.stores : [buffer.name, ...view.stores],
      // A record that waited comes out with another one's arrival, under its own key.
      preservesKey: buffer === null,
      readsByKey: view.stores,
    })
  })
  node.relaxesNullKeys = leftJoin
  graph.add(node, left.node)
  return { graph, node, sources, key: options?.key ?? left.key, value: null, repartitionRequired: false }
}

function checkTableJoin<K, V>(method: string, joiner: unknown, options: TableJoined<K, V> | undefined): void {
  checkStep(method, options, ['key', 'value', 'name', 'graceMs'])
  if (options?.graceMs !== undefined) checkMs(method, 'graceMs', options.graceMs, 0)
  checkFunction(method, 'the joiner', joiner)
}

function checkHistory<K, V>(name: string, graceMs: number, { rows, node }: TableParts<K, V>): void {
  const { historyRetentionMs } = rows.view()
  if (rows.isVersioned !== true || historyRetentionMs === undefined)
    throw new TopologyError(
      `${name}: graceMs is given, but the table ${node.name} is not versioned: give it { store, historyRetentionMs }`,
    )
  if (graceMs > historyRetentionMs)
    throw new TopologyError(
      `${name}: graceMs is ${graceMs}; allowed is at most ${historyRetentionMs}, the historyRetentionMs of the table ${node.name}`,
    )
}

function bufferStore<K, V>(
  name: string,
  left: StreamParts<K, V>,
  options: TableJoined<K, V> | undefined,
): StoreDefinition {
  return stores.keyValue({
    name: `${name}-Buffer`,
    key: bufferKeySerde(requireSerde(name, 'key', options?.key, left.key)),
    value: bufferedRecordSerde(requireSerde(name, 'value', options?.value, left.value)),
  })
}
