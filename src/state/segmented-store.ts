import type { Observed } from '../native.ts'
import { type OperationCounter, StoreCounters } from '../observe/store-counters.ts'
import { ByteWriter, readInt64 } from '../serde/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition, WindowsDefinition } from '../topology/definition.ts'
import { CachedRows } from './cached-rows.ts'
import { ChangeBuffer, type FlushListener } from './change-buffer.ts'
import { ExpiredOldValues } from './expired-old-values.ts'
import { hasTimestampedRows, RowCodec } from './row-codec.ts'
import { type RowDecoder, RowScan } from './row-scan.ts'
import { ScanCursors } from './scan-cursors.ts'
import {
  allKeysRanges,
  keyRangeRanges,
  oneKeyRanges,
  type TimeRange,
  visibleTimes,
} from './segment-ranges.ts'
import { type KeyRange, SegmentScan } from './segment-scan.ts'
import { Segments } from './segments.ts'
import { NO_CHANGES, type StateStore } from './state-store.ts'
import type { CachingStore, StoreIterator, Window, Windowed } from './store.ts'
import type { StoreEnvironment } from './store-environment.ts'
import type { CacheEntry, CacheKey, ValueCache } from './value-cache.ts'

const SEGMENT_BYTES = 8

/** Says whether a row is wanted; `suffix` is where the row's time begins. Must be quick: it is asked of every row that is passed. */
type RowFilter = (arena: Buffer, keyStart: number, suffix: number) => boolean

/** Makes a row of what lies in `arena`: the key between `keyStart` and `suffix`, then the suffix. */
type SuffixedRowDecoder<R, V> = (
  arena: Buffer,
  keyStart: number,
  suffix: number,
  value: V,
) => { readonly key: R; readonly value: V }

/**
 * What window and session stores have in common: rows under `segment key time rest`, read and written through a cache of decoded values. A row's
 * cache key is its key on disk, as latin1 text.
 *
 * Reads begin at the oldest time that is seen, never before the oldest live segment: what lies there costs nothing, whether or not it has been
 * removed. With a flush listener, which takes `caching`, the listener is told of changes when they are flushed; see ChangeBuffer.
 */
export abstract class SegmentedStore<K, V> implements StateStore, CachingStore<Windowed<K>, unknown> {
  readonly name: string
  readonly cache: ValueCache
  protected readonly environment: StoreEnvironment
  protected readonly windows: WindowsDefinition
  protected readonly segments: Segments
  readonly #suffixBytes: number
  readonly #keySerde: Serde<K>
  readonly #codec: RowCodec
  readonly #rows: CachedRows
  readonly #caching: boolean
  /** Null while nobody is to be told of changes. */
  #changes: ChangeBuffer<Windowed<K>, unknown> | null = null
  readonly #keyWriter = new ByteWriter(256)
  readonly #rangeWriter = new ByteWriter(256)
  readonly #cursors: ScanCursors
  readonly #openScans = new Set<StoreIterator<unknown, unknown>>()
  // Found once: they are counted at every record.
  readonly #fetches: OperationCounter
  readonly #puts: OperationCounter
  readonly #deletes: OperationCounter
  readonly #alls: OperationCounter
  /** Commits begun: a scan does not go on after one. */
  #flushes = 0

