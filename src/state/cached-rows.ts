import { messageOf } from '../errors/weir-error.ts'
import { ByteWriter } from '../serde/byte-writer.ts'
import type { StoreEnvironment } from './rocksdb-key-value-store.ts'
import type { RowCodec } from './row-codec.ts'
import { type CacheEntry, type CacheKey, ValueCache } from './value-cache.ts'

/** Of a key that is no text. */
const NUMBER_KEY_BYTES = 8

/** A store's cache of decoded rows, which knows what the rows take when they are serialised and writes dirty ones to the database's overlay. */
export class CachedRows {
  readonly cache: ValueCache
  readonly #name: string
  readonly #environment: StoreEnvironment
  readonly #codec: RowCodec
  readonly #writeKey: (key: CacheKey, writer: ByteWriter) => void
  readonly #measureWriter = new ByteWriter(256)
  #row = Buffer.allocUnsafe(1024)

  /** @param name the store's; @param writeKey serialises a cached key */
  constructor(
    name: string,
    environment: StoreEnvironment,
    codec: RowCodec,
    writeKey: (key: CacheKey, writer: ByteWriter) => void,
  ) {
    this.#name = name
    this.#environment = environment
    this.#codec = codec
    this.#writeKey = writeKey
    this.cache = new ValueCache(environment.budget, (entries) => this.#writeOut(entries))
  }

  /** Changes a row; null deletes it. @throws Error that names the store when the value cannot be serialised */
  put(key: CacheKey, value: unknown, timestamp: number): void {
    const { cache } = this
    const keyBytes = typeof key === 'string' ? key.length : NUMBER_KEY_BYTES
    const entry = cache.find(key) ?? cache.add(key, keyBytes, null, timestamp, 0)
    let rowBytes = this.#codec.size(value)
    if (rowBytes < 0) rowBytes = isPowerOfTwo(entry.puts + 1) ? this.#measure(value) : -1
    cache.put(entry, value, timestamp, rowBytes < 0 ? entry.serializedBytes : keyBytes + rowBytes)
  }

  /** Takes in a row that was read from the database. @param length -1 for an absent one. REQUIRES that the key is not in the cache */
  add(key: CacheKey, keyLength: number, rows: Buffer, start: number, length: number): CacheEntry {
    if (length < 0) return this.cache.add(key, keyLength, null, 0, 0)
    const value = this.#codec.value(rows, start, start + length)
    return this.cache.add(key, keyLength, value, this.#codec.timestamp(rows, start), length)
  }

  /** Reads a row from the database into the cache. The writer holds the serialised key, alone. REQUIRES that the key is not in the cache */
  read(key: CacheKey, { buffer, position }: ByteWriter): CacheEntry {
    const { database, index } = this.#environment
    let length = database.get(index, buffer, 0, position, this.#row)
    if (length > this.#row.length) {
      this.#row = Buffer.allocUnsafe(length * 2)
      length = database.get(index, buffer, 0, position, this.#row)
    }
    return this.add(key, position, this.#row, 0, length)
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
        this.#writeKey(entry.key, writer)
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
