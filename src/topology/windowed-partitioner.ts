import { partitionOfKey } from '../produce/partition-of-key.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { Partitioner } from './definition.ts'

/** The serdes of the keys that partitioners go by, where they are bound with their topic. */
const keys = new WeakMap<Partitioner, Serde<unknown>>()

/** Records of a key go to the same partition, whatever their windows; a null key to any, where Kafka Streams' WindowedStreamPartitioner throws. */
export function windowedPartitioner(key: Serde<unknown>): Partitioner<unknown, unknown> {
  const writer = new ByteWriter(256)
  const partitioner: Partitioner = (_topic, windowed, _value, partitions) => {
    if (windowed === null) return null
    writer.reset()
    key.serialize((windowed as Windowed<unknown>).key, writer)
    return partitionOfKey(writer.buffer, writer.position, partitions)
  }
  keys.set(partitioner, key)
  return partitioner
}

/** The partitioner that goes by the bytes that the topic's keys have: itself unless it is one of these. */
export function boundPartitioner(
  partitioner: Partitioner,
  bind: (key: Serde<unknown>) => Serde<unknown>,
): Partitioner {
  const key = keys.get(partitioner)
  return key === undefined ? partitioner : windowedPartitioner(bind(key))
}