  constructor(definition: StoreDefinition, environment: StoreEnvironment, suffixBytes: number) {
    this.name = definition.name
    this.environment = environment
    this.windows = definition.windows!
    this.#caching = definition.caching === true
    const observed = (): Observed => environment.database.observed(environment.index)
    this.segments = new Segments(this.windows, observed, this.#caching)
    this.#suffixBytes = suffixBytes
    this.#keySerde = definition.key as Serde<K>
    this.#codec = new RowCodec(definition.value, hasTimestampedRows(definition))
    this.#rows = new CachedRows(definition.name, environment, this.#codec)
    this.cache = this.#rows.cache
    this.#cursors = new ScanCursors(environment.database, environment.index)
    const operations = environment.operations ?? new StoreCounters()
    this.#fetches = operations.fetch
    this.#puts = operations.put
    this.#deletes = operations.delete
    this.#alls = operations.all
  }

  /** Appends time and rest of a row's key. */
  protected abstract writeSuffix(time: number, rest: number, writer: ByteWriter): void

  /** The window of a row with this time and rest. */
  protected abstract windowOf(time: number, rest: number): Window

  /** The time of a window's row. */
  protected abstract timeOf(window: Window): number

  /** What of a window tells its row from others of the same key and time. */
  protected abstract restOf(window: Window): number

  /** What the store's users see of a row that is there. */
  protected abstract view(value: unknown, timestamp: number): V

  get openScans(): ReadonlySet<StoreIterator<unknown, unknown>> {
    return this.#openScans
  }

  get uncommittedBytes(): number {
    return this.#rows.unreadBytes
  }

  setFlushListener(listener: FlushListener<Windowed<K>, unknown>): boolean {
    if (!this.#caching) return false
    const { retentionMs } = this.windows
    const timeOf = ({ window }: Windowed<K>): number => this.timeOf(window)
    const told = new ExpiredOldValues(listener, retentionMs, timeOf, this.segments.streamTimeMs)
    this.#changes = new ChangeBuffer(this.environment.budget, this.cache, this.#cacheKeyOf, told)
    return true
  }

  get pendingChanges(): { readonly size: number; readonly bytes: number } {
    return this.#changes ?? NO_CHANGES
  }

  flushChanges(isFull: () => boolean): boolean {
    return this.#changes === null || this.#changes.flush(isFull)
  }

  flush(): void {
    this.#flushes++
    this.#rows.flush()
  }

  discard(): void {
    this.closeScans()
    this.#changes?.clear()
    this.#rows.discard()
    this.segments.forget()
  }

  close(): void {
    this.closeScans()
    this.#changes?.clear()
    this.#rows.close()
  }

  closeScans(): void {
    for (const scan of this.#openScans) scan.close()
  }

  protected checkKey(key: K): void {
    if (key === null || key === undefined)
      throw new TypeError(`store ${this.name}: the key must not be ${key}`)
  }

  protected checkTime(what: string, time: number): void {
    if (!Number.isSafeInteger(time) || time < 0)
      throw new RangeError(
        `store ${this.name}: ${what} must be a whole number of milliseconds from 0, not ${time}`,
      )
  }

  /** Changes a row; null deletes it. One that has expired is dropped. REQUIRES checked arguments. */
  protected write(key: K, time: number, rest: number, value: unknown, timestamp: number): void {
    const operation = value === null ? this.#deletes : this.#puts
    if (operation.begins()) this.#writeTimed(operation, key, time, rest, value, timestamp)
    else this.#write(key, time, rest, value, timestamp)
  }

  /** Apart, so that the usual way has no closure. */
  #writeTimed(
    operation: OperationCounter,
    key: K,
    time: number,
    rest: number,
    value: unknown,
    timestamp: number,
  ): void {
    operation.time(() => this.#write(key, time, rest, value, timestamp))
  }

  #write(key: K, time: number, rest: number, value: unknown, timestamp: number): void {
    const isAlive = this.segments.advance(time)
    if (!isAlive) this.environment.onExpired?.()
    const changes = this.#changes
    if (changes !== null) this.#writeTold(changes, key, time, rest, value, timestamp, isAlive)
    else if (isAlive) this.#put(key, time, rest, value, timestamp)
  }

  #put(key: K, time: number, rest: number, value: unknown, timestamp: number): void {
    this.#rows.write(this.#rowKey(key, time, rest), undefined, value, timestamp)
  }

  /** A change that is told later. One of a row that has expired is told too, as in Kafka Streams. */
  #writeTold(
    changes: ChangeBuffer<Windowed<K>, unknown>,
    key: K,
    time: number,
    rest: number,
    value: unknown,
    timestamp: number,
    isAlive: boolean,
  ): void {
    // Of a row that is not seen the cache may still hold what hangs on it.
    const seen = this.#read(key, time, rest)
    const entry = seen ?? this.#rows.cached(this.#rowKey(key, time, rest)) ?? null
    const oldValue = seen?.value ?? null
    const oldBytes = seen?.serializedBytes ?? 0
    if (isAlive) this.#put(key, time, rest, value, timestamp)
    const put = isAlive ? entry : null
    let slot = entry?.change ?? -1
    if (slot < 0 && changes.mayBeApart) slot = changes.takeApart(this.#cacheKey(key, time, rest), put)
    if (slot < 0) {
      const window = this.windowOf(time, rest)
      slot = changes.add(put, { key, window }, oldValue, oldBytes)
    }
    if (put !== null) changes.put(slot)
    else changes.putApart(slot, value, timestamp)
  }

  /** The cached row, read when it is not yet there; null for one that is not seen. */
  protected read(key: K, time: number, rest: number): CacheEntry | null {
    return this.#fetches.begins() ? this.#readTimed(key, time, rest) : this.#read(key, time, rest)
  }

  #readTimed(key: K, time: number, rest: number): CacheEntry | null {
    return this.#fetches.time(() => this.#read(key, time, rest))
  }

