import type { Serde } from './serde.ts'

/** The bytes as they are, copied out of the batch. Java's Serdes.ByteArray. */
export const bytesSerde: Serde<Buffer> = {
  name: 'bytes',
  deserialize(buffer, start, end) {
    return Buffer.from(buffer.subarray(start, end))
  },
  serialize(value, writer) {
    if (!(value instanceof Uint8Array))
      throw new TypeError(`a Buffer or Uint8Array is expected, not ${typeof value}`)
    writer.writeBytes(value)
  },
}
