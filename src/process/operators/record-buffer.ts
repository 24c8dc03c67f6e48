/**
 * The rows of a join with grace: the records that wait, by time. Kafka Streams' RocksDBTimeOrderedKeyValueBuffer, whose changelog's bytes they have;
 * docs/state-format.md.
 */
import { composedSerde } from '../../serde/binding.ts'
import { readInt64 } from '../../serde/byte-writer.ts'
import type { Serde } from '../../serde/serde.ts'
import type { KeyValueStore } from '../../state/store.ts'
import type { StreamRecord } from '../record.ts'
import { PartReader, type RecordOrigin, readRecordOrigin, writeRecordOrigin } from '../record-origin.ts'
import type { OperatorContext } from './operator-context.ts'

export interface BufferKey<K> {
  /** ms: of the record. */
  readonly timestamp: number
  /** null: what comes before all keys of that time. */
  readonly key: K | null
  /** Tells records of the same key and time apart. */
  readonly sequence: number
}

export interface BufferedRecord<V> {
  readonly value: V
  readonly origin: RecordOrigin
}

const TIME_FIRST = 0
const TIME_END = 9
const SEQUENCE_BYTES = 4
const SEQUENCE_MAX = 0x7fffffff
/** In the place of a value's length. */
const NULL = -1

/** 0(1) timestamp(8) key sequence(4) */
export function bufferKeySerde<K>(inner: Serde<K>): Serde<BufferKey<K>> {
  return composedSerde(
    [inner],
    (key): Serde<BufferKey<K>> => ({
      name: `buffered(${key.name})`,
      serialize(row, writer) {
        writer.writeUInt8(TIME_FIRST)
        writer.writeInt64(row.timestamp)
        if (row.key === null) return
        key.serialize(row.key, writer)
        writer.writeInt32(row.sequence)
      },
      deserialize: (buffer, start, end) => ({
        timestamp: readInt64(buffer, start + 1),
        key: key.deserialize(buffer, start + TIME_END, end - SEQUENCE_BYTES),
        sequence: buffer.readInt32BE(end - SEQUENCE_BYTES),
      }),
    }),
  )
}

/** the record's origin, -1(4) -1(4) valueLength(4) value 0(8) */
export function bufferedRecordSerde<V>(inner: Serde<V>): Serde<BufferedRecord<V>> {
  return composedSerde(
    [inner],
    (value): Serde<BufferedRecord<V>> => ({
      name: `buffered(${value.name})`,
      serialize({ origin, value: waiting }, writer) {
        writeRecordOrigin(origin, writer)
        writer.writeInt32(NULL)
        writer.writeInt32(NULL)
        const at = writer.position
        writer.writeInt32(0)
        value.serialize(waiting, writer)
        writer.buffer.writeInt32BE(writer.position - at - 4, at)
        writer.writeInt64(0)
      },
      deserialize(buffer, start, end) {
        const parts = new PartReader(buffer, start, end)
        const origin = readRecordOrigin(parts)
        parts.take(8)
        const valueBytes = parts.int32()
        const valueStart = parts.take(valueBytes)
        parts.take(8)
        parts.done()
        return { value: value.deserialize(buffer, valueStart, valueStart + valueBytes), origin }
      },
    }),
  )
}

/** What waits for its time to pass, in order of timestamp, then of key. Over a store: it is there again after a restart. */
export class RecordBuffer<K, V> {
  readonly #store: KeyValueStore<BufferKey<K>, BufferedRecord<V>>
  readonly #graceMs: number
  /** The highest timestamp that was ever taken, -1 before the first. */
  #streamTimeMs = -1
  /** The lowest timestamp that waits. */
  #minTimestamp = Infinity
  #sequence = 0

  /** @param graceMs how far behind the highest timestamp records wait */
  constructor(store: KeyValueStore<BufferKey<K>, BufferedRecord<V>>, graceMs: number) {
    this.#store = store
    this.#graceMs = graceMs
    using rows = store.all()
    for (const { timestamp, sequence } of rows.keys()) {
      this.#minTimestamp = Math.min(this.#minTimestamp, timestamp)
      this.#streamTimeMs = timestamp
      this.#sequence = Math.max(this.#sequence, sequence)
    }
  }

  /** @returns false when the record's time has passed already: then it does not wait */
  put(record: StreamRecord<K, V>, context: OperatorContext): boolean {
    const { timestamp, key, value } = record
    if (this.#streamTimeMs - this.#graceMs > timestamp) return false
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MAX
    this.#store.put(
      { timestamp, key, sequence: this.#sequence },
      { value, origin: context.origin(record, null) },
    )
    this.#streamTimeMs = Math.max(this.#streamTimeMs, timestamp)
    this.#minTimestamp = Math.min(this.#minTimestamp, timestamp)
    return true
  }

  /** Takes out every record whose time has passed. */
  evict(forward: (record: StreamRecord<K, V>, origin: RecordOrigin) => void): void {
    const passed = this.#streamTimeMs - this.#graceMs
    if (this.#minTimestamp > passed) return
    const taken: { readonly key: BufferKey<K>; readonly value: BufferedRecord<V> }[] = []
    const from: BufferKey<K> = { timestamp: this.#minTimestamp, key: null, sequence: 0 }
    this.#minTimestamp = Infinity
    // A scan is read to its end before what it goes over is changed.
    using rows = this.#store.range(from, null)
    for (const row of rows) {
      if (row.key.timestamp > passed) {
        this.#minTimestamp = row.key.timestamp
        break
      }
      taken.push(row)
    }
    rows.close()
    for (const { key, value } of taken) {
      this.#store.delete(key)
      const { timestamp, headers } = value.origin
      forward({ key: key.key!, value: value.value, timestamp, headers }, value.origin)
    }
  }
}
