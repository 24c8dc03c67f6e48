import type { TaskDatabase } from '../native.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { CacheBudget } from './cache-budget.ts'
import type { OverlayWriter } from './overlay-writer.ts'
import type { PrefetchingStore } from './prefetch.ts'
import { RowCodec } from './row-codec.ts'
import { RowScan } from './row-scan.ts'
import { ScanChunks } from './scan-chunks.ts'
import type { StateStore } from './state-store.ts'
import type { KeyValueStore, StoreIterator, TimestampedKeyValueStore, ValueAndTimestamp } from './store.ts'
import { type CacheEntry, type CacheKey, ValueCache } from './value-cache.ts'
import { writeRows } from './write-rows.ts'

/** What a store needs of its task. */
export interface StoreEnvironment {
  readonly database: TaskDatabase
  /** The store's index in the database. */
  readonly index: number
  readonly budget: CacheBudget
  readonly overlayWriter: OverlayWriter
  /** The timestamp of what is being processed, ms: the changelog timestamp of a plain store's change. */
  readonly recordTimestamp: () => number
  /** Told the database's overlay bytes whenever changes were applied. */
  readonly onOverlayBytes: (bytes: number) => void
  /** A row was put that had expired already: it is dropped. */
  readonly onExpired?: () => void
}

/**
 * A persistent key-value store: decoded cache, then overlay, then RocksDB. Kafka Streams' RocksDBStore under a cache that holds decoded values; every
 * update is forwarded by the operators, and the changelog gets a key once per commit.
 *
 * Subclasses say what of a cached row the store's users see.
 */
