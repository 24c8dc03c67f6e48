import { readInt64 } from '../serde/byte-writer.ts'
import { CachedRows } from './cached-rows.ts'
import { OverlayWriter } from './overlay-writer.ts'
import { PRESENT_BYTES } from './presence-serde.ts'
import type { RowCodec } from './row-codec.ts'
import type { StoreEnvironment } from './store-environment.ts'
import type { StoreTier, TierRow } from './store-tier.ts'
import type { CacheEntry } from './value-cache.ts'

/** Timestamp and presence. */
const ROW_HEADER_BYTES = 9
/** A timestamp alone. */
const ABSENT_ROW = Buffer.alloc(8)
/** Key and value of a row: what Cassandra takes in a request, less what else is in it. */
const ROW_BYTES_MAX = 16 * 2 ** 20 - 4_096

/**
 * The cached rows of a tiered store over two stores of the task's database: `written`, with what was put here, which has a changelog; and `loaded`, with what came from the second
 * tier. A row that says that the key is not there is a row, in both.
 *
 * Invariants:
 * 1. What `written` has of a key is newer than what `loaded` has. So `written` is emptied after `loaded`, never before.
 * 2. A row that was put here is in `written`, on its way to the second tier, or there.
 */
export class TieredRows extends CachedRows {
  readonly #loaded: number
  /** null: there is none, and what is not here is not there. */
  tier: StoreTier | null = null
  /** Came from the second tier, and not in `loaded` yet: at any moment, a commit's drain included. */
  #arrived: { readonly entry: CacheEntry; readonly key: Buffer; readonly row: Buffer }[] = []
  /** Null until a row has arrived. */
  #loadedWriter: OverlayWriter | null = null

  /** @param environment of `written`. @param loaded the other's index in the database */
  constructor(name: string, environment: StoreEnvironment, loaded: number, codec: RowCodec) {
    super(name, environment, codec)
    this.#loaded = loaded
  }

  /** The row of the key `bytes[start, end)`, from the cache or the database; undefined when neither knows of it. */
  local(bytes: Buffer, start: number, end: number, key: unknown): CacheEntry | undefined {
    const known = this.cache.find(bytes, start, end)
    if (known !== undefined) return known
    this.#applyArrived()
    for (const store of [this.environment.index, this.#loaded]) {
      const length = this.look(store, bytes, start, end)
      if (length >= 0) return this.add(bytes, start, end, key, this.row, 0, length)
    }
    return this.#onItsWay(bytes, start, end, key)
  }

  /** The row of a key that is on its way to the second tier; undefined when none is that can be read now. */
  #onItsWay(bytes: Buffer, start: number, end: number, key: unknown): CacheEntry | undefined {
    const row = this.tier?.onItsWay(bytes.subarray(start, end))
    if (row === undefined) return undefined
    const local = localRow(row)
    if ((this.codec.awaits?.(local, 0, local.length) ?? null) !== null) return undefined
    return this.add(bytes, start, end, key, local, 0, local.length)
  }

  /** Takes in what the second tier has of a key. REQUIRES that the key is not in the cache, and was not put since it was asked for. */
  arrive(key: Buffer, sharedKey: unknown, row: Buffer): CacheEntry {
    const entry = this.add(key, 0, key.length, sharedKey, row, 0, row.length)
    this.#arrived.push({ entry, key, row })
    return entry
  }

  override pin(): number {
    this.#applyArrived()
    return super.pin()
  }

  override flush(): void {
    this.#applyArrived()
    super.flush()
  }

  override discard(): void {
    this.#arrived = []
    super.discard()
  }

  override close(): void {
    this.#arrived = []
    super.close()
  }

  #applyArrived(): void {
    if (this.#arrived.length === 0) return
    this.#loadedWriter ??= new OverlayWriter()
    const writer = this.#loadedWriter
    const { database, onOverlayBytes } = this.environment
    for (const { entry, key, row } of this.#arrived) {
      // It is about to be in `written`.
      if (entry.puts > 0) continue
      writer.beginRow()
      writer.writer.writeBytes(key)
      writer.endKey()
      writer.writer.writeBytes(row)
      writer.endRow(true, 0)
      if (writer.isFull) onOverlayBytes(writer.apply(database, this.#loaded))
    }
    this.#arrived = []
    if (!writer.isEmpty) onOverlayBytes(writer.apply(database, this.#loaded))
  }

  protected override writeOut(entries: CacheEntry[]): void {
    const { tier } = this
    const { overlayWriter, database, index, onOverlayBytes } = this.environment
    const { writer } = overlayWriter
    let overlayBytes = -1
    try {
      for (const entry of entries) {
        const keyStart = writer.position
        overlayWriter.beginRow()
        this.cache.writeKey(entry, writer)
        overlayWriter.endKey()
        const rowStart = writer.position
        this.codec.write(entry.value, entry.timestamp, writer)
        const bytes = writer.position - keyStart
        if (bytes > ROW_BYTES_MAX)
          throw new RangeError(`it has ${bytes} bytes; Cassandra takes up to ${ROW_BYTES_MAX}`)
        overlayWriter.endRow(true, entry.timestamp)
        if (bytes !== entry.serializedBytes) this.cache.resize(entry, bytes)
        tier?.put(writer.buffer.latin1Slice(keyStart, rowStart))
        if (overlayWriter.isFull) overlayBytes = overlayWriter.apply(database, index)
      }
      if (!overlayWriter.isEmpty) overlayBytes = overlayWriter.apply(database, index)
    } catch (error) {
      overlayWriter.reset()
      throw this.notWritten(error)
    }
    if (overlayBytes >= 0) onOverlayBytes(overlayBytes)
  }
}

/** A row of the database, `bytes[start, end)`, as the second tier has it; null: the key is not there. Copied. */
export function tierRow(bytes: Buffer, start: number, end: number): TierRow | null {
  if (end - start < ROW_HEADER_BYTES) return null
  return {
    value: Buffer.from(bytes.subarray(start + ROW_HEADER_BYTES, end)),
    timestampMs: readInt64(bytes, start),
  }
}

/** A row of the second tier as the database has it. @param row null: the key is not there */
export function localRow(row: TierRow | null): Buffer {
  if (row === null) return ABSENT_ROW
  const bytes = Buffer.allocUnsafe(ROW_HEADER_BYTES + row.value.length)
  bytes.writeBigInt64BE(BigInt(row.timestampMs))
  bytes.set(PRESENT_BYTES, 8)
  bytes.set(row.value, ROW_HEADER_BYTES)
  return bytes
}
