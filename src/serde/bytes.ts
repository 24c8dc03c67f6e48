// Not the global, which is looked up by a getter: that costs a third of the copy.
import { Buffer } from 'node:buffer'

import type { Serde } from './serde.ts'

/** The bytes as they are, copied out of the batch. Java's Serdes.ByteArray. */
export const bytesSerde: Serde<Buffer> = {
  name: 'bytes',
  deserialize(buffer, start, end) {
    // What Buffer.from(bytes) does, without its search for what it was given.
    const bytes = Buffer.allocUnsafe(end - start)
    bytes.set(buffer.subarray(start, end))
    return bytes
  },
  serialize(value, writer) {
    if (!(value instanceof Uint8Array))
      throw new TypeError(`a Buffer or Uint8Array is expected, not ${typeof value}`)
    writer.writeBytes(value)
  },
}
