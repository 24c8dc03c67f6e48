import { readInt64 } from '../serde/byte-writer.ts'

const MAGIC = 2

/**
 * What a committed source offset carries along: base64 of magic(1) = 2, the partition's time(8, big-endian), and processor metadata,
 * of which Weir writes none. Kafka Streams' TopicPartitionMetadata.
 */
export function encodeOffsetMetadata(partitionTimeMs: number): string {
  const bytes = Buffer.alloc(9)
  bytes[0] = MAGIC
  bytes.writeBigInt64BE(BigInt(partitionTimeMs), 1)
  return bytes.toString('base64')
}

/** @returns the partition's time, ms; -1 when the metadata is absent or not Kafka Streams' */
export function decodeOffsetMetadata(metadata: string | undefined): number {
  if (metadata === undefined || metadata === '') return -1
  const bytes = Buffer.from(metadata, 'base64')
  if (bytes.length < 9 || (bytes[0] !== 1 && bytes[0] !== MAGIC)) return -1
  return readInt64(bytes, 1)
}
