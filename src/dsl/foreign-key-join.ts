/** Joins of two tables by a foreign key, as nodes of the graph. */
import {
  answerSubscriptions,
  publishRows,
  receiveSubscriptions,
} from '../process/operators/foreign-key-publisher.ts'
import {
  type ForeignKeyExtractor,
  joinResponses,
  sendSubscriptions,
} from '../process/operators/foreign-key-subscriber.ts'
import type { ValueJoiner } from '../process/operators/stream-table-join.ts'
import {
  combinedKeySerde,
  type SubscriptionResponse,
  subscriptionResponseSerde,
  subscriptionSerde,
} from '../process/operators/subscription.ts'
import { tableSource } from '../process/operators/table-source.ts'
import type { ProcessorSupplier } from '../process/processor.ts'
import type { Serde } from '../serde/serde.ts'
import { isWindowedSerde } from '../serde/windowed.ts'
import type { Partitioner, StoreDefinition } from '../topology/definition.ts'
import type { ProcessorOptions, SinkOptions, SourceOptions } from '../topology/node-options.ts'
import { checkFunction } from '../topology/options.ts'
import { stores } from '../topology/stores.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { windowedPartitioner } from '../topology/windowed-partitioner.ts'
import { type DslGraph, GraphNode } from './graph.ts'
import {
  checkStep,
  checkStoreOptions,
  MATERIALIZED,
  type MaterializedOptions,
  tableStore,
} from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { TableParts } from './table-parts.ts'
import { SourceRows } from './table-rows.ts'

/** How tables are joined by a foreign key. Kafka Streams' TableJoined besides. */
export interface ForeignKeyOptions<K, V, KO> {
  /**
   * The key of the other table's row, from (value, key); null for none: in an inner join such a row has no result, in a left join one that is joined
   * to null.
   */
  readonly foreignKey: ForeignKeyExtractor<K, V, KO>
  /** How this table's rows are divided over partitions, where not by murmur2 of the key's bytes: one partition of each key. Gets null for a value. */
  readonly partitioner?: Partitioner<K, null>
  /** The same of the other table. */
  readonly otherPartitioner?: Partitioner<KO, null>
}

/** Options of a foreign-key join, the result's store included. */
export type ForeignKeyJoined<K, V, KO, R> = ForeignKeyOptions<K, V, KO> & MaterializedOptions<K, R>

const OPTIONS = [...MATERIALIZED, 'foreignKey', 'partitioner', 'otherPartitioner']
const PREFIX = 'KTABLE-FK-JOIN-'
const REGISTRATION = `${PREFIX}SUBSCRIPTION-REGISTRATION-`
const PROCESSOR = `${PREFIX}SUBSCRIPTION-PROCESSOR-`
const SINK = 'KTABLE-SINK-'
const SOURCE = 'KTABLE-SOURCE-'
const TOPIC = '-topic'

/**
 * Each row with the other table's row that its foreign key names. Rows subscribe to foreign keys by one topic, and get the rows by another. Kafka Streams'
 * KTableImpl.doJoinOnForeignKey, names included.
 *
 * @throws TopologyError for a wrong option, or a table without a serde
 */
