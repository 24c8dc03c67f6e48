/** Tables made with state, as nodes of the graph. */
import {
  tableTransform,
  transformedView,
  type ValueTransformer,
  type ValueTransformerSupplier,
} from '../process/operators/table-transform.ts'
import { checkFunction, checkNames, kindOf } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import {
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  tableStore,
} from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { TableParts } from './table-parts.ts'
import { ComputedRows } from './table-rows.ts'

export interface TransformerOptions {
  /** Names of the stores that the transformer uses, which were added by addStateStore. Default: none. */
  readonly stores?: readonly string[]
}

/** Kafka Streams' KTableImpl.doTransformValues, names included. */
export function addTableTransform<K, V, V2>(
  parent: TableParts<K, V>,
  supplier: ValueTransformerSupplier<K, V, V2>,
  options: (MaterializedOptions<K, V2> & TransformerOptions) | undefined,
): TableParts<K, V2> {
  const method = 'transformValues'
  checkFunction(method, 'the supplier', supplier)
  checkStep(method, options, [...MATERIALIZED, 'stores'])
  checkStoreOptions(method, options)
  const { stores: used = [] } = options ?? {}
  checkNames(method, 'stores', used)
  const { graph, node: parentNode, sources } = parent
  const key = requireSerde(method, 'key', options?.key, parent.key)
  const value = options?.value === undefined ? null : requireSerde(method, 'value', options.value, null)
  const name = graph.nameOr(options?.name, 'KTABLE-TRANSFORMVALUES-')
  checkTransformers(name, supplier)
  const storeName = options?.store ?? null
  const store =
    storeName === null
      ? null
      : tableStore(storeName, key, requireSerde(`${method} ${storeName}`, 'value', undefined, value), options)
  const rows = new ComputedRows(
    storeName,
    parent.rows,
    (view) => transformedView(view, supplier, used),
    options,
  )
  const operator = tableTransform(supplier, { store: storeName, sendsOldValues: () => rows.sendsOldValues })
  const node = new GraphNode(name, (topology, parents) => {
    if (store !== null) topology.addStateStore(store)
    const own = store === null ? [] : [store.name]
    topology.addProcessor(name, operator, {
      parents,
      stores: [...own, ...used],
      preservesKey: true,
      readsByKey: rows.sendsOldValues || store?.caching === true ? own : [],
    })
  })
  graph.add(node, parentNode)
  return { graph, node, sources, key, value, rows }
}

function checkTransformers<K, V, V2>(name: string, supplier: ValueTransformerSupplier<K, V, V2>): void {
  const first = supplier() as Partial<ValueTransformer<K, V, V2>> | null | undefined
  if (typeof first?.transform !== 'function')
    throw new TopologyError(
      `${name}: the supplier must return an object with transform(value, key), not ${kindOf(first)}`,
    )
  if (supplier() === first)
    throw new TopologyError(
      `${name}: the supplier returned the same transformer twice; it must make a new one at each call`,
    )
}
