import { type OperationCounter, StoreCounters } from '../observe/store-counters.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from '../topology/definition.ts'
import { CachedRows } from './cached-rows.ts'
import { ChangeBuffer, type FlushListener } from './change-buffer.ts'
import type { PrefetchingStore } from './prefetch.ts'
import { Recency } from './recency.ts'
import { hasTimestampedRows, RowCodec } from './row-codec.ts'
import { type PartDecoders, type RowDecoder, RowScan } from './row-scan.ts'
import { ScanCursors } from './scan-cursors.ts'
import { NO_CHANGES, type StateStore } from './state-store.ts'
import type {
  CachingStore,
  KeyValueStore,
  StoreIterator,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
} from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import type { CacheEntry, CacheKey, ValueCache } from './value-cache.ts'

/**
 * A key-value store: decoded cache, then overlay, then RocksDB or, for a store in memory, the database's table of it. Kafka Streams' RocksDBStore,
 * InMemoryKeyValueStore and MemoryLRUCache under a cache that holds decoded values. The changelog gets a key once per commit. With a flush
 * listener, which takes `caching`, the listener is told of changes when they are flushed; see ChangeBuffer.
 *
 * Subclasses say what of a cached row the store's users see.
 */
export abstract class RocksDbKeyValueStore<K, V>
  implements KeyValueStore<K, V>, StateStore, PrefetchingStore, CachingStore<K, unknown>
{
  readonly name: string
  readonly cache: ValueCache
  protected readonly environment: StoreEnvironment
  readonly #keySerde: Serde<K>
  readonly #bindKeyPart: StoreDefinition['bindKeyPart']
  readonly #primitiveKeys: boolean
  readonly #codec: RowCodec
  readonly #rows: CachedRows
  readonly #caching: boolean
  /** Null without a limit. */
  readonly #recency: Recency | null
  /** Null while nobody is to be told of changes. */
  #changes: ChangeBuffer<K, unknown> | null = null
  readonly #keyWriter = new ByteWriter(256)
  readonly #cursors: ScanCursors
  readonly #openScans = new Set<StoreIterator<unknown, unknown>>()
  readonly #operations: StoreCounters
  // Found once: they are counted at every record.
  readonly #gets: OperationCounter
  readonly #puts: OperationCounter
  readonly #deletes: OperationCounter

  constructor(definition: StoreDefinition, environment: StoreEnvironment) {
    this.name = definition.name
    this.environment = environment
    this.#keySerde = definition.key as Serde<K>
    this.#bindKeyPart = definition.bindKeyPart
    this.#primitiveKeys = definition.key.primitive === true
    this.#codec = new RowCodec(definition.value, hasTimestampedRows(definition))
    this.#cursors = new ScanCursors(environment.database, environment.index)
    this.#caching = definition.caching === true
    this.#recency = definition.entriesMax === undefined ? null : new Recency(definition.entriesMax)
    this.#rows = new CachedRows(definition.name, environment, this.#codec)
    this.cache = this.#rows.cache
    this.#operations = environment.operations ?? new StoreCounters()
    this.#gets = this.#operations.get
    this.#puts = this.#operations.put
    this.#deletes = this.#operations.delete
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
    return this.#scanned(this.#operations.range, () => this.#range(from, to, false))
  }

  reverseRange(from: K | null, to: K | null): StoreIterator<K, V> {
    return this.#scanned(this.#operations.range, () => this.#range(from, to, true))
  }

  all(): StoreIterator<K, V> {
    return this.#scanned(this.#operations.all, () => this.#scan(null, null, false))
  }

  reverseAll(): StoreIterator<K, V> {
    return this.#scanned(this.#operations.all, () => this.#scan(null, null, true))
  }

  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<K, V> {
    const writer = this.#keyWriter
    writer.reset()
    const bound = this.#bindKeyPart?.(serde) ?? serde
    bound.serialize(prefix, writer)
    const from = writer.buffer.subarray(0, writer.position)
    return this.#scanned(this.#operations.prefixScan, () => this.#scan(from, firstAfterPrefix(from), false))
  }

  approximateEntryCount(): number {
    this.#rows.flush()
    return this.environment.database.approximateEntries(this.environment.index)
  }

  /** The scans left open: the task closes them at the end of a record. */
  get openScans(): ReadonlySet<StoreIterator<unknown, unknown>> {
    return this.#openScans
  }

  get uncommittedBytes(): number {
    return this.#rows.unreadBytes
  }

  setFlushListener(listener: FlushListener<K, unknown>): boolean {
    if (!this.#caching) return false
    this.#changes = new ChangeBuffer(
      this.environment.budget,
      this.cache,
      (key) => this.#cacheKey(key),
      listener,
    )
    return true
  }

  /** Changes that the flush listener has not been told, and the memory that they take. */
  get pendingChanges(): { readonly size: number; readonly bytes: number } {
    return this.#changes ?? NO_CHANGES
  }

  /** Tells the flush listener what has changed until `isFull`. @returns true when nothing is left */
  flushChanges(isFull: () => boolean): boolean {
    return this.#changes === null || this.#changes.flush(isFull)
  }

  /** Hands every change since the last commit to the overlay. */
  flush(): void {
    this.#rows.flush()
  }

  pin(): number {
    return this.#rows.pin()
  }

  get rowAwaits(): PrefetchingStore['rowAwaits'] {
    return this.#codec.awaits
  }

  accept(
    bytes: Buffer,
    start: number,
    end: number,
    rows: Buffer,
    rowStart: number,
    rowLength: number,
  ): CacheEntry | undefined {
    const known = this.cache.find(bytes, start, end)
    if (known !== undefined) return known
    const key = this.#ownKey(bytes, start, end)
    if (key === undefined) return undefined
    return this.#rows.add(bytes, start, end, this.#shared(key), rows, rowStart, rowLength)
  }

  discard(): void {
    this.closeScans()
    this.#changes?.clear()
    this.#recency?.clear()
    this.#rows.discard()
  }

  close(): void {
    this.closeScans()
    this.#changes?.clear()
    this.#rows.close()
  }

  closeScans(): void {
    for (const scan of this.#openScans) scan.close()
  }

  /** The key that a record's bytes stand for; undefined when this store would write it in other bytes (JSON with blanks), or they are none. */
  #ownKey(bytes: Buffer, start: number, end: number): K | undefined {
    let key: K
    try {
      key = this.#keySerde.deserialize(bytes, start, end)
    } catch {
      // It is met again, with its offset, when its turn comes.
      return undefined
    }
    if (this.#primitiveKeys) return key
    const { buffer, position } = this.#serialized(key)
    return bytes.compare(buffer, 0, position, start, end) === 0 ? key : undefined
  }

  /** What a cached row may keep of a key: an object could be changed by those that it was handed to. */
  #shared(key: K): K | undefined {
    return this.#primitiveKeys ? key : undefined
  }

  /** The writer with the key, alone. */
  #serialized(key: K): ByteWriter {
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    return writer
  }

  /** What identifies a key of which there is nothing else. */
  #cacheKey(key: K): CacheKey {
    if (this.#primitiveKeys) return key as CacheKey
    const { buffer, position } = this.#serialized(key)
    return buffer.latin1Slice(0, position)
  }

  /** Changes a row; null deletes it. */
  protected write(key: K, value: unknown, timestamp: number): void {
    this.#checkKey(key)
    const operation = value === null ? this.#deletes : this.#puts
    if (operation.begins()) this.#writeTimed(operation, key, value, timestamp)
    else this.#write(key, value, timestamp)
  }

  /** Apart, so that the usual way has no closure. */
  #writeTimed(operation: OperationCounter, key: K, value: unknown, timestamp: number): void {
    operation.time(() => this.#write(key, value, timestamp))
  }

  #write(key: K, value: unknown, timestamp: number): void {
    if (this.#changes !== null || this.#recency !== null) {
      this.#writeTold(this.#changes, key, value, timestamp)
      return
    }
    const expected = this.cache.expected(key)
    if (expected !== undefined) this.#rows.put(expected, value, timestamp)
    else this.#rows.write(this.#serialized(key), this.#shared(key), value, timestamp)
  }

  #toPut(key: K): CacheEntry {
    const expected = this.cache.expected(key)
    if (expected !== undefined) return expected
    const { buffer, position } = this.#serialized(key)
    return this.#rows.toPut(buffer, 0, position, this.#shared(key))
  }

  /** A change of a store that has more to keep than its rows. */
  #writeTold(changes: ChangeBuffer<K, unknown> | null, key: K, value: unknown, timestamp: number): void {
    const entry = changes === null ? this.#toPut(key) : this.#read(key)
    const { value: oldValue, serializedBytes: oldBytes } = entry
    this.#rows.put(entry, value, timestamp)
    if (this.#recency !== null) this.#limit(this.#recency, this.#cacheKey(key), value !== null)
    if (changes === null) return
    let slot = entry.change
    if (slot < 0 && changes.mayBeApart) slot = changes.takeApart(this.#cacheKey(key), entry)
    changes.put(slot < 0 ? changes.add(entry, key, oldValue, oldBytes) : slot)
  }

  /** Keeps the rows of a limited store below their number. Deletes as any delete: the changelog says so too. */
  #limit(recency: Recency, used: CacheKey, present: boolean): void {
    if (!recency.isLoaded) this.#loadRecency(recency)
    if (present) recency.touch(used)
    else recency.delete(used)
    for (let goes = recency.excess(); goes !== undefined; goes = recency.excess()) {
      recency.delete(goes)
      const entry = this.#toPutCacheKey(goes)
      this.#changes?.detach(entry)
      this.#rows.put(entry, null, this.environment.recordTimestamp())
    }
  }

  #toPutCacheKey(cacheKey: CacheKey): CacheEntry {
    if (this.#primitiveKeys) return this.#toPut(cacheKey as K)
    const writer = this.#keyWriter
    writer.reset()
    writer.writeLatin1(cacheKey as string)
    return this.#rows.toPut(writer.buffer, 0, writer.position, undefined)
  }

  #loadRecency(recency: Recency): void {
    const rows: { key: CacheKey; timestamp: number }[] = []
    this.#rows.flush()
    using scan = new RowScan(
      this.#cursors,
      { from: null, to: null },
      false,
      (buffer, keyStart, keyEnd, valueStart) => ({
        key: this.#primitiveKeys
          ? (this.#keySerde.deserialize(buffer, keyStart, keyEnd) as CacheKey)
          : buffer.latin1Slice(keyStart, keyEnd),
        value: this.#codec.timestamp(buffer, valueStart),
      }),
      () => {},
    )
    for (const { key, value } of scan) rows.push({ key, timestamp: value })
    recency.load(rows)
  }

  /** The cached row of a key, read when it is not yet there. */
  protected read(key: K): CacheEntry {
    this.#checkKey(key)
    const entry = this.#gets.begins() ? this.#readTimed(key) : this.#read(key)
    if (this.#recency !== null && entry.value !== null) this.#limit(this.#recency, this.#cacheKey(key), true)
    return entry
  }

  #readTimed(key: K): CacheEntry {
    return this.#gets.time(() => this.#read(key))
  }

  #read(key: K): CacheEntry {
    return this.cache.expected(key) ?? this.#rows.read(this.#serialized(key), this.#shared(key))
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

  readonly #parts: PartDecoders<K, V> = {
    key: (buffer, start, end) => this.#keySerde.deserialize(buffer, start, end),
    value: (buffer, start, end) =>
      this.view(this.#codec.value(buffer, start, end), this.#codec.timestamp(buffer, start)),
  }

  readonly #decodeRow: RowDecoder<K, V> = (buffer, keyStart, keyEnd, valueStart, valueEnd) => ({
    key: this.#parts.key(buffer, keyStart, keyEnd),
    value: this.#parts.value(buffer, valueStart, valueEnd),
  })

  readonly #scanClosed = (scan: StoreIterator<unknown, unknown>): void => {
    this.#openScans.delete(scan)
  }

  /** A scan costs microseconds, a closure a few nanoseconds. */
  #scanned(operation: OperationCounter, scan: () => StoreIterator<K, V>): StoreIterator<K, V> {
    return operation.begins() ? operation.time(scan) : scan()
  }

  /** The bounds are copied by the native scan. */
  #scan(from: Buffer | null, to: Buffer | null, reverse: boolean): StoreIterator<K, V> {
    this.#rows.flush()
    const scan = new RowScan<K, V>(
      this.#cursors,
      { from, to },
      reverse,
      this.#decodeRow,
      this.#scanClosed,
      this.#parts,
    )
    this.#openScans.add(scan)
    return scan
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
