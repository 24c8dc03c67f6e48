import { messageOf } from '../errors/weir-error.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { StoreEnvironment } from './rocksdb-key-value-store.ts'
import type { RowCodec } from './row-codec.ts'
import { type CacheEntry, ValueCache } from './value-cache.ts'

/** A store's cache of decoded rows, which knows what the rows take when they are serialised and writes dirty ones to the database's overlay. */
export class CachedRows {
  readonly cache: ValueCache
  readonly #name: string
  readonly #environment: StoreEnvironment
  readonly #codec: RowCodec
  readonly #measureWriter = new ByteWriter(256)
  #row = Buffer.allocUnsafe(1024)

  /** @param name the store's */
  constructor(name: string, environment: StoreEnvironment, codec: RowCodec) {
    this.#name = name
    this.#environment = environment
    this.#codec = codec
    this.cache = new ValueCache(environment.budget, (entries) => this.#writeOut(entries))
  }

  /** The row of the key `bytes[start, end)`, an absent one when the cache does not know it: for a put, which needs no more. */
  toPut(bytes: Uint8Array, start: number, end: number, key: unknown): CacheEntry {
    const { cache } = this
    return cache.find(bytes, start, end) ?? cache.add(bytes, start, end, key, null, 0, 0)
  }

  /** Changes a row; null deletes it. @throws Error that names the store when the value cannot be serialised */
  put(entry: CacheEntry, value: unknown, timestamp: number): void {
    let rowBytes = this.#codec.size(value)
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
    const value = this.#codec.value(rows, rowStart, rowStart + rowLength)
    return cache.add(bytes, start, end, key, value, this.#codec.timestamp(rows, rowStart), rowLength)
  }

  /** The cached row of the key that `writer` holds, alone; read from the database when it is not yet there. */
  read({ buffer, position }: ByteWriter, key: unknown): CacheEntry {
    const known = this.cache.find(buffer, 0, position)
    if (known !== undefined) return known
    const { database, index } = this.#environment
    let length = database.get(index, buffer, 0, position, this.#row)
    if (length > this.#row.length) {
      this.#row = Buffer.allocUnsafe(length * 2)
      length = database.get(index, buffer, 0, position, this.#row)
    }
    return this.add(buffer, 0, position, key, this.#row, 0, length)
  }

  /**
   * A row's bytes, by writing it. Of a row that is put again and again the 1st, 2nd, 4th, 8th ... put since it was written out is measured: so a row that
   * grows is known within a factor of two, for little.
   */
  #measure(value: unknown): number {
    const writer = this.#measureWriter
    writer.reset()
    try {
      this.#codec.write(value, 0, writer)
    } catch (error) {
      throw this.#notWritten(error)
    }
    return writer.position
  }

  #writeOut(entries: CacheEntry[]): void {
    const { overlayWriter, database, index, onOverlayBytes } = this.#environment
    const { writer } = overlayWriter
    let overlayBytes = -1
    try {
      for (const entry of entries) {
        overlayWriter.beginRow()
        this.cache.writeKey(entry, writer)
        overlayWriter.endKey()
        if (entry.value !== null) this.#codec.write(entry.value, entry.timestamp, writer)
        const bytes = overlayWriter.endRow(entry.value !== null, entry.timestamp)
        if (bytes !== entry.serializedBytes) this.cache.resize(entry, bytes)
        if (overlayWriter.isFull) overlayBytes = overlayWriter.apply(database, index)
      }
      overlayBytes = overlayWriter.apply(database, index)
    } catch (error) {
      overlayWriter.reset()
      throw this.#notWritten(error)
    }
    onOverlayBytes(overlayBytes)
  }

  #notWritten(error: unknown): Error {
    return new Error(`store ${this.#name}: a row could not be written: ${messageOf(error)}`, { cause: error })
  }
}

function isPowerOfTwo(number: number): boolean {
  return (number & (number - 1)) === 0
}
