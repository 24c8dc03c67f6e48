import { addon } from './addon.ts'
import type { DatabaseOptions } from './database-options.ts'
import type { InspectedStore } from './inspection.ts'
import type { Producer } from './producer.ts'
import type { RocksDbSetting } from './rocksdb-settings.ts'
import type { Scan } from './scan.ts'
import type { StateMemory } from './state-memory.ts'
import type { StoreOffset } from './store-offset.ts'

/** What a segmented store has seen, as of the last commit or restore. */
export interface Observed {
  /** The highest time of a row or version, ms; -1 before the first. */
  readonly streamTimeMs: number
  /** The last sequence number of a window store's rows. */
  readonly sequence: number
}

/**
 * One task's RocksDB (a column family per store, one for offsets; no WAL) and an ordered overlay per store of what changed since the
 * last commit. `store` arguments are indexes into {@link DatabaseOptions.stores}. Used by one JS thread; while a Promise of
 * `drain`, `commit`, `flush` or `close` is open only `get`, `multiGet`, and `scan` may be called after drain, and nothing during it.
 */
export interface TaskDatabase {
  /** Row bytes of one key: overlay, then RocksDB. @returns the row's length, -1 when absent. When it is longer than `out` nothing is copied: call again with a larger one. */
  get(store: number, arena: Buffer, keyStart: number, keyLength: number, out: Buffer): number
  /**
   * Looks up `count` keys: the overlay at once, then RocksDB by one sorted MultiGet on a native thread.
   * @param columns Int32[4][capacity]: keyStart, keyLength (read); valueStart, valueLength (written when the Promise resolves).
   * @returns the arena that valueStart points into.
   */
  multiGet(
    store: number,
    arena: Buffer,
    columns: Int32Array,
    capacity: number,
    count: number,
  ): Promise<Buffer>
  /**
   * Puts `count` changes into the overlay, in order; the last one of a key stays.
   * @param columns Int32[4][capacity]: keyStart, keyLength, valueStart, valueLength (-1 deletes).
   * @param timestamps Float64[capacity]: the changelog record's timestamp, ms since 1970. For a timestamped store the row begins with it.
   * @returns the overlay bytes of the whole database afterwards.
   */
  apply(
    store: number,
    arena: Buffer,
    columns: Int32Array,
    timestamps: Float64Array,
    capacity: number,
    count: number,
  ): number
  /**
   * Puts a version of a key into a versioned store, which takes nothing by `apply`; as Kafka Streams' RocksDBVersionedStore does.
   * @param valueLength -1 deletes. @param timestamp ms, 0 or later; the changelog record's as well.
   * @param result Float64[2]: the time until which the version is valid (-1: it is the latest one, -(2 ** 63): it has expired and was not
   * put), then the overlay bytes of the whole database.
   */
  putVersion(
    store: number,
    arena: Buffer,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    timestamp: number,
    result: Float64Array,
  ): void
  /**
   * The version of a key that is valid at a time; null asks for the latest one. @param result Float64[2]: the time from which it is
   * valid, and until which (-1: it is the latest one). @returns the value's length, -1 when there is none. When it is longer than `out`
   * nothing is copied: call again with a larger one.
   */
  getVersion(
    store: number,
    arena: Buffer,
    keyStart: number,
    keyLength: number,
    time: number | null,
    out: Buffer,
    result: Float64Array,
  ): number
  /** Rows with from <= key < to in byte order (`reverse`: descending), overlay and RocksDB merged. null is unbounded. The scan sees
   * changes that `apply` makes to keys it has not yet reached. After commit, drain or close its next throws `code: 'closed'`. */
  scan(store: number, from: Buffer | null, to: Buffer | null, reverse: boolean): Scan
  /** Walks every overlay once, in key order (of a versioned store its puts, in theirs), into changelog records (through `producer`,
   * waiting while its queue is full) and one WriteBatch. Stops at the producer's first delivery error. @returns the changelog records and bytes produced. */
  drain(producer: Producer): Promise<{ records: number; bytes: number }>
  /** Writes the drained WriteBatch with the changelog offsets that `producer` has delivered, atomically; the overlays are empty
   * afterwards. Rejects with `changelog-shared` when somebody else has written to a changelog that it took over: to be followed by `discard`.
   * REQUIRES a finished drain and a flushed producer. */
  commit(): Promise<void>
  /** Forgets the overlays and a drained batch. */
  discard(): void
  /**
   * Removes all rows of a store at once; its offset stays. After a crash the store may be empty while its offset is that of an earlier flush: that is for stores
   * whose rows are somewhere else, too. Rejects with `invalid` for a store that has uncommitted changes. While it runs nothing else is called.
   */
  empty(store: number): Promise<void>
  /** Flushes the memtables of all families atomically and waits. */
  flush(): Promise<void>
  /** The stores' changelog positions as of the last commit or restore. */
  offsets(): StoreOffset[]
  /**
   * Up to where the changelog of each store says what was committed, and nothing else: where it ended when this database last wrote to it, or took it over, unless
   * it has rows to say again; -1: it did not take it over (see RestoreStore).
   */
  changelogEnds(): number[]
  /** Up to where the rows of each store are what its changelog says, those too that wait for a write; -1: it has none yet. */
  committedOffsets(): number[]
  /** Records which topic the stores' offsets belong to; written with the next commit or restore step. */
  setTopicIds(ids: readonly { store: string; topicId: string }[]): void
  /** Of stores whose changelog is a topic that the task reads, by their indexes: where the task has read to. Written with the next commit. */
  setSourceOffsets(offsets: readonly { store: number; offset: number }[]): void
  /** Of a store with segments. */
  observed(store: number): Observed
  /** RocksDB's integer properties by name (`rocksdb.estimate-num-keys`, ...), summed over the families, and `weir.overlay-entries`: the keys changed since the last commit. */
  properties(names: readonly string[]): number[]
  /** RocksDB's integer properties by name, and `weir.overlay-bytes`, of each store: Float64[stores][names]. `rocksdb.estimate-num-keys` of an in-memory store is its number of rows; not while it is restored. */
  storeProperties(names: readonly string[]): Float64Array
  /** RocksDB's estimate of a store's rows (an in-memory store's number of them), plus the changed ones since the last commit. */
  approximateEntries(store: number): number
  /** @returns the number by which other threads `attach` to the database, for as long as it is open */
  share(): number
  /** Closes the database; memtables are flushed first, so that nothing has to be restored at the next open. */
  close(): Promise<void>
}

export const { TaskDatabase } = addon as {
  TaskDatabase: {
    open(memory: StateMemory, options: DatabaseOptions): Promise<TaskDatabase>
    /** Another thread's view of a shared database, of what was committed. Throws `invalid` when a store is in memory or has segments. */
    attach(id: number): TaskDatabase
    /** Every setting that RocksDB reads from text. */
    rocksdbSettings(): RocksDbSetting[]
    /** Throws `invalid` when RocksDB has no such setting, or cannot read the value. */
    checkRocksdb(name: string, value: string): void
    /** Reads a database that nobody has open, as it was last flushed; writes and locks nothing. `count` reads every row. Rejects with
     * `rocksdb:Busy` when another process has it open, `rocksdb:Corruption` when it is damaged. */
    inspect(path: string, count: boolean): Promise<InspectedStore[]>
  }
}
