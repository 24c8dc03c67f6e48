/** Joins of two tables, as nodes of the graph. */
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import {
  type JoinKind,
  rowJoiner,
  tableJoinMerge,
  tableJoinSide,
} from '../process/operators/table-table-join.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { checkFunction } from '../topology/options.ts'
import { GraphNode } from './graph.ts'
import {
  asksForStore,
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  tableStore,
} from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { TableParts } from './table-parts.ts'
import { JoinedRows } from './table-rows.ts'

const MERGE = 'KTABLE-MERGE-'

export const TABLE_JOINS = {
  join: { leftRequired: true, rightRequired: true },
  leftJoin: { leftRequired: true, rightRequired: false },
  outerJoin: { leftRequired: false, rightRequired: false },
} as const satisfies Record<string, JoinKind>

/**
 * Two tables' rows of the same key, joined. Three nodes: a side for each table, which reads the other one, and where they meet. Kafka Streams'
 * KTableImpl.doJoin, names included.
 *
 * @throws TopologyError for a wrong option, or a store without a serde
 */
export function addTableTableJoin<K, V1, V2, R>(
  method: keyof typeof TABLE_JOINS,
  left: TableParts<K, V1>,
  right: TableParts<K, V2>,
  joiner: ValueJoiner<K, V1 | null, V2 | null, R | null>,
  options: MaterializedOptions<K, R> | undefined,
): TableParts<K, R> {
  checkFunction(method, 'the joiner', joiner)
  checkStep(method, options, MATERIALIZED)
  checkStoreOptions(method, options)
  const kind = TABLE_JOINS[method]
  const { graph } = left
  const key = requireSerde(method, 'key', options?.key, left.key)
  const value = options?.value === undefined ? null : requireSerde(method, 'value', options.value, null)
  let store: StoreDefinition | null = null
  // Other than a filter's, a join's rows are kept when anything is said about a store.
  if (asksForStore(options)) {
    const name = options?.store ?? graph.newStoreName(MERGE)
    store = tableStore(name, key, requireSerde(`${method} ${name}`, 'value', undefined, value), options)
  }
  const stores = store === null ? [] : [store.name]
  const names = {
    merge: graph.nameOr(options?.name, MERGE),
    left: graph.nameOr(suffixed(options?.name, '-join-this'), 'KTABLE-JOINTHIS-'),
    right: graph.nameOr(suffixed(options?.name, '-join-other'), 'KTABLE-JOINOTHER-'),
  }
  const sources = new Set([...left.sources, ...right.sources])
  graph.copartition(sources)
  // Without the row that was there a deletion could not be told from a row that never was.
  if (!kind.rightRequired) left.rows.enableOldValues(true)
  if (!kind.leftRequired) right.rows.enableOldValues(true)
  const join = rowJoiner(joiner, kind)
  const rows = new JoinedRows(
    store?.name ?? null,
    left.rows,
    right.rows,
    join,
    store?.versions?.historyRetentionMs,
  )
  const sendsOldValues = (): boolean => rows.sendsOldValues
  const leftView = left.rows.view()
  const rightView = right.rows.view()
  const node = new GraphNode(names.merge, (topology) => {
    if (store !== null) topology.addStateStore(store)
    topology
      .addProcessor(
        names.left,
        tableJoinSide(rightView, join, {
          otherRequired: kind.rightRequired,
          isVersioned: left.rows.isVersioned === true,
          sendsOldValues,
        }),
        {
          parents: left.node.name,
          stores: rightView.stores,
          preservesKey: true,
          readsByKey: rightView.stores,
        },
      )
      .addProcessor(
        names.right,
        tableJoinSide<K, V2, V1, R>(leftView, (other, first, key) => join(first, other, key), {
          otherRequired: kind.leftRequired,
          isVersioned: right.rows.isVersioned === true,
          sendsOldValues,
        }),
        {
          parents: right.node.name,
          stores: leftView.stores,
          preservesKey: true,
          readsByKey: leftView.stores,
        },
      )
      .addProcessor(names.merge, tableJoinMerge(store?.name ?? null, sendsOldValues), {
        parents: [names.left, names.right],
        stores,
        preservesKey: true,
        readsByKey: store?.caching === true ? stores : [],
      })
  })
  graph.add(node, left.node, right.node)
  return { graph, node, sources, key, value, rows }
}

function suffixed(name: string | undefined, suffix: string): string | undefined {
  return name === undefined ? undefined : name + suffix
}
