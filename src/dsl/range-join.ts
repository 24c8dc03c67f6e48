/** Joins of a stream with ranges of rows, as nodes of the graph. */
import {
  type RangeJoin,
  type RangeJoiner,
  type RangeSelector,
  rangeJoin,
} from '../process/operators/range-join.ts'
import type { Serde } from '../serde/serde.ts'
import { checkFunction, checkName, checkSerde } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import type { JoinInput } from './join-input.ts'
import { checkStep, type NameOption } from './options.ts'
import type { StreamParts } from './stream-parts.ts'
import type { TableParts } from './table-parts.ts'

/** How a stream is joined to ranges of rows. */
export interface RangeJoinOptions<K, V, KR, P> extends NameOption {
  /** Chooses a record's rows. */
  readonly range: RangeSelector<K, V, KR, P>
  /** Writes a prefix as the rows' keys begin. Needed where `range` gives prefixes. */
  readonly prefix?: Serde<P>
}

/** Options of a join to ranges of rows, serdes included. */
export type RangeJoined<K, V, KR, P> = RangeJoinOptions<NonNullable<K>, NonNullable<V>, KR, P> & {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
}

const OPTIONS = ['range', 'prefix', 'key', 'value', 'name']

/** A join to the rows of a table, or of a store of that name. Checks the options. */
export function addRangeJoin<K, V, KR, VR, P, R>(
  input: JoinInput<K, V>,
  rows: TableParts<KR, VR> | string,
  joiner: RangeJoiner<NonNullable<K>, NonNullable<V>, never, R>,
  options: RangeJoined<K, V, KR, P>,
): StreamParts<K, R> {
  checkRangeJoin(joiner, options)
  const left = input.byKey('joinRange', options.name, options.key, options.value)
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

function checkRangeJoin<K, V, KR, P>(joiner: unknown, options: RangeJoined<K, V, KR, P>): void {
  checkFunction('joinRange', 'the joiner', joiner)
  checkStep('joinRange', (options as typeof options | undefined) ?? (null as never), OPTIONS)
  checkFunction('joinRange', 'range', options.range)
  if (options.prefix !== undefined) checkSerde('joinRange', 'prefix', options.prefix)
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
