/** Changes that wait in a suppression's buffer, as they stand on disk and in its changelog. */
import {
  PartReader,
  type RecordOrigin,
  readRecordOrigin,
  writeRecordOrigin,
} from '../process/record-origin.ts'
import type { ByteWriter } from '../serde/byte-writer.ts'

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
  writeRecordOrigin(origin, writer)
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
  const parts = new PartReader(buffer, start, end)
  const origin = readRecordOrigin(parts)
  const text = (length: number): ByteText | null => {
    if (length === NULL_LENGTH) return null
    const from = parts.take(length)
    return buffer.latin1Slice(from, from + length)
  }
  const prior = text(parts.int32())
  const oldLength = parts.int32()
  const oldValue = oldLength === SAME_AS_PRIOR ? prior : text(oldLength)
  const newValue = text(parts.int32())
  const timeMs = parts.int64()
  parts.done()
  return { change: { prior, oldValue, newValue, origin }, timeMs }
}
