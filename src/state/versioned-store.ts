import { type OperationCounter, StoreCounters } from '../observe/store-counters.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { NO_CHANGES, type StateStore } from './state-store.ts'
import {
  PUT_RETURN_CODE_NOT_PUT,
  PUT_RETURN_CODE_VALID_TO_UNDEFINED,
  type RowStore,
  type StoreIterator,
  type ValueAndTimestamp,
  type VersionedKeyValueStore,
  type VersionedRecord,
} from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import { ValueCache } from './value-cache.ts'

/** None: a versioned store has no scans. */
const NO_SCANS: ReadonlySet<StoreIterator<unknown, unknown>> = new Set()

/** A latest version's row begins with its timestamp. */
const TIMESTAMP_BYTES = 8

/**
 * A persistent store of versions. Kafka Streams' RocksDBVersionedStore.
 *
 * Every put goes to the database at once, which keeps the order of puts for the changelog and knows the other versions of the key; so the
 * cache holds clean rows only, the latest version of each key.
 */
export class RocksDbVersionedStore<K, V> implements VersionedKeyValueStore<K, V>, RowStore<K, V>, StateStore {
  readonly name: string
  readonly historyRetentionMs: number
  readonly cache: ValueCache
  readonly openScans = NO_SCANS
  readonly pendingChanges = NO_CHANGES
  readonly #environment: StoreEnvironment
  readonly #operations: StoreCounters
  readonly #keySerde: Serde<K>
  readonly #valueSerde: Serde<V>
  /** The serialised key, and behind it the value to be put. */
  readonly #writer = new ByteWriter(256)
  /** What the database answers besides: see putVersion and getVersion. */
  readonly #times = new Float64Array(2)
  #value = Buffer.allocUnsafe(1024)

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.historyRetentionMs = definition.versions!.historyRetentionMs
    this.#environment = environment
    this.#operations = environment.operations ?? new StoreCounters()
    this.#keySerde = definition.key as Serde<K>
    this.#valueSerde = definition.value as Serde<V>
    this.cache = new ValueCache(environment.budget, () => {
      throw new Error(`store ${this.name}: a cached row must not be dirty`)
    })
  }

  put(key: K, value: V | null, timestamp: number): number {
    this.#checkKey(key)
    if (!Number.isSafeInteger(timestamp) || timestamp < 0)
      throw new RangeError(
        `store ${this.name}: the timestamp must be a whole number of milliseconds from 0, not ${timestamp}`,
      )
    const operation = (value ?? null) === null ? this.#operations.delete : this.#operations.put
    return operation.begins()
      ? this.#putTimed(operation, key, value, timestamp)
      : this.#put(key, value, timestamp)
  }

  /** Apart, so that the usual way has no closure. */
  #putTimed(operation: OperationCounter, key: K, value: V | null, timestamp: number): number {
    return operation.time(() => this.#put(key, value, timestamp))
  }

  #put(key: K, value: V | null, timestamp: number): number {
    const { database, index, onOverlayBytes, onExpired } = this.#environment
    const writer = this.#writer
    const keyLength = this.#writeKey(key)
    const deletes = value === null || value === undefined
    if (!deletes) this.#valueSerde.serialize(value, writer)
    const valueLength = deletes ? -1 : writer.position - keyLength
    const times = this.#times
    database.putVersion(index, writer.buffer, 0, keyLength, keyLength, valueLength, timestamp, times)
    const validTo = times[0]!
    onOverlayBytes(times[1]!)
    if (validTo === PUT_RETURN_CODE_NOT_PUT) onExpired?.()
    // Another version leaves the latest as it was.
    else if (validTo === PUT_RETURN_CODE_VALID_TO_UNDEFINED)
      this.#remember(keyLength, value ?? null, timestamp, valueLength)
    return validTo
  }

  delete(key: K, timestamp: number): VersionedRecord<V> | null {
    const present = this.get(key, timestamp)
    const validTo = this.put(key, null, timestamp)
    return validTo === PUT_RETURN_CODE_NOT_PUT ? null : present
  }

  get(key: K, asOfTimestamp?: number): VersionedRecord<V> | null {
    this.#checkKey(key)
    if (asOfTimestamp !== undefined && !Number.isSafeInteger(asOfTimestamp))
      throw new RangeError(
        `store ${this.name}: the time must be a whole number of milliseconds, not ${asOfTimestamp}`,
      )
    const { get } = this.#operations
    return get.begins() ? this.#getTimed(key, asOfTimestamp) : this.#get(key, asOfTimestamp)
  }

  #getTimed(key: K, asOfTimestamp: number | undefined): VersionedRecord<V> | null {
    return this.#operations.get.time(() => this.#get(key, asOfTimestamp))
  }

  #get(key: K, asOfTimestamp: number | undefined): VersionedRecord<V> | null {
    const keyLength = this.#writeKey(key)
    const known = this.cache.find(this.#writer.buffer, 0, keyLength)
    if (known !== undefined && known.value !== null && known.timestamp <= (asOfTimestamp ?? Infinity))
      return { value: known.value as V, timestamp: known.timestamp, validTo: null }
    if (known !== undefined && asOfTimestamp === undefined) return null
    const valueLength = this.#read(keyLength, asOfTimestamp ?? null)
    if (valueLength < 0) {
      if (asOfTimestamp === undefined) this.#remember(keyLength, null, 0, valueLength)
      return null
    }
    const value = this.#decode(valueLength)
    const timestamp = this.#times[0]!
    const validTo = this.#times[1]!
    if (validTo !== PUT_RETURN_CODE_VALID_TO_UNDEFINED) return { value, timestamp, validTo }
    this.#remember(keyLength, value, timestamp, valueLength)
    return { value, timestamp, validTo: null }
  }

  peek(key: K): ValueAndTimestamp<V> | null {
    return this.get(key)
  }

  update(key: K, value: V | null, timestamp: number): number {
    return this.put(key, value, timestamp)
  }

  closeScans(): void {}

  flushChanges(): boolean {
    return true
  }

  /** The database has everything already. */
  flush(): void {}

  discard(): void {
    this.cache.discard()
  }

  close(): void {
    this.cache.close()
  }

  /** Takes the latest version of a key into the cache. @param valueLength -1: there is none. REQUIRES the key in the writer */
  #remember(keyLength: number, value: V | null, timestamp: number, valueLength: number): void {
    const rowBytes = valueLength < 0 ? 0 : TIMESTAMP_BYTES + valueLength
    const { buffer } = this.#writer
    const entry = this.cache.find(buffer, 0, keyLength)
    if (entry === undefined) this.cache.add(buffer, 0, keyLength, undefined, value, timestamp, rowBytes)
    else this.cache.refresh(entry, value, timestamp, keyLength + rowBytes)
  }

  /** Reads into `#value` and `#times`. @returns the value's length, -1 when there is none. REQUIRES the key in the writer */
  #read(keyLength: number, time: number | null): number {
    const { database, index } = this.#environment
    const { buffer } = this.#writer
    const length = database.getVersion(index, buffer, 0, keyLength, time, this.#value, this.#times)
    if (length <= this.#value.length) return length
    this.#value = Buffer.allocUnsafe(length * 2)
    return database.getVersion(index, buffer, 0, keyLength, time, this.#value, this.#times)
  }

  #decode(length: number): V {
    return this.#valueSerde.deserialize(this.#value, 0, length)
  }

  #writeKey(key: K): number {
    const writer = this.#writer
    writer.reset()
    this.#keySerde.serialize(key, writer)
    return writer.position
  }

  #checkKey(key: K): void {
    if (key === null || key === undefined)
      throw new TypeError(`store ${this.name}: the key must not be ${key}`)
  }
}
