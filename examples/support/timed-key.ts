import type { ByteWriter, Serde } from '../../src/index.ts'

/** A row of one owner at one time; `id` tells rows of the same time apart. */
export interface TimedKey {
  readonly owner: string
  /** Ms since 1970. */
  readonly timeMs: number
  readonly id: string
}

/**
 * owner (UTF-8), 0x00, time (8 bytes, big-endian), id (UTF-8).
 *
 * A store keeps its rows in the order of these bytes: an owner's rows lie together, the oldest first, because
 * big-endian numbers from 0 sort as bytes do. So `timeRange` is one contiguous run of rows, and reading it
 * costs what it returns.
 */
export const timedKey: Serde<TimedKey> = {
  name: 'timed-key',

  serialize({ owner, timeMs, id }: TimedKey, writer: ByteWriter): void {
    if (owner.includes('\0')) throw new TypeError(`owner ${JSON.stringify(owner)} holds the separator U+0000`)
    if (!Number.isSafeInteger(timeMs) || timeMs < 0)
      throw new TypeError(`timeMs is ${timeMs}; allowed is a whole number from 0`)
    writer.writeUtf8(owner)
    writer.writeUInt8(0)
    writer.writeInt64(timeMs)
    writer.writeUtf8(id)
  },

  deserialize(buffer: Buffer, start: number, end: number): TimedKey {
    const separator = buffer.indexOf(0, start)
    if (separator < 0 || separator + 9 > end)
      throw new RangeError(`${end - start} bytes are no owner, 0x00, 8 bytes of time and id`)
    return {
      owner: buffer.toString('utf8', start, separator),
      timeMs: Number(buffer.readBigInt64BE(separator + 1)),
      id: buffer.toString('utf8', separator + 9, end),
    }
  },
}

/** Sorts after every id: no text begins with a greater character. */
const lastId = '\u{10ffff}'

/** The two ends, both included, of an owner's rows from `fromMs` to `toMs`. */
export function timeRange(owner: string, fromMs: number, toMs: number): [TimedKey, TimedKey] {
  return [
    { owner, timeMs: Math.max(0, fromMs), id: '' },
    { owner, timeMs: toMs, id: lastId },
  ]
}