export function addForeignKeyJoin<K, V, KO, VO, R>(
  method: 'join' | 'leftJoin',
  left: TableParts<K, V>,
  right: TableParts<KO, VO>,
  joiner: ValueJoiner<K, V | null, VO | null, R | null>,
  options: ForeignKeyJoined<K, V, KO, R>,
): TableParts<K, R> {
  const where = `${method} with a foreign key`
  checkStep(where, options, OPTIONS)
  checkStoreOptions(where, options)
  const { foreignKey, partitioner, otherPartitioner, name } = options
  checkFunction(where, 'the joiner', joiner)
  checkFunction(where, 'foreignKey', foreignKey)
  if (partitioner !== undefined) checkFunction(where, 'partitioner', partitioner)
  if (otherPartitioner !== undefined) checkFunction(where, 'otherPartitioner', otherPartitioner)
  const { graph } = left
  const leftJoin = method === 'leftJoin'
  const { key: leftKey } = left
  const leftValue = requireValue(where, 'this table', left.value)
  const rightValue = requireValue(where, 'the other table', right.value)
  const key = requireSerde(where, 'key', options.key, left.key)
  const value = options.value === undefined ? null : requireSerde(where, 'value', options.value, null)
  right.rows.enableOldValues(true)
  left.rows.enableOldValues(true)

  const named = (suffix: string, prefix: string): string =>
    graph.nameOr(name === undefined ? undefined : name + suffix, prefix)
  const registration = named('-subscription-registration', REGISTRATION) + TOPIC
  const subscriptions = subscriptionSerde(leftKey)
  const responses = subscriptionResponseSerde(rightValue)
  graph.topology.addRepartitionTopic(registration, null)
  const { addProcessor, addSink, addSource } = nodesOf(graph)
  const rightView = right.rows.view()
  const leftView = left.rows.view()

  const send = addProcessor(
    named('-subscription-registration-processor', REGISTRATION),
    sendSubscriptions({
      foreignKey,
      foreignKeySerde: right.key,
      valueSerde: leftValue,
      leftJoin,
      isVersioned: left.rows.isVersioned === true,
    }),
    {},
    left.node,
  )
  const toForeignKey = otherPartitioner ?? partitionerOf(right.key)
  const sent = addSink(
    named('-subscription-registration-sink', SINK),
    {
      topic: registration,
      key: right.key,
      value: subscriptions,
      ...(toForeignKey !== undefined && { partitioner: byKey(where, toForeignKey) }),
    },
    send,
  )
  const registered = addSource(
    named('-subscription-registration-source', SOURCE),
    { topics: registration, key: right.key, value: subscriptions },
    sent,
  )
  graph.copartition(new Set([...right.sources, registered.name]))

  const store = stores.timestampedKeyValue({
    name: named('-subscription-store', `${PREFIX}SUBSCRIPTION-STATE-STORE-`),
    key: combinedKeySerde(right.key, leftKey),
    value: subscriptions,
  })
  const received = addProcessor(
    named('-subscription-receive', PROCESSOR),
    receiveSubscriptions(store.name),
    { store, preservesKey: true },
    registered,
  )
  const answered = addProcessor(
    named('-subscription-join-foreign', PROCESSOR),
    answerSubscriptions(rightView),
    { stores: rightView.stores, readsByKey: rightView.stores },
    received,
  )
  const published = addProcessor(
    named('-foreign-join-subscription', PROCESSOR),
    publishRows({
      store: store.name,
      foreignKeySerde: right.key,
      isVersioned: right.rows.isVersioned === true,
    }),
    { store },
    right.node,
  )

  const response = named('-subscription-response', `${PREFIX}SUBSCRIPTION-RESPONSE-`) + TOPIC
  graph.topology.addRepartitionTopic(response, null)
  const responded = addSink(
    named('-subscription-response-sink', SINK),
    {
      topic: response,
      key: leftKey,
      value: responses,
      partitioner: partitioner === undefined ? toPrimaryPartition : byKey(where, partitioner),
    },
    answered,
    published,
  )
  const returned = addSource(
    named('-subscription-response-source', SOURCE),
    { topics: response, key: leftKey, value: responses },
    responded,
  )
  const sources = new Set([...left.sources, returned.name])
  graph.copartition(sources)
  const resolved = addProcessor(
    named('-subscription-response-resolver', `${PREFIX}SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-`),
    joinResponses(leftView, leftValue, joiner, leftJoin),
    { stores: leftView.stores, preservesKey: true, readsByKey: leftView.stores },
    returned,
  )

  const resultName = named('-result', `${PREFIX}OUTPUT-`)
  const storeName = options.store ?? graph.newStoreName(`${PREFIX}OUTPUT-`)
  const rows = new SourceRows<K, R>(storeName, options.store !== undefined, options.historyRetentionMs)
  let kept: StoreDefinition | null = null
  const result = graph.add(
    new GraphNode(resultName, (topology, parents) => {
      if (rows.isMaterialized) {
        kept = tableStore(
          storeName,
          key,
          requireSerde(`${where} ${storeName}`, 'value', undefined, value),
          options,
        )
        topology.addStateStore(kept)
      }
      const supplier = tableSource<K, R>({
        store: () => (rows.isMaterialized ? storeName : null),
        sendsOldValues: () => rows.sendsOldValues,
      })
      const own = kept === null ? [] : [storeName]
      topology.addProcessor(resultName, supplier, {
        parents,
        stores: own,
        preservesKey: true,
        readsByKey: rows.sendsOldValues || kept?.caching === true ? own : [],
      })
    }),
    resolved,
  )
  return { graph, node: result, sources, key, value, rows }
}

/** Adds nodes one by one, below those that were added before. */
function nodesOf(graph: DslGraph) {
  return {
    /** @param options.store one that it adds, and uses */
    addProcessor<KIn, VIn, KOut, VOut>(
      name: string,
      supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
      {
        store,
        stores: used = [],
        ...options
      }: Omit<ProcessorOptions, 'parents'> & { store?: StoreDefinition },
      ...above: GraphNode[]
    ): GraphNode {
      const own = store === undefined ? used : [store.name, ...used]
      const node = new GraphNode(name, (topology, parents) => {
        if (store !== undefined) topology.addStateStore(store)
        topology.addProcessor(name, supplier, { ...options, parents, stores: own })
      })
      return graph.add(node, ...above)
    },
    addSink<K, V>(
      name: string,
      options: Omit<SinkOptions<K, V>, 'parents'>,
      ...above: GraphNode[]
    ): GraphNode {
      const node = new GraphNode(name, (topology, parents) => topology.addSink(name, { ...options, parents }))
      return graph.add(node, ...above)
    },
    /** Below the sink that writes its topic, so that it comes after that. */
    addSource<K, V>(name: string, options: SourceOptions<K, V>, sink: GraphNode): GraphNode {
      return graph.add(new GraphNode(name, (topology) => topology.addSource(name, options)), sink)
    },
  }
}

/** Values are hashed, or sent: their bytes must be known. */
function requireValue<T>(where: string, table: string, serde: Serde<T> | null): Serde<T> {
  if (serde !== null) return serde
  throw new TopologyError(
    `${where}: no value serde of ${table} is known here, because the values have changed: give { value } where they do`,
  )
}

function partitionerOf<KO>(key: Serde<KO>): Partitioner<KO, null> | undefined {
  return isWindowedSerde(key) ? (windowedPartitioner(key.windowedKey) as Partitioner<KO, null>) : undefined
}

/** A partitioner that sees keys alone. A row has one place. */
function byKey<K>(where: string, partitioner: Partitioner<K, null>): Partitioner<K | null, unknown> {
  return (topic, key, _value, partitions) => {
    if (key === null) return null
    const chosen = partitioner(topic, key, null, partitions)
    if (chosen === null || typeof chosen === 'number') return chosen
    if (chosen.length === 1) return chosen[0]!
    throw new RangeError(
      `${where}: a partitioner chose ${chosen.length} partitions for a record of ${topic}; it must choose one`,
    )
  }
}

function toPrimaryPartition(
  _topic: string,
  _key: unknown,
  { primaryPartition }: SubscriptionResponse<unknown>,
) {
  return primaryPartition
}
