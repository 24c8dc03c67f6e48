/** Tables that hold changes back, as nodes of the graph. */
import { suppressedView, tableSuppress } from '../process/operators/table-suppress.ts'
import type { TableView } from '../process/operators/table-view.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import { kindOf } from '../topology/options.ts'
import { storeDefinition } from '../topology/store-options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { GraphNode } from './graph.ts'
import { checkStep, type NameOption } from './options.ts'
import { requireSerde } from './serde-state.ts'
import { Suppressed } from './suppressed.ts'
import type { TableParts } from './table-parts.ts'
import type { TableRows } from './table-rows.ts'

export interface SuppressOptions<K> extends NameOption {
  /** Of the buffer. Default: the table's. */
  readonly key?: Serde<K>
  /** Default: true. False keeps no changelog: what waits is lost when the task stops. */
  readonly logging?: boolean
  /** Settings of the changelog topic besides Weir's own. Default: none. */
  readonly changelogConfig?: Readonly<Record<string, string>>
}

const PREFIX = 'KTABLE-SUPPRESS-'

/** Kafka Streams' KTableImpl.suppress, names included. */
export function addSuppress<K, V>(
  parent: TableParts<K, V>,
  suppressed: Suppressed<K>,
  options: (SuppressOptions<K> & { readonly value?: Serde<V> }) | undefined,
): TableParts<K, V> {
  const method = 'suppress'
  if (!(suppressed instanceof Suppressed))
    throw new TopologyError(
      `${method}: what Suppressed.untilWindowCloses or untilTimeLimit returns is expected, not ${kindOf(suppressed)}`,
    )
  checkStep(method, options, ['key', 'value', 'name', 'logging', 'changelogConfig'])
  const { graph, node: parentNode, sources, rows: parentRows } = parent
  if (parentRows.isVersioned === true)
    throw new TopologyError(
      `${method}: the table ${parentNode.name} is versioned; only changes of tables without historyRetentionMs can be held back`,
    )
  const key = requireSerde(method, 'key', options?.key, parent.key)
  const value = requireSerde(method, 'value', options?.value, parent.value)
  const { waitMs, buffer } = suppressed
  const graceMs = waitMs === null ? windowGraceMs(parentNode, '') : 0
  // Other than elsewhere, Kafka Streams uses up an index only when it generates the name.
  const given = options?.name
  const name = given ?? graph.newName(PREFIX)
  const store = given === undefined ? graph.newStoreName(PREFIX) : `${given}-store`
  const { logging = true, changelogConfig } = options ?? {}
  const definition = {
    ...storeDefinition('suppress-buffer', method, {
      name: store,
      key,
      value,
      logging,
      ...(changelogConfig !== undefined && { changelogConfig }),
    }),
    ...(!logging && { inMemory: true }),
  }
  // What the row was before is part of what waits.
  parentRows.enableOldValues(true)
  const supplier = tableSuppress<K, V>({
    name,
    store,
    waitMs: waitMs ?? graceMs,
    timeMs: waitMs === null ? (windowEnd as (key: K) => number) : (_key, timestamp) => timestamp,
    recordsMax: buffer.recordsMax,
    bytesMax: buffer.bytesMax,
    emitsEarly: buffer.whenFull === 'emit-early',
    dropsTombstones: waitMs === null,
  })
  const node = new GraphNode(name, (topology, parents) => {
    topology
      .addStateStore(definition)
      .addProcessor(name, supplier, { parents, stores: [store], preservesKey: true })
  })
  graph.add(node, parentNode)
  return { graph, node, sources, key, value, rows: new SuppressedRows(store, parentRows) }
}

function windowEnd({ window }: Windowed<unknown>): number {
  return window.end
}

/** The grace of the windowed aggregate that a table is made from. Kafka Streams' GraphGraceSearchUtil. */
function windowGraceMs(node: GraphNode, chain: string): number {
  if (node.windowGraceMs !== null) return node.windowGraceMs
  if (node.parents.size === 0)
    throw new TopologyError(
      `suppress: untilWindowCloses is for the tables of windowed aggregates; here there is none above: ${chain}`,
    )
  const longer = chain === '' ? node.name : `${node.name} -> ${chain}`
  return Math.max(...Array.from(node.parents, (parent) => windowGraceMs(parent, longer)))
}

/** A table's rows, but for those whose change waits: they are what they were. */
class SuppressedRows<K, V> implements TableRows<K, V> {
  readonly store = null
  readonly #buffer: string
  readonly #parent: TableRows<K, V>

  constructor(buffer: string, parent: TableRows<K, V>) {
    this.#buffer = buffer
    this.#parent = parent
  }

  get sendsOldValues(): boolean {
    return this.#parent.sendsOldValues
  }

  enableOldValues(force: boolean): boolean {
    return this.#parent.enableOldValues(force)
  }

  view(): TableView<K, V> {
    return suppressedView(this.#buffer, this.#parent.view())
  }
}
