/** Joins of a stream with ranges of rows, as nodes of the graph. */
import {
  type RangeJoin,
  type RangeJoiner,
  type RangeRows,
  type RangeSelector,
  rangeJoin,
} from '../process/operators/range-join.ts'
import type { Serde } from '../serde/serde.ts'
import { checkFunction, checkName, checkSerde } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import { checkStep, type NameOption } from './options.ts'
import type { StreamParts } from './stream-parts.ts'
import type { TableParts } from './table.ts'

/** How a stream is joined to ranges of rows. */
export interface RangeJoinOptions<K, V, KR, P> extends NameOption {
  /** Chooses a record's rows. */
  readonly range: RangeSelector<K, V, KR, P>
  /** Writes a prefix as the rows' keys begin. Needed where `range` gives prefixes. */
  readonly prefix?: Serde<P>
}

const OPTIONS = ['range', 'prefix', 'key', 'value', 'name']

export function checkRangeJoin<K, V, KR, P>(joiner: unknown, options: RangeJoinOptions<K, V, KR, P>): void {
  checkFunction('joinRange', 'the joiner', joiner)
  checkStep('joinRange', (options as typeof options | undefined) ?? (null as never), OPTIONS)
  checkFunction('joinRange', 'range', options.range)
  if (options.prefix !== undefined) checkSerde('joinRange', 'prefix', options.prefix)
}

/** REQUIRES what `checkRangeJoin` checks, and a stream whose keys are where the rows are. */
export function addRangeJoin<K, V, KR, VR, P, R>(
  left: StreamParts<K, V>,
  rows: TableParts<KR, VR> | string,
  joiner: RangeJoiner<NonNullable<K>, NonNullable<V>, RangeRows<KR, VR, never>, R>,
  options: RangeJoinOptions<NonNullable<K>, NonNullable<V>, KR, P>,
): StreamParts<K, R> {
  const { graph } = left
  const isTable = typeof rows !== 'string'
  const sources = new Set(isTable ? [...left.sources, ...rows.sources] : left.sources)
  if (isTable) graph.copartition(sources)
  const store = isTable ? storeOf(rows) : rows
  if (!isTable) checkName('joinRange', 'the store', store)
  const name = graph.nameOr(options.name, 'KSTREAM-JOINRANGE-')
  const join = {
    store,
    isTable,
    range: options.range,
    prefix: (options.prefix as Serde<unknown> | undefined) ?? null,
    joiner,
  } as unknown as RangeJoin<K, V, KR, VR, R>
  const node = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, rangeJoin(join), { parents, stores: [store], preservesKey: true }),
  )
  graph.add(node, left.node)
  return { graph, node, sources, key: left.key, value: null, repartitionRequired: false }
}

/** A table's own store: rows that are computed when they are asked for cannot be scanned. */
function storeOf<K, V>(table: TableParts<K, V>): string {
  const { store } = table.rows
  if (store === null || table.rows.isVersioned === true)
    throw new TopologyError(
      `joinRange: the rows of ${table.node.name} are kept in no key-value store: give that step a { store }`,
    )
  // Makes the store of a table that has had no need of one.
  table.rows.view()
  return store
}
