import type { TaskDatabase } from '../native.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import type { CacheBudget } from './cache-budget.ts'
import type { OverlayWriter } from './overlay-writer.ts'
import type { Prefetch } from './prefetch.ts'
import { type RowCodec, rowCodec } from './row-codec.ts'
import { RowScan } from './row-scan.ts'
import type { KeyValueStore, StoreIterator } from './store.ts'
import { type CacheEntry, type CacheKey, ValueCache } from './value-cache.ts'

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
}

/**
 * A persistent key-value store, plain or timestamped: decoded cache, then overlay, then RocksDB. Kafka Streams' RocksDBStore under
 * CachingKeyValueStore, but every update is forwarded by the operators and the changelog gets a key once per commit.
 */
export class RocksDbKeyValueStore<K, V> implements KeyValueStore<K, V> {
  readonly name: string
  readonly cache: ValueCache
  readonly #keySerde: Serde<K>
  readonly #primitiveKeys: boolean
  readonly #codec: RowCodec<V>
  readonly #environment: StoreEnvironment
  readonly #keyWriter = new ByteWriter(256)
  readonly #openScans = new Set<RowScan<K, V>>()
  #row = Buffer.allocUnsafe(1024)

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.#keySerde = definition.key as Serde<K>
    this.#primitiveKeys = definition.key.primitive === true
    this.#codec = rowCodec(definition) as RowCodec<V>
    this.#environment = environment
    this.cache = new ValueCache(environment.budget, (entries) => this.#writeOut(entries))
  }

  get(key: K): V | null {
    return this.#read(key).value as V | null
  }

  put(key: K, value: V | null): void {
    this.#checkKey(key)
    const { recordTimestamp } = this.#environment
    const timestamp = value === null ? recordTimestamp() : this.#codec.changelogTimestamp(value, recordTimestamp())
    const cacheKey = this.#cacheKey(key)
    this.cache.put(cacheKey, typeof cacheKey === 'string' ? cacheKey.length : 8, value, timestamp)
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
    return this.#scan(this.#bound(from), this.#boundAfter(to), false)
  }

  reverseRange(from: K | null, to: K | null): StoreIterator<K, V> {
    return this.#scan(this.#bound(from), this.#boundAfter(to), true)
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
    const from = writer.copyFrom(0)
    return this.#scan(from, firstAfterPrefix(from), false)
  }

  approximateEntryCount(): number {
    this.cache.flushDirty()
    return this.#environment.database.properties(['rocksdb.estimate-num-keys'])[0]!
  }

  /** The scans left open: the task closes them at the end of a record. */
  get openScans(): ReadonlySet<RowScan<K, V>> {
    return this.#openScans
  }

  /** Hands every change since the last commit to the overlay. */
  flush(): void {
    this.cache.flushDirty()
  }

  /** @returns true when it is known already what is under the key (in which case it will stay known for two batches) */
  isKnown(key: K): boolean {
    return this.cache.find(this.#cacheKey(key)) !== undefined
  }

  /** Takes in what was fetched ahead for `keys`. */
  accept(keys: readonly unknown[], prefetch: Prefetch, rows: Buffer): void {
    for (let index = 0; index < prefetch.count; index++) {
      const cacheKey = this.#cacheKey(keys[prefetch.recordIndex[index]!] as K)
      const start = prefetch.valueStart(index)
      const length = prefetch.valueLength(index)
      const value = length < 0 ? null : this.#codec.decode(rows, start, start + length)
      this.cache.addIfUnknown(cacheKey, prefetch.keyLength(index), value, length)
    }
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

  #checkKey(key: K): void {
    if (key === null || key === undefined) throw new TypeError(`store ${this.name}: the key must not be ${key}`)
  }

  #read(key: K): CacheEntry {
    this.#checkKey(key)
    const cacheKey = this.#cacheKey(key)
    const known = this.cache.find(cacheKey)
    if (known !== undefined) return known
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    const { database, index } = this.#environment
    let length = database.get(index, writer.buffer, 0, writer.position, this.#row)
    if (length > this.#row.length) {
      this.#row = Buffer.allocUnsafe(length * 2)
      length = database.get(index, writer.buffer, 0, writer.position, this.#row)
    }
    const value = length < 0 ? null : this.#codec.decode(this.#row, 0, length)
    return this.cache.add(cacheKey, writer.position, value, length)
  }

  #scan(from: Buffer | null, to: Buffer | null, reverse: boolean): StoreIterator<K, V> {
    this.cache.flushDirty()
    const { database, index } = this.#environment
    const scan = new RowScan<K, V>(
      database.scan(index, from, to, reverse),
      (buffer, keyStart, keyEnd, valueStart, valueEnd) => ({
        key: this.#keySerde.deserialize(buffer, keyStart, keyEnd),
        value: this.#codec.decode(buffer, valueStart, valueEnd),
      }),
      (closed) => this.#openScans.delete(closed),
    )
    this.#openScans.add(scan)
    return scan
  }

  #bound(key: K | null): Buffer | null {
    if (key === null) return null
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    return writer.copyFrom(0)
  }

  /** The upper end is part of the range: the bound is the first key after it. */
  #boundAfter(key: K | null): Buffer | null {
    if (key === null) return null
    const bytes = this.#bound(key)!
    return Buffer.concat([bytes, Buffer.of(0)])
  }

  #writeOut(entries: CacheEntry[]): void {
    const { overlayWriter, database, index, onOverlayBytes } = this.#environment
    const { writer } = overlayWriter
    let overlayBytes = -1
    let rowBytes = 0
    try {
      for (const entry of entries) {
        overlayWriter.beginRow()
        if (this.#primitiveKeys) this.#keySerde.serialize(entry.key as K, writer)
        else writer.writeLatin1(entry.key as string)
        overlayWriter.endKey()
        const valueStart = writer.position
        if (entry.value !== null) this.#codec.encode(entry.value as V, writer)
        rowBytes += writer.position - valueStart
        overlayWriter.endRow(entry.value !== null, entry.timestamp)
        if (overlayWriter.isFull) overlayBytes = overlayWriter.apply(database, index)
      }
      overlayBytes = overlayWriter.apply(database, index)
    } catch (error) {
      overlayWriter.reset()
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`store ${this.name}: a row could not be written: ${reason}`, { cause: error })
    }
    if (entries.length > 0) this.cache.rowBytesEstimate = Math.ceil(rowBytes / entries.length)
    onOverlayBytes(overlayBytes)
  }
}

/** The first key that is greater than every key with this prefix; null when there is none (all bytes 0xff). */
export function firstAfterPrefix(prefix: Buffer): Buffer | null {
  const last = prefix.findLastIndex((byte) => byte !== 0xff)
  if (last < 0) return null
  const after = Buffer.from(prefix.subarray(0, last + 1))
  after[last]!++
  return after
}
