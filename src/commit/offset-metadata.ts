import { readInt64 } from '../serde/byte-writer.ts'
import {
  decodeProcessorMetadata,
  encodeProcessorMetadata,
  type ProcessorMetadata,
} from './processor-metadata.ts'

const MAGIC = 2
const HEADER_BYTES = 9

/**
 * What a committed source offset carries along: base64 of magic(1) = 2, the partition's time(8, big-endian), and processor metadata. Kafka
 * Streams' TopicPartitionMetadata.
 */
export function encodeOffsetMetadata(
  partitionTimeMs: number,
  processors: ProcessorMetadata = new Map<string, number>(),
): string {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = MAGIC
  header.writeBigInt64BE(BigInt(partitionTimeMs), 1)
  return Buffer.concat([header, encodeProcessorMetadata(processors)]).toString('base64')
}

/** @returns the partition's time, ms; -1 when the metadata is absent or not Kafka Streams' */
export function decodeOffsetMetadata(metadata: string | undefined): number {
  const bytes = bytesOf(metadata)
  return bytes === null ? -1 : readInt64(bytes, 1)
}

/** What the processors of a task had committed: of several partitions', the highest values. */
export function processorMetadataOf(metadata: Iterable<string | undefined>): Map<string, number> {
  const merged = new Map<string, number>()
  for (const one of metadata) {
    for (const [name, value] of processorMetadata(one))
      merged.set(name, Math.max(value, merged.get(name) ?? value))
  }
  return merged
}

function processorMetadata(metadata: string | undefined): ProcessorMetadata {
  const bytes = bytesOf(metadata)
  if (bytes === null || bytes[0] !== MAGIC) return new Map()
  try {
    return decodeProcessorMetadata(bytes.subarray(HEADER_BYTES))
  } catch {
    // Somebody else's.
    return new Map()
  }
}

function bytesOf(metadata: string | undefined): Buffer | null {
  if (metadata === undefined || metadata === '') return null
  const bytes = Buffer.from(metadata, 'base64')
  return bytes.length < HEADER_BYTES || (bytes[0] !== 1 && bytes[0] !== MAGIC) ? null : bytes
}
