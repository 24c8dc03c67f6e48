/** A stream as a table. */
import { tableSource } from '../process/operators/table-source.ts'
import type { Serde } from '../serde/serde.ts'
import { GraphNode } from './graph.ts'
import {
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  tableStore,
} from './options.ts'
import { repartitionNode } from './repartition.ts'
import { requireSerde } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'
import type { TableParts } from './table-parts.ts'
import { SourceRows } from './table-rows.ts'

/** Kafka Streams' KStreamImpl.toTable, names included. */
export function addToTable<K, V>(
  stream: StreamParts<K, V>,
  options: MaterializedOptions<NonNullable<K>, NonNullable<V>> | undefined,
): TableParts<NonNullable<K>, NonNullable<V>> {
  const method = 'toTable'
  checkStep(method, options, MATERIALIZED)
  checkStoreOptions(method, options)
  const { graph } = stream
  const name = graph.nameOr(options?.name, 'KSTREAM-TOTABLE-')
  const storeName = options?.store ?? graph.newStoreName('KSTREAM-TOTABLE-')
  // Rows have neither a null key nor a null value.
  const key = requireSerde(method, 'key', options?.key, stream.key as Serde<NonNullable<K>> | null)
  const value = requireSerde(method, 'value', options?.value, stream.value as Serde<NonNullable<V>> | null)
  let { node: parent, sources } = stream
  if (stream.repartitionRequired) {
    parent = graph.add(repartitionNode(graph, { name, key, value, isMergeable: true }), parent)
    sources = new Set([parent.name])
  }
  const rows = new SourceRows<NonNullable<K>, NonNullable<V>>(
    storeName,
    options?.store !== undefined,
    options?.historyRetentionMs,
  )
  const store = tableStore(storeName, key, value, options)
  const supplier = tableSource<NonNullable<K>, NonNullable<V>>({
    store: () => (rows.isMaterialized ? storeName : null),
    sendsOldValues: () => rows.sendsOldValues,
  })
  const node = new GraphNode(name, (topology, parents) => {
    if (rows.isMaterialized) topology.addStateStore(store)
    const stores = rows.isMaterialized ? [storeName] : []
    topology.addProcessor(name, supplier, {
      parents,
      stores,
      preservesKey: true,
      readsByKey: rows.sendsOldValues || store.caching === true ? stores : [],
    })
  })
  graph.add(node, parent)
  return { graph, node, sources, key, value, rows }
}
