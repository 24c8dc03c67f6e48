import { readInt64 } from '../serde/byte-writer.ts'

/** What processors keep with the committed offsets: whole numbers by name. */
export type ProcessorMetadata = ReadonlyMap<string, number>

/** Entries(4), then of each: nameLength(4) name value(8); nothing when there are none. Kafka Streams' ProcessorMetadata. */
export function encodeProcessorMetadata(metadata: ProcessorMetadata): Buffer {
  if (metadata.size === 0) return Buffer.alloc(0)
  const count = Buffer.alloc(4)
  count.writeInt32BE(metadata.size)
  const parts = [count]
  for (const [name, value] of metadata) {
    const text = Buffer.from(name)
    const entry = Buffer.alloc(4 + text.length + 8)
    entry.writeInt32BE(text.length)
    text.copy(entry, 4)
    entry.writeBigInt64BE(BigInt(value), 4 + text.length)
    parts.push(entry)
  }
  return Buffer.concat(parts)
}

/** Bytes after the last entry are not its own. @throws RangeError for bytes that are none */
export function decodeProcessorMetadata(bytes: Buffer): {
  readonly metadata: Map<string, number>
  readonly length: number
} {
  const metadata = new Map<string, number>()
  if (bytes.length === 0) return { metadata, length: 0 }
  let position = 4
  for (let left = bytes.readInt32BE(0); left > 0; left--) {
    const nameEnd = position + 4 + bytes.readInt32BE(position)
    metadata.set(bytes.toString('utf8', position + 4, nameEnd), readInt64(bytes, nameEnd))
    position = nameEnd + 8
  }
  return { metadata, length: position }
}
