import { messageOf } from '../errors/weir-error.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import { OverlayWriter } from './overlay-writer.ts'
import type { RowCodec } from './row-codec.ts'
import type { StoreEnvironment } from './store-environment.ts'
import { type CacheEntry, ValueCache } from './value-cache.ts'

/** Of rows that were put and not read: how many go to the overlay together, and the memory that they usually take. */
const UNREAD_ROWS = 256
const UNREAD_BYTES = 32 * 1024

/**
 * A store's cache of decoded rows, which knows what the rows take when they are serialised and writes dirty ones to the database's overlay.
 *
 * What is put without having been read goes past the cache: rows of a join, or of a log of events, are put once and read by scans, and in the cache
 * they would only be in the way. A row that is read is cached from then on.
 *
 * Invariants:
 * 1. `#unread` is empty when rows are looked up in the database, and while a batch is read ahead: its look-up must not miss a change.
 * 2. So no row is in `#unread` and in the cache: what is in the cache was looked up there, or put while a batch was read ahead.
 */
export class CachedRows {
  readonly cache: ValueCache
  readonly #name: string
  protected readonly environment: StoreEnvironment
  protected readonly codec: RowCodec
  readonly #measureWriter = new ByteWriter(256)
  /** Null until a row is put past the cache. */
  #unread: OverlayWriter | null = null
  protected row = Buffer.allocUnsafe(1024)

  /** @param name the store's */
  constructor(name: string, environment: StoreEnvironment, codec: RowCodec) {
    this.#name = name
    this.environment = environment
    this.codec = codec
    this.cache = new ValueCache(environment.budget, (entries) => this.writeOut(entries))
  }

  /** The row of the key `bytes[start, end)`, an absent one when the cache does not know it: for a put, which needs no more. */
  toPut(bytes: Uint8Array, start: number, end: number, key: unknown): CacheEntry {
    const { cache } = this
    return cache.find(bytes, start, end) ?? cache.add(bytes, start, end, key, null, 0, 0)
  }

  /** Changes the row of the key that `writer` holds, alone; null deletes it. @throws Error that names the store when the value cannot be serialised */
  write({ buffer, position }: ByteWriter, key: unknown, value: unknown, timestamp: number): void {
    const { cache } = this
    const known = cache.find(buffer, 0, position)
    if (known !== undefined) this.put(known, value, timestamp)
    else if (cache.isPinned) this.put(cache.add(buffer, 0, position, key, null, 0, 0), value, timestamp)
    else this.#putUnread(buffer, position, value, timestamp)
  }

  /** The row of the key that `writer` holds, alone, if the cache knows it. */
  cached({ buffer, position }: ByteWriter): CacheEntry | undefined {
    return this.cache.find(buffer, 0, position)
  }

  /** What has gone past the cache and is not in the overlay yet. */
  get unreadBytes(): number {
    return this.#unread?.bytes ?? 0
  }

  /** A batch is read ahead whose rows are looked up: as of ValueCache. */
  pin(): number {
    this.#applyUnread()
    return this.cache.pin()
  }

  /** Hands every change since the last commit to the overlay. */
  flush(): void {
    this.#applyUnread()
    this.cache.flushDirty()
  }

  discard(): void {
    this.#unread?.reset()
    this.cache.discard()
  }

  close(): void {
    this.#unread?.reset()
    this.cache.close()
  }

  /** Changes a row of the cache; null deletes it. @throws Error that names the store when the value cannot be serialised */
  put(entry: CacheEntry, value: unknown, timestamp: number): void {
    let rowBytes = this.codec.size(value)
    if (rowBytes < 0) rowBytes = isPowerOfTwo(entry.puts + 1) ? this.#measure(value) : -1
    const serializedBytes = rowBytes < 0 ? entry.serializedBytes : entry.keyBytes + rowBytes
    this.cache.put(entry, value, timestamp, serializedBytes)
  }

