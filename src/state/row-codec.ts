import type { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { ValueAndTimestamp } from './store.ts'

/** How a store's values stand in RocksDB: the value's own bytes, or timestamp(8, big-endian) before them. docs/state-format.md. */
export interface RowCodec<V> {
  readonly timestamped: boolean
  decode(buffer: Buffer, start: number, end: number): V
  encode(value: V, writer: ByteWriter): void
  /** The changelog record's timestamp, given that of the record being processed. */
  changelogTimestamp(value: V, recordTimestamp: number): number
}

export function readTimestamp(buffer: Buffer, start: number): number {
  return buffer.readInt32BE(start) * 0x1_0000_0000 + buffer.readUInt32BE(start + 4)
}

function plainRows<V>(serde: Serde<V>): RowCodec<V> {
  return {
    timestamped: false,
    decode: (buffer, start, end) => serde.deserialize(buffer, start, end),
    encode: (value, writer) => serde.serialize(value, writer),
    changelogTimestamp: (_value, recordTimestamp) => recordTimestamp,
  }
}

function timestampedRows<V>(serde: Serde<V>): RowCodec<ValueAndTimestamp<V>> {
  return {
    timestamped: true,
    decode: (buffer, start, end) => ({
      value: serde.deserialize(buffer, start + 8, end),
      timestamp: readTimestamp(buffer, start),
    }),
    encode: ({ value, timestamp }, writer) => {
      writer.writeInt64(timestamp)
      serde.serialize(value, writer)
    },
    changelogTimestamp: ({ timestamp }) => timestamp,
  }
}

export function rowCodec(definition: StoreDefinition): RowCodec<unknown> {
  return definition.type === 'timestamped-key-value'
    ? (timestampedRows(definition.value) as RowCodec<unknown>)
    : plainRows(definition.value)
}