  #read(key: K, time: number, rest: number): CacheEntry | null {
    if (time < this.segments.visibleFromMs || time > this.segments.streamTimeMs || time < 0) return null
    return this.#rows.read(this.#rowKey(key, time, rest), undefined)
  }

  /** The rows of one key whose time is within [from, to], and that `accepts` takes. */
  protected scanKey<R>(
    key: K,
    from: number,
    to: number,
    reverse: boolean,
    decode: SuffixedRowDecoder<R, V>,
    accepts: RowFilter,
  ): StoreIterator<R, V> {
    this.checkKey(key)
    const times = this.#times(from, to)
    if (times === null) return this.#scan<R>(this.#fetches, [], reverse, decode, accepts)
    const bytes = this.#keyBytes(key)
    return this.#scan(
      this.#fetches,
      oneKeyRanges(this.segments, times, this.#rangeWriter, bytes),
      reverse,
      decode,
      (arena, keyStart, suffix) =>
        suffix - keyStart === bytes.length &&
        isWithin(readInt64(arena, suffix), times) &&
        accepts(arena, keyStart, suffix),
    )
  }

  /** The same of a range of keys. */
  protected scanKeys<R>(
    keyFrom: K | null,
    keyTo: K | null,
    from: number,
    to: number,
    reverse: boolean,
    decode: SuffixedRowDecoder<R, V>,
    accepts: RowFilter,
  ): StoreIterator<R, V> {
    const times = this.#times(from, to)
    const first = keyFrom === null ? null : this.#keyBytes(keyFrom)
    const last = keyTo === null ? null : this.#keyBytes(keyTo)
    if (times === null || (first !== null && last !== null && Buffer.compare(first, last) > 0))
      return this.#scan<R>(this.#fetches, [], reverse, decode, accepts)
    return this.#scan(
      this.#fetches,
      keyRangeRanges(this.segments, times, this.#rangeWriter, first, last),
      reverse,
      decode,
      (arena, keyStart, suffix) =>
        isWithin(readInt64(arena, suffix), times) &&
        (first === null || first.compare(arena, keyStart, suffix) <= 0) &&
        (last === null || last.compare(arena, keyStart, suffix) >= 0) &&
        accepts(arena, keyStart, suffix),
    )
  }

  /** The rows of all keys whose time is within [from, to]. @param since the earliest time that is seen */
  protected scanAll<R>(
    from: number,
    to: number,
    reverse: boolean,
    decode: SuffixedRowDecoder<R, V>,
    since = this.segments.visibleFromMs,
  ): StoreIterator<R, V> {
    const times = this.#times(from, to, since)
    return this.#scan(
      this.#alls,
      times === null ? [] : allKeysRanges(this.segments, times, this.#rangeWriter),
      reverse,
      decode,
      (arena, _keyStart, suffix) => times !== null && isWithin(readInt64(arena, suffix), times),
    )
  }

  protected windowed(arena: Buffer, keyStart: number, suffix: number, window: Window): Windowed<K> {
    return { key: this.#keySerde.deserialize(arena, keyStart, suffix), window }
  }

  #times(from: number, to: number, since = this.segments.visibleFromMs): TimeRange | null {
    if (Number.isNaN(from) || Number.isNaN(to) || typeof from !== 'number' || typeof to !== 'number')
      throw new RangeError(`store ${this.name}: times must be numbers of milliseconds, not ${from} and ${to}`)
    return visibleTimes(this.segments, from, to, since)
  }

  #scan<R>(
    operation: OperationCounter,
    ranges: KeyRange[],
    reverse: boolean,
    decode: SuffixedRowDecoder<R, V>,
    accepts: RowFilter,
  ): StoreIterator<R, V> {
    this.#rows.flush()
    const flushes = this.#flushes
    const suffixBytes = this.#suffixBytes
    const decodeRow: RowDecoder<R, V> = (arena, rowStart, keyEnd, valueStart, valueEnd) => {
      const keyStart = rowStart + SEGMENT_BYTES
      const suffix = keyEnd - suffixBytes
      if (!accepts(arena, keyStart, suffix)) return null
      const value = this.view(
        this.#codec.value(arena, valueStart, valueEnd),
        this.#codec.timestamp(arena, valueStart),
      )
      return decode(arena, keyStart, suffix, value)
    }
    const open = (): SegmentScan<R, V> =>
      new SegmentScan<R, V>(
        reverse ? ranges.reverse() : ranges,
        (range) => {
          if (flushes !== this.#flushes)
            throw Object.assign(new Error(`store ${this.name}: a scan ends with the commit`), {
              code: 'closed',
            })
          return new RowScan(this.#cursors, range, reverse, decodeRow, () => {})
        },
        (closed) => this.#openScans.delete(closed),
      )
    const scan = operation.begins() ? operation.time(open) : open()
    this.#openScans.add(scan)
    return scan
  }

  #keyBytes(key: K): Buffer {
    const writer = this.#keyWriter
    writer.reset()
    this.#keySerde.serialize(key, writer)
    return writer.copyFrom(0)
  }

  #cacheKey(key: K, time: number, rest: number): CacheKey {
    const { buffer, position } = this.#rowKey(key, time, rest)
    return buffer.latin1Slice(0, position)
  }

  readonly #cacheKeyOf = ({ key, window }: Windowed<K>): CacheKey =>
    this.#cacheKey(key, this.timeOf(window), this.restOf(window))

  /** The writer with a row's key, alone. */
  #rowKey(key: K, time: number, rest: number): ByteWriter {
    const writer = this.#keyWriter
    writer.reset()
    writer.writeInt64(this.segments.segmentOf(time))
    this.#keySerde.serialize(key, writer)
    this.writeSuffix(time, rest, writer)
    return writer
  }
}

function isWithin(time: number, { from, to }: TimeRange): boolean {
  return time >= from && time <= to
}
