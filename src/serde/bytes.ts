// Not the global, which is looked up by a getter: that costs a third of the copy.
import { Buffer } from 'node:buffer'

import type { Serde } from './serde.ts'

/** What was read from last: the next value most often lies in it too, and to ask a Buffer for its memory costs as much as to copy a short value. */
let source: Buffer = Buffer.alloc(0)
let memory: ArrayBufferLike = source.buffer
let memoryOffset = source.byteOffset

/** The bytes as they are, copied out of the batch. Java's Serdes.ByteArray. */
export const bytesSerde: Serde<Buffer> = {
  name: 'bytes',
  deserialize(buffer, start, end) {
    if (buffer !== source) {
      source = buffer
      memory = buffer.buffer
      memoryOffset = buffer.byteOffset
    }
    // What Buffer.from(bytes) does, without its search for what it was given.
    const bytes = Buffer.allocUnsafe(end - start)
    bytes.set(new Uint8Array(memory, memoryOffset + start, end - start))
    return bytes
  },
  serialize(value, writer) {
    if (!(value instanceof Uint8Array))
      throw new TypeError(`a Buffer or Uint8Array is expected, not ${typeof value}`)
    writer.writeBytes(value)
  },
}
