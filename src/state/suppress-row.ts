/** Changes that wait in a suppression's buffer, as they stand on disk and in its changelog. */
import { Headers } from '../process/headers.ts'
import type { RecordOrigin } from '../process/task-clock.ts'
import { type ByteWriter, readInt64 } from '../serde/byte-writer.ts'

/** What a changelog record's header `v` says of its value. Kafka Streams writes it since 2.6. */
export const SUPPRESS_CHANGELOG_VERSION = 3

const NULL_LENGTH = -1
/** The old value is the prior one. */
const SAME_AS_PRIOR = -2

/** A serialised value, one character for each byte: smaller than a Buffer of its own, and compared at once. */
export type ByteText = string

/** A change that waits. Kafka Streams' BufferValue. */
export interface SuppressedChange {
  /** What those below have seen last: the old value of the first change since then. */
  prior: ByteText | null
  oldValue: ByteText | null
  newValue: ByteText | null
  /** Of the record that has changed it last. */
  origin: RecordOrigin
}

/** context, prior, old, new, time(8). Kafka Streams' BufferValue.serialize and ProcessorRecordContext.serialize. */
export function writeSuppressedChange(change: SuppressedChange, timeMs: number, writer: ByteWriter): void {
  const { prior, oldValue, newValue, origin } = change
  writer.writeInt64(origin.timestamp)
  writer.writeInt64(origin.offset)
  const topic = Buffer.from(origin.topic)
  writer.writeInt32(topic.length)
  writer.writeBytes(topic)
  writer.writeInt32(origin.partition)
  origin.headers.encode(writer)
  writeValue(prior, writer)
  if (oldValue !== null && oldValue === prior) writer.writeInt32(SAME_AS_PRIOR)
  else writeValue(oldValue, writer)
  writeValue(newValue, writer)
  writer.writeInt64(timeMs)
}

function writeValue(value: ByteText | null, writer: ByteWriter): void {
  writer.writeInt32(value === null ? NULL_LENGTH : value.length)
  if (value !== null) writer.writeLatin1(value)
}

/**
 * @returns the change, and the time by which it is ordered, ms
 * @throws RangeError for bytes that are something else
 */
export function readSuppressedChange(
  buffer: Buffer,
  start: number,
  end: number,
): { readonly change: SuppressedChange; readonly timeMs: number } {
  let at = start
  const take = (bytes: number): number => {
    const from = at
    if (bytes < 0 || bytes > end - at)
      throw new RangeError(`a buffered change ends after ${end - start} bytes, in the middle of a part`)
    at += bytes
    return from
  }
  const timestamp = readInt64(buffer, take(8))
  const offset = readInt64(buffer, take(8))
  const topicLength = buffer.readInt32BE(take(4))
  const topicStart = take(topicLength)
  const topic = buffer.utf8Slice(topicStart, topicStart + topicLength)
  const partition = buffer.readInt32BE(take(4))
  const headers = readHeaders(buffer, take)
  const text = (length: number): ByteText | null => {
    if (length === NULL_LENGTH) return null
    const from = take(length)
    return buffer.latin1Slice(from, from + length)
  }
  const prior = text(buffer.readInt32BE(take(4)))
  const oldLength = buffer.readInt32BE(take(4))
  const oldValue = oldLength === SAME_AS_PRIOR ? prior : text(oldLength)
  const newValue = text(buffer.readInt32BE(take(4)))
  const timeMs = readInt64(buffer, take(8))
  if (at !== end) throw new RangeError(`a buffered change ends ${end - at} bytes before its row`)
  return {
    change: { prior, oldValue, newValue, origin: { topic, partition, offset, timestamp, headers } },
    timeMs,
  }
}

/** None for a count of -1, as old versions wrote it. */
function readHeaders(buffer: Buffer, take: (bytes: number) => number): Headers {
  const start = take(4)
  const count = buffer.readInt32BE(start)
  if (count <= 0) return Headers.empty
  for (let index = 0; index < count; index++) {
    take(buffer.readInt32BE(take(4)))
    take(Math.max(0, buffer.readInt32BE(take(4))))
  }
  return Headers.decode(buffer, start)
}
