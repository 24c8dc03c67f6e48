import { addon } from './addon.ts'

/** Settings of the memory that all databases of the process share. The first `acquire` fixes them; later ones must agree. */
export interface StateMemoryOptions {
  /** LRUCache capacity in bytes: index, filter and data blocks, and the memtables' charge. */
  readonly blockCacheBytes: number
  /** WriteBufferManager budget in bytes; charged to the block cache. The flush arbiter keeps the sum of all memtables below it. */
  readonly writeBufferBytes: number
  /** RocksDB's background threads (flushes get a quarter of them, at least one). */
  readonly backgroundThreads: number
  /** Threads of the pool that splits large multiGets. */
  readonly readThreads: number
  /** RocksDB's limit on open files, for each database. */
  readonly maxOpenFiles: number
  /** What flushes and compactions of all databases together may write, bytes/s. Default: 0, no limit. */
  readonly rateLimitBytesPerSecond?: number
  /**
   * What all databases together may keep in memory of rows that were committed, bytes: RocksDB then gets a row that changes often once for several
   * commits, and at least every ten seconds of them. Default: 0, none.
   */
  readonly keptBytesMax?: number
}

export interface StateMemoryUsage {
  readonly blockCacheBytes: number
  readonly blockCachePinnedBytes: number
  /** Memtables of all databases, active and immutable. */
  readonly memtableBytes: number
  /** The highest memtableBytes seen since the process began. */
  readonly memtablePeakBytes: number
  /** Overlays of all databases: changes since the last commit, and rows that RocksDB gets later. */
  readonly overlayBytes: number
  /** Committed rows of in-memory stores of all databases. The block cache holds that much less. */
  readonly inMemoryBytes: number
  /** Flushes the arbiter asked for. */
  readonly arbiterFlushes: number
  readonly databases: number
  /** Open scans of all databases. */
  readonly scans: number
}

/** What RocksDB has counted over all databases since the process's first one. */
export interface RocksDbCounts {
  /** Blocks found in the block cache, and not found there, by what they hold. */
  readonly dataBlockHits: number
  readonly dataBlockMisses: number
  readonly indexBlockHits: number
  readonly indexBlockMisses: number
  readonly filterBlockHits: number
  readonly filterBlockMisses: number
  /** Keys found in memtables, and not found there. */
  readonly memtableHits: number
  readonly memtableMisses: number
  /** Reads of a file that its filter made unnecessary. */
  readonly filterSparedReads: number
  /** Bytes of rows, uncompressed. */
  readonly getBytesRead: number
  readonly multiGetBytesRead: number
  readonly scanBytesRead: number
  /** Scans' seeks, and the deleted and overwritten keys that scans stepped over; told when a scan's iterator goes. */
  readonly scanSeeks: number
  readonly scanSkippedKeys: number
  readonly bytesWritten: number
  /** Bytes of files. */
  readonly flushBytesWritten: number
  readonly compactionBytesRead: number
  readonly compactionBytesWritten: number
  /** Time that writes were held up for flushes and compactions, microseconds. */
  readonly writeStallMicros: number
  readonly fileOpens: number
  readonly fileErrors: number
  readonly flushes: number
  readonly flushMicros: number
  readonly compactions: number
  readonly compactionMicros: number
  /** Flushes and compactions that failed. */
  readonly backgroundErrors: number
}

/** The process's one block cache, write-buffer manager, thread pools and flush arbiter: a counted singleton. */
export interface StateMemory {
  usage(): StateMemoryUsage
  counts(): RocksDbCounts
  close(): void
}

export const { StateMemory } = addon as {
  StateMemory: { acquire(options: StateMemoryOptions): StateMemory }
}
