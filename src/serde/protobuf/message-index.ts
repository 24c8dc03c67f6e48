/**
 * Which message of a .proto file a record has, as Confluent's serializers say it between the schema's id and the message: the index of the message among
 * those of the file, then among those nested in it, and so on.
 *
 *     count(zigzag varint) index(zigzag varint) ...     or, for the first message of the file, a single 0
 */
import type { ByteWriter } from '../byte-writer.ts'

/** Messages within messages. */
const DEPTH_MAX = 32
/** A zigzag varint of 32 bits. */
const VARINT_BYTES_MAX = 5

export interface IndexedMessage {
  readonly indexes: readonly number[]
  /** Where the message begins. */
  readonly start: number
}

const FIRST = [0] as const

/** @throws RangeError for bytes that are no such list */
export function readMessageIndexes(buffer: Buffer, start: number, end: number): IndexedMessage {
  if (start < end && buffer[start] === 0) return { indexes: FIRST, start: start + 1 }
  let at = start
  const next = (): number => {
    let zigzag = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= end) throw new RangeError('the bytes end in the indexes of the message')
      if (shift >= VARINT_BYTES_MAX * 7) throw new RangeError('the indexes of the message are none')
      const byte = buffer[at++]!
      zigzag += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }
  const count = next()
  if (count < 1 || count > DEPTH_MAX) throw new RangeError(`${count} indexes of a message`)
  const indexes = Array.from({ length: count }, next)
  return { indexes, start: at }
}

export function writeMessageIndexes(indexes: readonly number[], writer: ByteWriter): void {
  if (indexes.length === 1 && indexes[0] === 0) {
    writer.writeUInt8(0)
    return
  }
  for (const value of [indexes.length, ...indexes]) {
    let zigzag = value * 2
    while (zigzag > 0x7f) {
      writer.writeUInt8((zigzag & 0x7f) | 0x80)
      zigzag >>>= 7
    }
    writer.writeUInt8(zigzag)
  }
}
