/** The steps of a table as nodes of the graph. Each checks its options, takes its names as Kafka Streams does, and is added below `parts`. */
import type { ValueMapper } from '../process/operators/map-values.ts'
import {
  type RowPredicate,
  rowFilter,
  rowFilterNot,
  rowMapper,
  type TableMapOptions,
  tableMap,
} from '../process/operators/table-map.ts'
import { computedView, type RowFunction } from '../process/operators/table-view.ts'
import { toStream } from '../process/operators/to-stream.ts'
import type { Serde } from '../serde/serde.ts'
import { checkFunction } from '../topology/options.ts'
import { GraphNode } from './graph.ts'
import {
  asksForStore,
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  type NameOption,
  tableStore,
} from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'
import type { TableParts } from './table-parts.ts'
import { ComputedRows } from './table-rows.ts'

/** The rows' changes: new values alone. */
export function addToStream<K, V>(
  { graph, node, sources, key, value }: TableParts<K, V>,
  options: NameOption | undefined,
): StreamParts<K, V> {
  checkStep('toStream', options, ['name'])
  const name = graph.nameOr(options?.name, 'KTABLE-TOSTREAM-')
  const step = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, toStream<K, V>(), { parents, preservesKey: true }),
  )
  return { graph, node: graph.add(step, node), sources, key, value, repartitionRequired: false }
}

export function addTableFilter<K, V>(
  parts: TableParts<K, V>,
  predicate: RowPredicate<K, V>,
  options: MaterializedOptions<K, V> | undefined,
): TableParts<K, V> {
  checkFunction('filter', 'the predicate', predicate)
  return filtered(parts, 'filter', rowFilter(predicate), options)
}

export function addTableFilterNot<K, V>(
  parts: TableParts<K, V>,
  predicate: RowPredicate<K, V>,
  options: MaterializedOptions<K, V> | undefined,
): TableParts<K, V> {
  checkFunction('filterNot', 'the predicate', predicate)
  return filtered(parts, 'filterNot', rowFilterNot(predicate), options)
}

export function addTableMapValues<K, V, V2>(
  parts: TableParts<K, V>,
  mapper: ValueMapper<K, V, V2 | null>,
  options: MaterializedOptions<K, V2> | undefined,
): TableParts<K, V2> {
  checkFunction('mapValues', 'the mapper', mapper)
  return computed(parts, 'mapValues', 'KTABLE-MAPVALUES-', rowMapper(mapper), options, {
    value: options?.value ?? null,
    forwardsAbsence: true,
    asksForOldValues: false,
  })
}

function filtered<K, V>(
  parts: TableParts<K, V>,
  method: string,
  compute: RowFunction<K, V, V>,
  options: MaterializedOptions<K, V> | undefined,
): TableParts<K, V> {
  return computed(parts, method, 'KTABLE-FILTER-', compute, options, {
    value: options?.value ?? parts.value,
    forwardsAbsence: false,
    asksForOldValues: true,
  })
}

/** Rows that are made from those above, one by one. */
function computed<K, V, V2>(
  parts: TableParts<K, V>,
  method: string,
  prefix: string,
  compute: RowFunction<K, V, V2>,
  options: MaterializedOptions<K, V2> | undefined,
  table: { readonly value: Serde<V2> | null; readonly asksForOldValues: boolean } & Pick<
    TableMapOptions,
    'forwardsAbsence'
  >,
): TableParts<K, V2> {
  checkStep(method, options, MATERIALIZED)
  checkStoreOptions(method, options)
  const { graph, node, sources, rows: parentRows } = parts
  const key = requireSerde(method, 'key', options?.key, parts.key)
  const value =
    options?.value === undefined ? table.value : requireSerde(method, 'value', options.value, null)
  const storeName = options?.store ?? null
  // As in Kafka Streams: a name for the store that is not made.
  if (asksForStore(options) && storeName === null) graph.newStoreName(prefix)
  const name = graph.nameOr(options?.name, prefix)
  const store =
    storeName === null
      ? null
      : tableStore(storeName, key, requireSerde(`${method} ${storeName}`, 'value', undefined, value), options)
  const rows = new ComputedRows(storeName, parentRows, (view) => computedView(view, compute), options)
  // Old values where they cost nothing: a row that is filtered out, and was before, is then not forwarded as deleted.
  if (table.asksForOldValues) rows.sendsOldValues = parentRows.enableOldValues(false)
  const supplier = tableMap(compute, {
    store: storeName,
    sendsOldValues: () => rows.sendsOldValues,
    // A version's row may have been there at another time than the latest one's.
    forwardsAbsence: table.forwardsAbsence || parentRows.isVersioned === true,
  })
  const step = new GraphNode(name, (topology, parents) => {
    if (store !== null) topology.addStateStore(store)
    const stores = store === null ? [] : [store.name]
    topology.addProcessor(name, supplier, {
      parents,
      stores,
      preservesKey: true,
      readsByKey: rows.sendsOldValues || store?.caching === true ? stores : [],
    })
  })
  graph.add(step, node)
  return { graph, node: step, sources, key, value, rows }
}
