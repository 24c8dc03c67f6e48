import { type ByteWriter, readInt64 } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition, StoreType } from '../topology/definition.ts'

const TIMESTAMP_BYTES = 8

const TIMESTAMPED: readonly StoreType[] = [
  'timestamped-key-value',
  'timestamped-window',
  'tiered-key-value',
  'tiered-by-prefix',
]

/** True when a store's rows begin with a timestamp: those of tables and windowed aggregates, and of a store with a limit, which is ordered by it after a restore. */
export function hasTimestampedRows(definition: StoreDefinition): boolean {
  const { type, entriesMax } = definition
  return TIMESTAMPED.includes(type) || entriesMax !== undefined
}

/** How a store's rows stand in RocksDB: the value's own bytes, with timestamp(8, big-endian) before them when timestamped. docs/state-format.md. */
export class RowCodec {
  readonly timestamped: boolean
  readonly #serde: Serde<unknown>

  constructor(serde: Serde<unknown>, timestamped: boolean) {
    this.#serde = serde
    this.timestamped = timestamped
  }

  /**
   * A row's bytes without serialising it, as far as the value tells them: a text counts a byte for each character.
   *
   * @returns -1 for a value that has to be serialised to know
   */
  size(value: unknown): number {
    const header = this.timestamped ? TIMESTAMP_BYTES : 0
    switch (typeof value) {
      case 'string':
        return header + value.length
      case 'number':
      case 'bigint':
      case 'boolean':
        return header + 8
      default:
        if (value === null) return 0
        return value instanceof Uint8Array ? header + value.byteLength : -1
    }
  }

  value(buffer: Buffer, start: number, end: number): unknown {
    return this.#serde.deserialize(buffer, this.timestamped ? start + TIMESTAMP_BYTES : start, end)
  }

  /** What has to arrive before a row's value can be read; undefined where nothing ever has. As of Serde. */
  get awaits(): ((buffer: Buffer, start: number, end: number) => Promise<void> | null) | undefined {
    const serde = this.#serde
    if (serde.awaits === undefined) return undefined
    const header = this.timestamped ? TIMESTAMP_BYTES : 0
    return (buffer, start, end) => serde.awaits!(buffer, start + header, end)
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