export abstract class RocksDbKeyValueStore<K, V>
  implements KeyValueStore<K, V>, StateStore, PrefetchingStore
{
  readonly name: string
  readonly cache: ValueCache
  protected readonly environment: StoreEnvironment
  readonly #keySerde: Serde<K>
  readonly #primitiveKeys: boolean
  readonly #codec: RowCodec
  readonly #keyWriter = new ByteWriter(256)
  readonly #chunks = new ScanChunks()
  readonly #openScans = new Set<StoreIterator<unknown, unknown>>()
  #row = Buffer.allocUnsafe(1024)

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.environment = environment
    this.#keySerde = definition.key as Serde<K>
    this.#primitiveKeys = definition.key.primitive === true
    this.#codec = new RowCodec(definition.value, definition.type === 'timestamped-key-value')
    this.cache = new ValueCache(environment.budget, (entries) => this.#writeOut(entries))
  }

  /** What the store's users see of a row that is there. */
  protected abstract view(value: unknown, timestamp: number): V

  abstract put(key: K, value: V | null): void

  get(key: K): V | null {
    const { value, timestamp } = this.read(key)
    return value === null ? null : this.view(value, timestamp)
  }

  putIfAbsent(key: K, value: V): V | null {
    const present = this.get(key)
    if (present === null) this.put(key, value)
    return present
  }

  delete(key: K): V | null {
    const present = this.get(key)
    this.put(key, null)
    return present
  }

  range(from: K | null, to: K | null): StoreIterator<K, V> {
    return this.#range(from, to, false)
  }

  reverseRange(from: K | null, to: K | null): StoreIterator<K, V> {
    return this.#range(from, to, true)
  }

  all(): StoreIterator<K, V> {
    return this.#scan(null, null, false)
  }

  reverseAll(): StoreIterator<K, V> {
    return this.#scan(null, null, true)
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<K, V> {
    const writer = this.#keyWriter
    writer.reset()
    serde.serialize(prefix, writer)
    const from = writer.buffer.subarray(0, writer.position)
    return this.#scan(from, firstAfterPrefix(from), false)
  }

  approximateEntryCount(): number {
    this.cache.flushDirty()
    return this.environment.database.properties(['rocksdb.estimate-num-keys'])[0]!
  }

  /** The scans left open: the task closes them at the end of a record. */
  get openScans(): ReadonlySet<StoreIterator<unknown, unknown>> {
    return this.#openScans
  }

  /** Hands every change since the last commit to the overlay. */
  flush(): void {
    this.cache.flushDirty()
  }

  known(key: unknown): CacheEntry | undefined {
    return this.cache.find(this.#cacheKey(key as K))
  }

  accept(key: unknown, keyLength: number, rows: Buffer, valueStart: number, valueLength: number): CacheEntry {
    const cacheKey = this.#cacheKey(key as K)
    return this.cache.find(cacheKey) ?? this.#add(cacheKey, keyLength, rows, valueStart, valueLength)
  }

  discard(): void {
    this.closeScans()
    this.cache.discard()
  }

  close(): void {
    this.closeScans()
    this.cache.close()
  }

  closeScans(): void {
    for (const scan of this.#openScans) scan.close()
  }

  #cacheKey(key: K): CacheKey {
    if (this.#primitiveKeys) return key as CacheKey
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    return writer.buffer.latin1Slice(0, writer.position)
  }

  /** Changes a row; null deletes it. */
  protected write(key: K, value: unknown, timestamp: number): void {
    this.#checkKey(key)
    const cacheKey = this.#cacheKey(key)
    this.cache.put(cacheKey, typeof cacheKey === 'string' ? cacheKey.length : 8, value, timestamp)
  }

  /** The cached row of a key, read when it is not yet there. */
  protected read(key: K): CacheEntry {
    this.#checkKey(key)
    const cacheKey = this.#cacheKey(key)
    const known = this.cache.find(cacheKey)
    if (known !== undefined) return known
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    const { database, index } = this.environment
    let length = database.get(index, writer.buffer, 0, writer.position, this.#row)
    if (length > this.#row.length) {
      this.#row = Buffer.allocUnsafe(length * 2)
      length = database.get(index, writer.buffer, 0, writer.position, this.#row)
    }
    return this.#add(cacheKey, writer.position, this.#row, 0, length)
  }

  #add(cacheKey: CacheKey, keyLength: number, rows: Buffer, start: number, length: number): CacheEntry {
    if (length < 0) return this.cache.add(cacheKey, keyLength, null, 0, 0)
    const value = this.#codec.value(rows, start, start + length)
    return this.cache.add(cacheKey, keyLength, value, this.#codec.timestamp(rows, start), length)
  }

  #checkKey(key: K): void {
    if (key === null || key === undefined)
      throw new TypeError(`store ${this.name}: the key must not be ${key}`)
  }

  /** Both ends are part of a range: the upper bound is the first key after `to`. */
  #range(from: K | null, to: K | null, reverse: boolean): StoreIterator<K, V> {
    const writer = this.#keyWriter
    writer.reset()
    if (from !== null) this.#keySerde.serialize(from, writer)
    const fromEnd = writer.position
    if (to !== null) {
      this.#keySerde.serialize(to, writer)
      writer.writeUInt8(0)
    }
    const { buffer, position } = writer
    return this.#scan(
      from === null ? null : buffer.subarray(0, fromEnd),
      to === null ? null : buffer.subarray(fromEnd, position),
      reverse,
    )
  }

  /** The bounds are copied by the native scan. */
  #scan(from: Buffer | null, to: Buffer | null, reverse: boolean): StoreIterator<K, V> {
    this.cache.flushDirty()
    const { database, index } = this.environment
    const scan = new RowScan<K, V>(
      database.scan(index, from, to, reverse),
      this.#chunks,
      (buffer, keyStart, keyEnd, valueStart, valueEnd) => ({
        key: this.#keySerde.deserialize(buffer, keyStart, keyEnd),
        value: this.view(
          this.#codec.value(buffer, valueStart, valueEnd),
          this.#codec.timestamp(buffer, valueStart),
        ),
      }),
      (closed) => this.#openScans.delete(closed),
    )
    this.#openScans.add(scan)
    return scan
  }

  #writeOut(entries: CacheEntry[]): void {
    const rowBytes = writeRows(this.name, this.environment, this.#codec, entries, this.#writeKey)
    if (entries.length > 0) this.cache.rowBytesEstimate = Math.ceil(rowBytes)
  }

  readonly #writeKey = (key: CacheKey, writer: ByteWriter): void => {
    if (this.#primitiveKeys) this.#keySerde.serialize(key as K, writer)
    else writer.writeLatin1(key as string)
  }
}

/** Rows are the values' own bytes. Kafka Streams' KeyValueStore. */
export class PlainKeyValueStore<K, V> extends RocksDbKeyValueStore<K, V> {
  override put(key: K, value: V | null): void {
    this.write(key, value ?? null, this.environment.recordTimestamp())
  }

  protected override view(value: unknown): V {
    return value as V
  }
}

/** Rows carry the timestamp of the record that last changed them. Kafka Streams' TimestampedKeyValueStore. */
export class TimestampedRowsStore<K, V>
  extends RocksDbKeyValueStore<K, ValueAndTimestamp<V>>
  implements TimestampedKeyValueStore<K, V>
{
  override put(key: K, row: ValueAndTimestamp<V> | null): void {
    if (row === null || row === undefined) this.write(key, null, this.environment.recordTimestamp())
    else this.write(key, row.value ?? null, row.timestamp)
  }

  peek(key: K): ValueAndTimestamp<V> | null {
    const entry = this.read(key)
    return entry.value === null ? null : (entry as ValueAndTimestamp<V>)
  }

  update(key: K, value: V | null, timestamp: number): void {
    this.write(key, value, timestamp)
  }

  protected override view(value: unknown, timestamp: number): ValueAndTimestamp<V> {
    return { value: value as V, timestamp }
  }
}

export function openKeyValueStore(
  definition: StoreDefinition,
  environment: StoreEnvironment,
): RocksDbKeyValueStore<unknown, unknown> {
  return definition.type === 'timestamped-key-value'
    ? new TimestampedRowsStore(definition, environment)
    : new PlainKeyValueStore(definition, environment)
}

/** The first key that is greater than every key with this prefix; null when there is none (all bytes 0xff). */
export function firstAfterPrefix(prefix: Buffer): Buffer | null {
  const last = prefix.findLastIndex((byte) => byte !== 0xff)
  if (last < 0) return null
  const after = Buffer.from(prefix.subarray(0, last + 1))
  after[last]!++
  return after
}
