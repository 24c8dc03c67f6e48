import type { RocksDbSettings } from './rocksdb-settings.ts'

export interface DatabaseOptions {
  /** The database's folder; created when missing. */
  readonly path: string
  /** The task's partition: the changelogs' partition number. */
  readonly partition: number
  readonly stores: readonly StoreOptions[]
  /** Changelog records after which the database is flushed even when the budget does not ask for it. */
  readonly flushEveryRecords: number
  /** Milliseconds after which unflushed changes are flushed (by the arbiter, staggered). */
  readonly flushIntervalMs: number
  /** Of the database and of all stores. */
  readonly rocksdb?: RocksDbSettings
}

export interface StoreOptions {
  readonly name: string
  /** Rows are timestamp(8, big-endian) + value; the changelog carries the value alone and the timestamp as the record's. */
  readonly timestamped: boolean
  /** The changelog topic; null when logging is off. Its partition is the task's. */
  readonly changelogTopic: string | null
  /** 0 to 255: changelog records that have a value carry it in a header `v` of one byte. Default: no header. */
  readonly changelogVersion?: number
  /** Rows are kept in memory only: gone when the database closes, and restored from the changelog's beginning. Default: false. */
  readonly inMemory?: boolean
  /** Of a window, session or versioned store. Absent: keys are the changelog's. */
  readonly segments?: SegmentOptions
  /** Of this store alone, over those of {@link DatabaseOptions.rocksdb}; none that is of the whole database. */
  readonly rocksdb?: RocksDbSettings
}

/**
 * Rows are cut into segments of time, so that old ones go whole. A key begins with its segment(8, big-endian), which the changelog's key
 * has not, and ends with `suffixBytes` bytes of which the first 8 are the row's time (big-endian, ms); segment = floor(time / intervalMs).
 * A row is live while its segment is not older than that of the highest time applied, minus `retentionMs`: `drain` drops the others.
 */
export interface SegmentOptions {
  readonly retentionMs: number
  readonly intervalMs: number
  /** Windows: 12 (start, sequence); sessions: 16 (end, start); 0: a versioned store, whose rows are told in docs/state-format.md. */
  readonly suffixBytes: number
}
