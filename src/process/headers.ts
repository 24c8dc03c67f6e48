import type { ByteWriter } from '../serde/byte-writer.ts'

export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** A record's headers: an immutable list in which a key may occur several times. Kafka's org.apache.kafka.common.header.Headers. */
export class Headers {
  static readonly empty = new Headers([])

  readonly #entries: readonly Header[]

  constructor(entries: readonly Header[]) {
    this.#entries = entries
  }

  get length(): number {
    return this.#entries.length
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.#entries[Symbol.iterator]()
  }

  /** The last header of that key, undefined when there is none. */
  last(key: string): Header | undefined {
    return this.#entries.findLast((header) => header.key === key)
  }

  /** New headers with one more at the end. A string value is written as UTF-8. */
  with(key: string, value: Buffer | string | null): Headers {
    return new Headers([
      ...this.#entries,
      { key, value: typeof value === 'string' ? Buffer.from(value) : value },
    ])
  }

  /** New headers without those of that key. */
  without(key: string): Headers {
    return new Headers(this.#entries.filter((header) => header.key !== key))
  }

  /** count(4) {keyLength(4) key valueLength(4, -1 null) value}: the layout in which headers cross to the native core. */
  static decode(buffer: Buffer, start: number): Headers {
    const count = buffer.readInt32BE(start)
    const entries: Header[] = []
    let position = start + 4
    for (let index = 0; index < count; index++) {
      const keyEnd = position + 4 + buffer.readInt32BE(position)
      const key = buffer.utf8Slice(position + 4, keyEnd)
      const valueLength = buffer.readInt32BE(keyEnd)
      position = keyEnd + 4
      const value = valueLength < 0 ? null : Buffer.from(buffer.subarray(position, position + valueLength))
      position += Math.max(valueLength, 0)
      entries.push({ key, value })
    }
    return new Headers(entries)
  }

  /** What `encode` writes; 0 where there are none, and nothing is written. */
  get encodedBytes(): number {
    let bytes = this.#entries.length === 0 ? 0 : 4
    for (const { key, value } of this.#entries) bytes += 8 + Buffer.byteLength(key) + (value?.length ?? 0)
    return bytes
  }

  /** What they take in a Kafka record, without their number. */
  get wireBytes(): number {
    let bytes = 0
    for (const { key, value } of this.#entries) {
      const keyBytes = Buffer.byteLength(key)
      bytes += varintBytes(keyBytes) + keyBytes + varintBytes(value?.length ?? -1) + (value?.length ?? 0)
    }
    return bytes
  }

  encode(writer: ByteWriter): void {
    writer.writeInt32(this.#entries.length)
    for (const { key, value } of this.#entries) {
      const keyBytes = Buffer.from(key)
      writer.writeInt32(keyBytes.length)
      writer.writeBytes(keyBytes)
      writer.writeInt32(value === null ? -1 : value.length)
      if (value !== null) writer.writeBytes(value)
    }
  }
}

/** Of a zigzag varint, as Kafka's records have them. */
function varintBytes(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let bytes = 1
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}