  /**
   * Takes in the row of the key `bytes[start, end)` that was read from the database: `rows[rowStart, rowStart + rowLength)`, `rowLength` -1 for an absent
   * one. REQUIRES that the key is not in the cache.
   */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    key: unknown,
    rows: Buffer,
    rowStart: number,
    rowLength: number,
  ): CacheEntry {
    const { cache } = this
    if (rowLength < 0) return cache.add(bytes, start, end, key, null, 0, 0)
    const value = this.codec.value(rows, rowStart, rowStart + rowLength)
    return cache.add(bytes, start, end, key, value, this.codec.timestamp(rows, rowStart), rowLength)
  }

  /** The cached row of the key that `writer` holds, alone; read from the database when it is not yet there. */
  read({ buffer, position }: ByteWriter, key: unknown): CacheEntry {
    const known = this.cache.find(buffer, 0, position)
    if (known !== undefined) return known
    this.#applyUnread()
    const length = this.look(this.environment.index, buffer, 0, position)
    return this.add(buffer, 0, position, key, this.row, 0, length)
  }

  /** Reads the row of the key `bytes[start, end)` of a store of the database into `row`. @returns its length; -1 for an absent one */
  protected look(store: number, bytes: Buffer, start: number, end: number): number {
    const { database } = this.environment
    const keyBytes = end - start
    const length = database.get(store, bytes, start, keyBytes, this.row)
    if (length <= this.row.length) return length
    this.row = Buffer.allocUnsafe(length * 2)
    return database.get(store, bytes, start, keyBytes, this.row)
  }

  /**
   * A row's bytes, by writing it. Of a row that is put again and again the 1st, 2nd, 4th, 8th ... put since it was written out is measured: so a row that
   * grows is known within a factor of two, for little.
   */
  #measure(value: unknown): number {
    const writer = this.#measureWriter
    writer.reset()
    try {
      this.codec.write(value, 0, writer)
    } catch (error) {
      throw this.notWritten(error)
    }
    return writer.position
  }

  #putUnread(key: Buffer, keyBytes: number, value: unknown, timestamp: number): void {
    this.#unread ??= new OverlayWriter(UNREAD_ROWS, UNREAD_BYTES)
    const unread = this.#unread
    unread.beginRow()
    unread.writer.writeBytes(key, 0, keyBytes)
    unread.endKey()
    try {
      if (value !== null) this.codec.write(value, timestamp, unread.writer)
    } catch (error) {
      unread.abandonRow()
      throw this.notWritten(error)
    }
    unread.endRow(value !== null, timestamp)
    if (unread.isFull) this.#applyUnread()
  }

  #applyUnread(): void {
    if (this.#unread === null || this.#unread.isEmpty) return
    const { database, index, onOverlayBytes } = this.environment
    onOverlayBytes(this.#unread.apply(database, index))
  }

  protected writeOut(entries: CacheEntry[]): void {
    const { overlayWriter, database, index, onOverlayBytes } = this.environment
    const { writer } = overlayWriter
    let overlayBytes = -1
    try {
      for (const entry of entries) {
        overlayWriter.beginRow()
        this.cache.writeKey(entry, writer)
        overlayWriter.endKey()
        if (entry.value !== null) this.codec.write(entry.value, entry.timestamp, writer)
        const bytes = overlayWriter.endRow(entry.value !== null, entry.timestamp)
        if (bytes !== entry.serializedBytes) this.cache.resize(entry, bytes)
        if (overlayWriter.isFull) overlayBytes = overlayWriter.apply(database, index)
      }
      overlayBytes = overlayWriter.apply(database, index)
    } catch (error) {
      overlayWriter.reset()
      throw this.notWritten(error)
    }
    onOverlayBytes(overlayBytes)
  }

  protected notWritten(error: unknown): Error {
    return new Error(`store ${this.#name}: a row could not be written: ${messageOf(error)}`, { cause: error })
  }
}

function isPowerOfTwo(number: number): boolean {
  return (number & (number - 1)) === 0
}
