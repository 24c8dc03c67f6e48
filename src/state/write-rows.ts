import { messageOf } from '../errors/weir-error.ts'
import type { ByteWriter } from '../serde/byte-writer.ts'
import type { StoreEnvironment } from './rocksdb-key-value-store.ts'
import type { RowCodec } from './row-codec.ts'
import type { CacheEntry, CacheKey } from './value-cache.ts'

/**
 * Puts a cache's dirty rows into the database's overlay.
 *
 * @returns the mean bytes of a row's value; 0 for no rows
 * @throws Error that names the store when a row cannot be serialised; rows before it may have been applied
 */
export function writeRows(
  name: string,
  environment: StoreEnvironment,
  codec: RowCodec,
  entries: readonly CacheEntry[],
  writeKey: (key: CacheKey, writer: ByteWriter) => void,
): number {
  const { overlayWriter, database, index, onOverlayBytes } = environment
  const { writer } = overlayWriter
  let overlayBytes = -1
  let rowBytes = 0
  try {
    for (const entry of entries) {
      overlayWriter.beginRow()
      writeKey(entry.key, writer)
      overlayWriter.endKey()
      const valueStart = writer.position
      if (entry.value !== null) codec.write(entry.value, entry.timestamp, writer)
      rowBytes += writer.position - valueStart
      overlayWriter.endRow(entry.value !== null, entry.timestamp)
      if (overlayWriter.isFull) overlayBytes = overlayWriter.apply(database, index)
    }
    overlayBytes = overlayWriter.apply(database, index)
  } catch (error) {
    overlayWriter.reset()
    throw new Error(`store ${name}: a row could not be written: ${messageOf(error)}`, { cause: error })
  }
  onOverlayBytes(overlayBytes)
  return entries.length === 0 ? 0 : rowBytes / entries.length
}
