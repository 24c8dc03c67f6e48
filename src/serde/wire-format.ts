/** How Confluent's serializers begin a record: 0x00 schemaId(4, big-endian), then the value. */
import type { ByteWriter } from './byte-writer.ts'

export const WIRE_HEADER_BYTES = 5
const MAGIC_BYTE = 0

/** @returns the schema's id. @throws RangeError for bytes of another format */
export function readSchemaId(buffer: Buffer, start: number, end: number): number {
  if (end - start < WIRE_HEADER_BYTES)
    throw new RangeError(`a magic byte and a schema id are expected, not ${end - start} bytes`)
  const magic = buffer[start]!
  if (magic !== MAGIC_BYTE)
    throw new RangeError(`it begins with the byte ${magic}, not with the magic byte 0 of a registered schema`)
  return buffer.readInt32BE(start + 1)
}

/** @returns the schema's id; -1 for bytes of another format */
export function peekSchemaId(buffer: Buffer, start: number, end: number): number {
  if (end - start < WIRE_HEADER_BYTES || buffer[start] !== MAGIC_BYTE) return -1
  return buffer.readInt32BE(start + 1)
}

export function writeSchemaId(id: number, writer: ByteWriter): void {
  writer.writeUInt8(MAGIC_BYTE)
  writer.writeInt32(id)
}
