import { partitionOfKey } from '../produce/partition-of-key.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import { isWindowedSerde, type Windowed } from '../serde/windowed.ts'
import type { Partitioner, TopicChooser } from '../topology/definition.ts'
import { checkName } from '../topology/options.ts'
import { GraphNode } from './graph.ts'
import { checkStep, type ProduceOptions } from './options.ts'
import { requireSerde } from './serde-state.ts'
import type { StreamParts } from './stream-parts.ts'

/** A topic of the user's, at the end of the stream. */
export function addSink<K, V>(
  { graph, node, ...parts }: StreamParts<K, V>,
  topic: string | TopicChooser<K, V>,
  options:
    | ({
        readonly key?: Serde<K>
        readonly value?: Serde<V>
        readonly topics?: readonly string[]
      } & ProduceOptions<K, V>)
    | undefined,
): void {
  const isChosen = typeof topic === 'function'
  if (!isChosen) checkName('to', 'the topic', topic)
  const where = isChosen ? 'to' : `to ${topic}`
  checkStep(where, options, ['key', 'value', 'partitioner', 'name', ...(isChosen ? ['topics'] : [])])
  const key = requireSerde(where, 'key', options?.key, parts.key)
  const value = requireSerde(where, 'value', options?.value, parts.value)
  const { topics } = options ?? {}
  const partitioner =
    options?.partitioner ?? (isWindowedSerde(key) ? windowedPartitioner(key.windowedKey) : undefined)
  const name = graph.nameOr(options?.name, 'KSTREAM-SINK-')
  const sink = new GraphNode(name, (topology, parents) =>
    topology.addSink(name, {
      parents,
      topic,
      key,
      value,
      ...(topics !== undefined && { topics }),
      ...(partitioner !== undefined && { partitioner }),
    }),
  )
  graph.add(sink, node)
}

/** Records of a key go to the same partition, whatever their windows; a null key to any, where Kafka Streams' WindowedStreamPartitioner throws. */
export function windowedPartitioner(key: Serde<unknown>): Partitioner<unknown, unknown> {
  const writer = new ByteWriter(256)
  return (_topic, windowed, _value, partitions) => {
    if (windowed === null) return null
    writer.reset()
    key.serialize((windowed as Windowed<unknown>).key, writer)
    return partitionOfKey(writer.buffer, writer.position, partitions)
  }
}
