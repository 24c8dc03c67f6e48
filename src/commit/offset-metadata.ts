import { isDeepStrictEqual } from 'node:util'

import { readInt64 } from '../serde/byte-writer.ts'
import { type ChangelogEnds, decodeChangelogEnds, encodeChangelogEnds } from './changelog-ends.ts'
import {
  decodeProcessorMetadata,
  encodeProcessorMetadata,
  type ProcessorMetadata,
} from './processor-metadata.ts'

/** What is written; lower ones are read, too. test/support/future-build.ts raises it. */
const MAGIC = 2
/** Since then there is processor metadata. */
const MAGIC_OF_PROCESSORS = 2
/** The highest that later versions may have. A text that begins with another byte is somebody else's. */
const MAGIC_MAX = 15
const none: ReadonlyMap<string, number> = new Map()
const HEADER_BYTES = 9

/**
 * What a committed source offset carries along: base64 of magic(1) = 2, the partition's time(8, big-endian), and processor metadata. Kafka
 * Streams' TopicPartitionMetadata. What follows, the ends of the task's changelogs, Kafka Streams does not read, and does not write again: they are gone once it
 * has committed.
 */
export function encodeOffsetMetadata(
  partitionTimeMs: number,
  processors: ProcessorMetadata = new Map<string, number>(),
  changelogs: ChangelogEnds = new Map<string, number>(),
): string {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = MAGIC
  header.writeBigInt64BE(BigInt(partitionTimeMs), 1)
  const ends = encodeChangelogEnds(changelogs)
  const entries = encodeProcessorMetadata(processors)
  // No entries, in so many words, where something follows.
  const own = entries.length === 0 && ends.length > 0 ? Buffer.alloc(4) : entries
  return Buffer.concat([header, own, ends]).toString('base64')
}

/**
 * The format of metadata that a later version has committed, which this one does not read; null for every other text. It must not be taken for none: what a
 * task goes on from is in it, such as the timestamps of its rows.
 */
export function newerOffsetFormat(metadata: string | undefined): number | null {
  if (metadata === undefined) return null
  const bytes = Buffer.from(metadata, 'base64')
  const [magic = 0] = bytes
  const isLater = bytes.length >= HEADER_BYTES && magic > MAGIC && magic <= MAGIC_MAX
  // Node reads any text as base64; what Weir writes comes out as it went in.
  return isLater && bytes.toString('base64') === metadata ? magic : null
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
    for (const [name, value] of decode(one).processors)
      merged.set(name, Math.max(value, merged.get(name) ?? value))
  }
  return merged
}

/**
 * Where a task's changelogs ended when it was committed last; none when its partitions do not say the same. Each of Weir's commits says it with all of them: then
 * somebody else has committed since, who does not, and whose changes of state lie beyond.
 */
export function changelogEndsOf(metadata: readonly (string | undefined)[]): ChangelogEnds {
  const [first = none, ...others] = metadata.map((one) => decode(one).changelogs)
  return others.every((other) => isDeepStrictEqual(other, first)) ? first : none
}

function decode(metadata: string | undefined): { processors: ProcessorMetadata; changelogs: ChangelogEnds } {
  const bytes = bytesOf(metadata)
  if (bytes === null || bytes[0]! < MAGIC_OF_PROCESSORS) return { processors: none, changelogs: none }
  const parts = bytes.subarray(HEADER_BYTES)
  try {
    const { metadata: processors, length } = decodeProcessorMetadata(parts)
    return { processors, changelogs: decodeChangelogEnds(parts.subarray(length)) }
  } catch {
    // Somebody else's.
    return { processors: none, changelogs: none }
  }
}

function bytesOf(metadata: string | undefined): Buffer | null {
  if (metadata === undefined || metadata === '') return null
  const bytes = Buffer.from(metadata, 'base64')
  return bytes.length < HEADER_BYTES || bytes[0]! < 1 || bytes[0]! > MAGIC ? null : bytes
}
