import { type ByteWriter, readInt64 } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'

const TIMESTAMP_BYTES = 8

/** How a store's rows stand in RocksDB: the value's own bytes, with timestamp(8, big-endian) before them when timestamped. docs/state-format.md. */
export class RowCodec {
  readonly timestamped: boolean
  readonly #serde: Serde<unknown>

  constructor(serde: Serde<unknown>, timestamped: boolean) {
    this.#serde = serde
    this.timestamped = timestamped
  }

  value(buffer: Buffer, start: number, end: number): unknown {
    return this.#serde.deserialize(buffer, this.timestamped ? start + TIMESTAMP_BYTES : start, end)
  }

  /** ms; 0 for a row without one */
  timestamp(buffer: Buffer, start: number): number {
    return this.timestamped ? readInt64(buffer, start) : 0
  }

  write(value: unknown, timestamp: number, writer: ByteWriter): void {
    if (this.timestamped) writer.writeInt64(timestamp)
    this.#serde.serialize(value, writer)
  }
}
