import type { ByteWriter } from '../serde/byte-writer.ts'
import type { KeyRange } from './segment-scan.ts'
import type { Segments } from './segments.ts'

/** Rows of which times to read, by the time that they are kept by; both ends included. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** The part of [from, to] that can hold rows that are seen; null when there is none. @param since the earliest time that is seen */
export function visibleTimes(
  segments: Segments,
  from: number,
  to: number,
  since = segments.visibleFromMs,
): TimeRange | null {
  const first = Math.max(0, Math.ceil(from), since)
  const last = Math.min(Math.floor(to), segments.streamTimeMs)
  return first <= last ? { from: first, to: last } : null
}

/** The rows of every key, in one range. Holds rows besides: the segments' other times. */
export function allKeysRanges(segments: Segments, { from, to }: TimeRange, writer: ByteWriter): KeyRange[] {
  writer.reset()
  writer.writeInt64(segments.segmentOf(from))
  writer.writeInt64(segments.segmentOf(to) + 1)
  const bytes = writer.copyFrom(0)
  return [{ from: bytes.subarray(0, 8), to: bytes.subarray(8) }]
}

/**
 * The rows of one key, in a range for each segment. Holds rows of longer keys besides; a row of which the key has the same length is the
 * key's own, since both ends of the range begin with it.
 */
export function oneKeyRanges(
  segments: Segments,
  { from, to }: TimeRange,
  writer: ByteWriter,
  key: Buffer,
): KeyRange[] {
  const ranges: KeyRange[] = []
  const last = segments.segmentOf(to)
  for (let segment = segments.segmentOf(from); segment <= last; segment++) {
    writer.reset()
    writer.writeInt64(segment)
    writer.writeBytes(key)
    writer.writeInt64(Math.max(from, segments.startOf(segment)))
    const fromEnd = writer.position
    writer.writeInt64(segment)
    writer.writeBytes(key)
    writer.writeInt64(Math.min(to, segments.startOf(segment + 1) - 1) + 1)
    const bytes = writer.copyFrom(0)
    ranges.push({ from: bytes.subarray(0, fromEnd), to: bytes.subarray(fromEnd) })
  }
  return ranges
}

/** The rows of a range of keys, in a range for each segment; null is unbounded. Holds rows of other keys and times besides. */
export function keyRangeRanges(
  segments: Segments,
  { from, to }: TimeRange,
  writer: ByteWriter,
  keyFrom: Buffer | null,
  keyTo: Buffer | null,
): KeyRange[] {
  if (keyFrom === null && keyTo === null) return allKeysRanges(segments, { from, to }, writer)
  const ranges: KeyRange[] = []
  const last = segments.segmentOf(to)
  for (let segment = segments.segmentOf(from); segment <= last; segment++) {
    writer.reset()
    writer.writeInt64(segment)
    if (keyFrom !== null) writer.writeBytes(keyFrom)
    const fromEnd = writer.position
    if (keyTo === null) {
      writer.writeInt64(segment + 1)
    } else {
      writer.writeInt64(segment)
      writer.writeBytes(upperBound(keyTo, Math.min(to, segments.startOf(segment + 1) - 1) + 1))
    }
    const bytes = writer.copyFrom(0)
    ranges.push({ from: bytes.subarray(0, fromEnd), to: bytes.subarray(fromEnd) })
  }
  return ranges
}

/**
 * A bound above every row of the keys up to `key` and of times below `timeEnd`. The key's own rows lie below `key timeEnd`; those of a shorter
 * key that it begins with lie below `shorter timeEnd`, which is the higher one where the longer key goes on with zeros.
 */
function upperBound(key: Buffer, timeEnd: number): Buffer {
  const time = Buffer.alloc(8)
  time.writeBigInt64BE(BigInt(timeEnd))
  let bound = Buffer.concat([key, time])
  for (let length = key.length - 1; length >= 0; length--) {
    if (key[length] !== 0) continue
    const shorter = Buffer.concat([key.subarray(0, length), time])
    if (Buffer.compare(shorter, bound) > 0) bound = shorter
  }
  return bound
}
