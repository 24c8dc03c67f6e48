import { filter } from '../process/operators/filter.ts'
import type { StreamRecord } from '../process/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Partitioner } from '../topology/definition.ts'
import { type DslGraph, RepartitionGraphNode } from './graph.ts'

const SUFFIX = '-repartition'

export interface Repartition<K, V> {
  /** The topic's name without its suffix. */
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: as many as the writing sub-topology has tasks. */
  readonly partitions?: number
  readonly partitioner?: Partitioner<K, V>
}

/**
 * A topic that brings records of the same key together: a filter and a sink above it, a source below. Kafka Streams'
 * KStreamImpl.createRepartitionedSource, names included. The node is not in the graph yet.
 */
export function repartitionNode<K, V>(graph: DslGraph, options: Repartition<K, V>): RepartitionGraphNode {
  const { name, key, value, partitions = null, partitioner } = options
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
  const node = new RepartitionGraphNode(names.source, (topology, parents) => {
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
  })
  return node
}

function hasKey(record: StreamRecord<unknown, unknown>): boolean {
  return record.key !== null
}
