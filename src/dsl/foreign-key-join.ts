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
import type { Serde } from '../serde/serde.ts'
import { isWindowedSerde } from '../serde/windowed.ts'
import type { Partitioner, StoreDefinition } from '../topology/definition.ts'
import { checkFunction } from '../topology/options.ts'
import { stores } from '../topology/stores.ts'
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
import { windowedPartitioner } from './stream-steps.ts'
import type { TableParts } from './table.ts'
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

  const sendName = named('-subscription-registration-processor', REGISTRATION)
  const sender = sendSubscriptions({
    foreignKey,
    foreignKeySerde: right.key,
    valueSerde: leftValue,
    leftJoin,
    isVersioned: left.rows.isVersioned === true,
  })
  const send = graph.add(
    new GraphNode(sendName, (topology, parents) => topology.addProcessor(sendName, sender, { parents })),
    left.node,
  )
  const registrationSink = named('-subscription-registration-sink', SINK)
  const toForeignKey = otherPartitioner ?? partitionerOf(right.key)
  const sink = graph.add(
    new GraphNode(registrationSink, (topology, parents) =>
      topology.addSink(registrationSink, {
        parents,
        topic: registration,
        key: right.key,
        value: subscriptions,
        ...(toForeignKey !== undefined && { partitioner: byKey(where, toForeignKey) }),
      }),
    ),
    send,
  )
  const registrationSource = named('-subscription-registration-source', SOURCE)
  const source = graph.add(
    new GraphNode(registrationSource, (topology) =>
      topology.addSource(registrationSource, { topics: registration, key: right.key, value: subscriptions }),
    ),
    sink,
  )
  graph.copartition(new Set([...right.sources, registrationSource]))

  const store = stores.timestampedKeyValue({
    name: named('-subscription-store', `${PREFIX}SUBSCRIPTION-STATE-STORE-`),
    key: combinedKeySerde(right.key, leftKey),
    value: subscriptions,
  })
  const receiveName = named('-subscription-receive', PROCESSOR)
  const receive = graph.add(
    new GraphNode(receiveName, (topology, parents) =>
      topology.addStateStore(store).addProcessor(receiveName, receiveSubscriptions(store.name), {
        parents,
        stores: [store.name],
        preservesKey: true,
      }),
    ),
    source,
  )
  const rightView = right.rows.view()
  const answerName = named('-subscription-join-foreign', PROCESSOR)
  const answer = graph.add(
    new GraphNode(answerName, (topology, parents) =>
      topology.addProcessor(answerName, answerSubscriptions(rightView), {
        parents,
        stores: rightView.stores,
        readsByKey: rightView.stores,
      }),
    ),
    receive,
  )
  const publishName = named('-foreign-join-subscription', PROCESSOR)
  const publisher = publishRows({
    store: store.name,
    foreignKeySerde: right.key,
    isVersioned: right.rows.isVersioned === true,
  })
  const publish = graph.add(
    new GraphNode(publishName, (topology, parents) =>
      topology.addStateStore(store).addProcessor(publishName, publisher, { parents, stores: [store.name] }),
    ),
    right.node,
  )

  const response = named('-subscription-response', `${PREFIX}SUBSCRIPTION-RESPONSE-`) + TOPIC
  graph.topology.addRepartitionTopic(response, null)
  const responseSink = named('-subscription-response-sink', SINK)
  const answered = graph.add(
    new GraphNode(responseSink, (topology, parents) =>
      topology.addSink(responseSink, {
        parents,
        topic: response,
        key: leftKey,
        value: responses,
        partitioner: partitioner === undefined ? primaryPartition : byKey(where, partitioner),
      }),
    ),
    answer,
    publish,
  )
  const responseSource = named('-subscription-response-source', SOURCE)
  const responded = graph.add(
    new GraphNode(responseSource, (topology) =>
      topology.addSource(responseSource, { topics: response, key: leftKey, value: responses }),
    ),
    answered,
  )
  const sources = new Set([...left.sources, responseSource])
  graph.copartition(sources)
  const leftView = left.rows.view()
  const resolveName = named(
    '-subscription-response-resolver',
    `${PREFIX}SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-`,
  )
  const resolve = graph.add(
    new GraphNode(resolveName, (topology, parents) =>
      topology.addProcessor(resolveName, joinResponses(leftView, leftValue, joiner, leftJoin), {
        parents,
        stores: leftView.stores,
        preservesKey: true,
        readsByKey: leftView.stores,
      }),
    ),
    responded,
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
    resolve,
  )
  return { graph, node: result, sources, key, value, rows }
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

function primaryPartition(
  _topic: string,
  _key: unknown,
  { primaryPartition }: SubscriptionResponse<unknown>,
) {
  return primaryPartition
}
