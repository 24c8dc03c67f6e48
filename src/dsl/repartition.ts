import { filter } from '../process/operators/filter.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Partitioner } from '../topology/definition.ts'
import { checkFunction } from '../topology/options.ts'
import { TopologyError } from '../topology/topology-error.ts'
import { type DslGraph, type NodeWriter, RepartitionGraphNode } from './graph.ts'
import { checkStep, type RepartitionOptions } from './options.ts'
import { requireSerde } from './serde-state.ts'
import { type StreamParts, sourceParts } from './stream-parts.ts'

const SUFFIX = '-repartition'

export interface Repartition<K, V> {
  /** The topic's name without its suffix. */
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: as many as the writing sub-topology has tasks. */
  readonly partitions?: number
  readonly partitioner?: Partitioner<K, V>
  /** Its user has not asked for it. Default: false. */
  readonly isMergeable?: boolean
}

/**
 * A topic that brings records of the same key together: a filter and a sink above it, a source below. Kafka Streams'
 * KStreamImpl.createRepartitionedSource, names included. The node is not in the graph yet.
 */
export function repartitionNode<K, V>(graph: DslGraph, options: Repartition<K, V>): RepartitionGraphNode {
  const { name, key, value, partitions = null, partitioner, isMergeable = false } = options
  const topic = name.endsWith(SUFFIX) ? name : name + SUFFIX
  const generated = {
    sink: graph.newName('KSTREAM-SINK-'),
    filter: graph.newName('KSTREAM-FILTER-'),
    source: graph.newName('KSTREAM-SOURCE-'),
  }
  const isGenerated = /^KSTREAM.*-[0-9]{10}$/.test(name)
  const names = isGenerated
    ? generated
    : { sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` }
  const write: NodeWriter = (topology, parents) => {
    const predicate = node.dropsNullKeys ? hasKey : () => true
    topology
      .addRepartitionTopic(topic, partitions)
      .addProcessor(names.filter, filter(predicate), { parents, preservesKey: true })
      .addSink(names.sink, {
        parents: names.filter,
        topic,
        key,
        value,
        ...(partitioner !== undefined && { partitioner }),
      })
      .addSource(names.source, { topics: topic, key, value })
  }
  const node: RepartitionGraphNode = new RepartitionGraphNode(
    names.source,
    write,
    { name: topic, key: key as Serde<unknown>, value: value as Serde<unknown> },
    isMergeable,
  )
  return node
}

/** A stream after a topic that its user asked for. Checks the options. */
export function repartitioned<K, V>(
  { graph, node, ...parts }: StreamParts<K, V>,
  options: ({ readonly key?: Serde<K>; readonly value?: Serde<V> } & RepartitionOptions<K, V>) | undefined,
): StreamParts<K, V> {
  checkStep('repartition', options, ['key', 'value', 'name', 'partitions', 'partitioner'])
  const { name, partitions, partitioner } = options ?? {}
  if (partitions !== undefined && !(Number.isInteger(partitions) && partitions > 0)) {
    throw new TopologyError(`repartition: partitions is ${partitions}; allowed is a whole number from 1`)
  }
  if (partitioner !== undefined) checkFunction('repartition', 'partitioner', partitioner)
  const key = requireSerde('repartition', 'key', options?.key, parts.key)
  const value = requireSerde('repartition', 'value', options?.value, parts.value)
  const repartition = repartitionNode(graph, {
    // Other than elsewhere, Kafka Streams uses up an index only when it generates the name.
    name: name ?? graph.newName('KSTREAM-REPARTITION-'),
    key,
    value,
    ...(partitions !== undefined && { partitions }),
    ...(partitioner !== undefined && { partitioner }),
  })
  return sourceParts(graph, graph.add(repartition, node), key, value)
}

function hasKey(record: StreamRecord<unknown, unknown>): boolean {
  return record.key !== null
}
