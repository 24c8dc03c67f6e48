/** Tables that every task has in full, and joins to them, as nodes of the graph. */
import type { KeySelector } from '../process/operators/map.ts'
import { streamGlobalTableJoin } from '../process/operators/stream-global-table-join.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import { tableSource } from '../process/operators/table-source.ts'
import { storeView, type TableView } from '../process/operators/table-view.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { checkFunction } from '../topology/options.ts'
import { type DslGraph, GraphNode } from './graph.ts'
import {
  type ConsumedOptions,
  checkStep,
  checkStoreOptions,
  type NameOption,
  type StoreOptions,
  tableStore,
} from './options.ts'
import type { StreamParts } from './stream-parts.ts'

/** The topic is what the rows are restored from. */
type GlobalStoreRows = Omit<StoreOptions, 'logging' | 'changelogConfig' | 'caching'>

export interface GlobalTableOptions<K, V>
  extends Omit<ConsumedOptions<K, V>, 'offsetReset'>,
    GlobalStoreRows {}

/** How a global store's topic is read. */
export type GlobalStoreConsumed<K, V> = Omit<ConsumedOptions<K, V>, 'offsetReset'>

export interface GlobalTableParts<K, V> {
  /** The store that holds it. */
  readonly store: string
  readonly view: TableView<K, V>
}

/** A topic as a table that every task has in full, whatever its partitions: for joins by a key of any kind. Kafka Streams' GlobalKTable. */
export class GlobalTable<K, V> {
  /** @internal */
  readonly parts: GlobalTableParts<K, V>

  /** @internal */
  constructor(parts: GlobalTableParts<K, V>) {
    this.parts = parts
  }

  /** The store's name: every processor can read it, without naming it. */
  get store(): string {
    return this.parts.store
  }
}

/** How a stream is joined to a global table. */
export interface GlobalJoinOptions<K, V, GK> extends NameOption {
  /** The key of the table's row that a record is joined to; null for none. */
  readonly keySelector: KeySelector<K, V, GK | null | undefined>
}

export const GLOBAL_CONSUMED = ['key', 'value', 'name', 'timestampExtractor']
const GLOBAL_TABLE = [...GLOBAL_CONSUMED, 'store', 'inMemory', 'rocksdb']

/** Kafka Streams' InternalStreamsBuilder.globalTable, names included. */
export function addGlobalTable<K, V>(
  graph: DslGraph,
  topic: string,
  options: GlobalTableOptions<K, V>,
): GlobalTable<NonNullable<K>, NonNullable<V>> {
  const where = `globalTable ${topic}`
  checkStep(where, (options as typeof options | undefined) ?? (null as never), GLOBAL_TABLE)
  checkStoreOptions(where, options)
  const name = options.store ?? graph.newStoreName(`${topic}-`)
  // Rows have neither a null key nor a null value.
  const key = options.key as Serde<NonNullable<K>>
  const value = options.value as Serde<NonNullable<V>>
  const store = tableStore(name, key, value, { ...options, logging: false })
  const supplier = tableSource<K, V>({ store: () => name, sendsOldValues: () => false })
  addGlobalStore(graph, where, store, topic, options, supplier as ProcessorSupplier)
  return new GlobalTable({ store: name, view: storeView(name) })
}

/** Kafka Streams' InternalStreamsBuilder.addGlobalStore, names included. REQUIRES checked options */
export function addGlobalStore<K, V>(
  graph: DslGraph,
  where: string,
  store: StoreDefinition,
  topic: string,
  { key, value, timestampExtractor, name }: GlobalStoreConsumed<K, V>,
  supplier: ProcessorSupplier,
): void {
  checkFunction(where, 'the supplier', supplier)
  const source = graph.nameOr(name === undefined ? undefined : `${name}-source`, 'KSTREAM-SOURCE-')
  const processor = graph.nameOr(name, 'KTABLE-SOURCE-')
  graph.add(
    new GraphNode(processor, (topology) =>
      topology.addGlobalStore(store, supplier, {
        topic,
        key,
        value,
        source,
        processor,
        ...(timestampExtractor !== undefined && { timestampExtractor }),
      }),
    ),
  )
}

/** A join to the row that each record chooses: nothing is repartitioned. Checks the options. */
export function addGlobalTableJoin<K, V, GK, VR, R>(
  method: 'join' | 'leftJoin',
  stream: StreamParts<K, V>,
  { parts }: GlobalTable<GK, VR>,
  joiner: ValueJoiner<K, NonNullable<V>, VR | null, R>,
  options: GlobalJoinOptions<K, NonNullable<V>, GK>,
): StreamParts<K, R> {
  const where = `${method} with a global table`
  checkStep(where, (options as typeof options | undefined) ?? (null as never), ['keySelector', 'name'])
  checkFunction(where, 'the joiner', joiner)
  checkFunction(where, 'keySelector', options.keySelector)
  const { graph, node } = stream
  const leftJoin = method === 'leftJoin'
  // As in Kafka Streams, whichever of the two it is.
  const name = graph.nameOr(options.name, 'KSTREAM-LEFTJOIN-')
  const supplier = streamGlobalTableJoin(parts.view, options.keySelector, joiner, leftJoin)
  const join = new GraphNode(name, (topology, parents) =>
    topology.addProcessor(name, supplier, { parents, preservesKey: true }),
  )
  join.relaxesNullKeys = leftJoin
  graph.add(join, node)
  return { ...stream, node: join, value: null }
}
