/**
 * The whole native surface, declared in the order in which native/binding/addon.cc registers it. Nothing else loads the addon.
 *
 * Rules that hold for every class:
 * - Records cross in batches: a Buffer (the arena) and one ArrayBuffer of columns. A column named `xLength` holds -1 for null.
 * - A method that returns a Promise does its work on Weir's own native threads, never on libuv's; Buffers handed to it must not be
 *   written until it settles. All other methods return at once.
 * - Every failure is a {@link NativeError}. Nothing is thrown for a full queue: counts say how far a batch got.
 * - `close()` is idempotent; a call on a closed object throws `code: 'closed'`. Objects left open are closed when their thread ends.
 */
import { createRequire } from 'node:module'

/** An error from the native core. `code` is `closed`, `invalid`, `busy` (65,536 native calls of one thread wait), `stale` (of a restore),
 * `rocksdb:<Code>` (Corruption, IOError, NoSpace; Busy when a state folder is in use elsewhere) or `kafka:<NAME>` with librdkafka's name without its prefix (`kafka:_TIMED_OUT`, `kafka:UNKNOWN_TOPIC_OR_PART`). */
export interface NativeError extends Error {
  readonly code: string
  /** Waiting and trying again may help. */
  readonly retriable: boolean
  /** The client object is of no more use (librdkafka's fatal errors). */
  readonly fatal: boolean
}

/** librdkafka's configuration, string to string, as in its CONFIGURATION.md. */
export type ClientConfig = Readonly<Record<string, string>>

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicPartitionOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number
  readonly metadata?: string
}

// ---------------------------------------------------------------------------------------------------------------- state memory

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
}

export interface StateMemoryUsage {
  readonly blockCacheBytes: number
  readonly blockCachePinnedBytes: number
  /** Memtables of all databases, active and immutable. */
  readonly memtableBytes: number
  /** The highest memtableBytes seen since the process began. */
  readonly memtablePeakBytes: number
  /** Overlays (changes since the last commit) of all databases. */
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

// --------------------------------------------------------------------------------------------------------------- task database

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

/** What a segmented store has seen, as of the last commit or restore. */
export interface Observed {
  /** The highest time of a row or version, ms; -1 before the first. */
  readonly streamTimeMs: number
  /** The last sequence number of a window store's rows. */
  readonly sequence: number
}

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

/** Settings of a database, of its families or of their block-based tables, by RocksDB's names, in RocksDB's syntax. */
export type RocksDbSettings = Readonly<Record<string, string>>

export interface RocksDbSetting {
  readonly name: string
  readonly scope: 'database' | 'family' | 'table'
  /** RocksDB's own default, as it writes it down. */
  readonly rocksdbDefault: string
}

/** A store as it is on disk. */
export interface InspectedStore {
  readonly name: string
  /** Counted, or RocksDB's estimate. */
  readonly keys: number
  readonly bytes: number
  readonly files: number
  /** null when it is empty. */
  readonly firstKey: Buffer | null
  readonly lastKey: Buffer | null
  /** null when none was written. */
  readonly offset: StoreOffset | null
  /** null for a store that is not cut into segments. */
  readonly segmented: {
    readonly streamTimeMs: number
    readonly intervalMs: number
    /** In order. Segment -1: the latest rows of a versioned store. `bytes` is estimated, `keys` null unless counted. */
    readonly segments: readonly {
      readonly segment: number
      readonly bytes: number
      readonly keys: number | null
    }[]
  } | null
}

/** How far a store's rows reflect its changelog. Written in the same atomic write as the rows. */
export interface StoreOffset {
  readonly store: string
  /** The next changelog offset to restore, -1 when the store has none yet. */
  readonly offset: number
  /** When the rows were as the changelog had them, ms since 1970: the wall clock of the write, or of the begin of a restore that did not end. */
  readonly writtenAtMs: number
  /** The changelog topic's id (a UUID as text) at the write, '' when unknown. */
  readonly topicId: string
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
   * afterwards. REQUIRES a finished drain and a flushed producer. */
  commit(): Promise<void>
  /** Forgets the overlays and a drained batch. */
  discard(): void
  /** Flushes the memtables of all families atomically and waits. */
  flush(): Promise<void>
  /** The stores' changelog positions as of the last commit or restore. */
  offsets(): StoreOffset[]
  /** Records which topic the stores' offsets belong to; written with the next commit or restore step. */
  setTopicIds(ids: readonly { store: string; topicId: string }[]): void
  /** Of stores whose changelog is a topic that the task reads, by their indexes: where the task has read to. Written with the next commit. */
  setSourceOffsets(offsets: readonly { store: number; offset: number }[]): void
  /** Of a store with segments. */
  observed(store: number): Observed
  /** RocksDB's integer properties by name (`rocksdb.estimate-num-keys`, ...), summed over the families, and `weir.overlay-entries`: the keys changed since the last commit. */
  properties(names: readonly string[]): number[]
  /** RocksDB's integer properties by name, of each store: Float64[stores][names]. `rocksdb.estimate-num-keys` of an in-memory store is its number of rows; not while it is restored. */
  storeProperties(names: readonly string[]): Float64Array
  /** RocksDB's estimate of a store's rows (an in-memory store's number of them), plus the changed ones since the last commit. */
  approximateEntries(store: number): number
  /** @returns the number by which other threads `attach` to the database, for as long as it is open */
  share(): number
  /** Closes the database; memtables are flushed first, so that nothing has to be restored at the next open. */
  close(): Promise<void>
}

/** A range of rows, copied out in chunks. Closed by `close` or the database's end. */
export interface Scan {
  /** Copies the next rows into `out`. @param columns Int32[4][capacity]: keyStart, keyLength, valueStart, valueLength.
   * @returns twice how many, and 1 more when there are none behind them; -n when the next row needs n bytes and `out` has fewer. */
  next(out: Buffer, columns: Int32Array, capacity: number): number
  /** Begins anew at another range of the same store, closed or not, and copies its first rows as `next` does. */
  restart(
    from: Buffer | null,
    to: Buffer | null,
    reverse: boolean,
    out: Buffer,
    columns: Int32Array,
    capacity: number,
  ): number
  /** Ends the scan. What it has read with is kept for `restart` until the database's next drain. */
  close(): void
}

// -------------------------------------------------------------------------------------------------------------------- consumer

/** What the group tells the main thread. `lost`: the partitions belong to someone else already, nothing of theirs may be committed. */
export type ConsumerEvent =
  | { readonly type: 'assign'; readonly partitions: readonly TopicPartition[] }
  | { readonly type: 'revoke'; readonly partitions: readonly TopicPartition[]; readonly lost: boolean }
  | { readonly type: 'error'; readonly error: NativeError }
  /** A record reached the main queue: a bug; the process must stop. */
  | { readonly type: 'stray'; readonly topic: string; readonly partition: number; readonly offset: number }

/**
 * The process's librdkafka consumer. The main thread creates it and owns the group; stream threads `attach` to it by `id` and poll
 * the partitions they open. Each partition has its own queue; one that is not polled holds up no other. A method of the other part
 * throws `invalid`. Error events beyond 1,024 that wait to be told are dropped. Without `close`, the
 * group is left when the thread ends, and nothing is committed.
 */
export interface Consumer {
  readonly id: number
  // The main thread's part.
  subscribe(topics: readonly string[]): void
  /** Answers an `assign`: takes each partition's queue off the main queue, then assigns from the given offsets (0 or above). Works under
   * the eager protocol, where it must name everything that was granted, and under the cooperative one. */
  assign(partitions: readonly TopicPartitionOffset[]): void
  /** Answers a `revoke`. The group goes on only then. Readers that still have a partition open find it empty. */
  unassign(partitions: readonly TopicPartition[]): void
  /** The group's committed offsets, in the order asked; offset -1 where there is none. Rejects with `kafka:UNSTABLE_OFFSET_COMMIT`
   * (retriable) while a transaction that has sent offsets is open. */
  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<TopicPartitionOffset[]>
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** Asks the broker. @returns [earliest, end], the end at the consumer's isolation level */
  queryWatermarks(topic: string, partition: number, timeoutMs: number): Promise<[number, number]>
  /** The group's member id and generation; generation -1 when not a member. */
  groupMetadata(): { memberId: string; generation: number }
  /** Leaves the group (a static member does not) and closes. Outstanding revocations are reported and must be answered meanwhile. */
  close(): Promise<void>
  // A stream thread's part.
  /** Opens an assigned partition for reading from `offset` (records before it are dropped). @returns its slot. Throws `closed` when the
   * partition is not assigned (any more), `invalid` while another reader has it open. */
  open(topic: string, partition: number, offset: number): number
  /** Drains up to `capacity` records of the slot's queue without waiting.
   * @param columns see {@link CONSUME_COLUMNS}. @returns how many; 0 when there is nothing now; -n when the next record needs n bytes
   * and the arena is smaller. Throws a partition's error (offset out of range, authorisation) after the records before it. */
  poll(slot: number, arena: Buffer, columns: ArrayBuffer, capacity: number): number
  /** Drops what is queued and reads on from `offset`. After `kafka:_AUTO_OFFSET_RESET` a member of a group can read a partition again
   * only when it is assigned anew; `poll` then throws `kafka:_STATE`. */
  seek(slot: number, offset: number): void
  pause(slot: number): void
  /** Resumes from `offset`; nothing resumes without saying where. */
  resume(slot: number, offset: number): void
  closeSlot(slot: number): void
  /** Cached from fetch responses, without a request. @returns [low, high], -1 when unknown */
  watermarks(slot: number): [number, number]
  /** `callback` runs on this thread's event loop when a partition that was found empty has records again. One per attached consumer. */
  onReady(callback: () => void): void
  /** Closes this thread's slots and its callback; the consumer lives on. */
  detach(): void
}

/** Column order of a consumed batch in one ArrayBuffer: 2 Float64 columns, then 6 Int32 columns, each `capacity` long. Headers are
 * encoded in the arena as count(4) {keyLength(4) key valueLength(4, -1 null) value}, big-endian. */
export const CONSUME_COLUMNS = {
  float64: ['offset', 'timestamp'],
  int32: ['keyStart', 'keyLength', 'valueStart', 'valueLength', 'headersStart', 'headersLength'],
} as const

// -------------------------------------------------------------------------------------------------------------------- producer

/** Column order of a batch to produce: 1 Float64 column (ms since 1970, -1 for now; librdkafka cannot send 0, which goes as 1), then 8
 * Int32 columns. `partition` -1 lets the producer choose: murmur2 of the key, or a sticky random partition for a null key. */
export const PRODUCE_COLUMNS = {
  float64: ['timestamp'],
  int32: [
    'topic',
    'partition',
    'keyStart',
    'keyLength',
    'valueStart',
    'valueLength',
    'headersStart',
    'headersLength',
  ],
} as const

/** One thread's librdkafka producer, always idempotent with acks=all. Delivery reports stay native. */
export interface Producer {
  /** Registers a topic and its partition count. @returns the id that the `topic` column names. */
  topic(name: string, partitions: number): number
  /** Hands over records `from` to `count - 1`. @returns the index after the last one taken: less than `count` when the queue is full.
   * Throws for a record that can never be taken (too large, no such partition); those before it were taken. */
  produce(arena: Buffer, columns: ArrayBuffer, capacity: number, from: number, count: number): number
  /** Resolves when the queue has room again (at once when it has). Bound to delivery, not to a timer. */
  writable(): Promise<void>
  /** Waits until everything handed over is delivered; rejects with the first delivery error. */
  flush(timeoutMs: number): Promise<void>
  /** The highest delivered offset + 1 of a partition, -1 when none. */
  deliveredOffset(topic: number, partition: number): number
  /** The first delivery error since creation, with topic and partition in its message; null when none. */
  firstError(): NativeError | null
  stats(): { readonly queuedRecords: number; readonly queuedBytes: number; readonly deliveredRecords: number }
  close(): Promise<void>
}

// ----------------------------------------------------------------------------------------------------------------------- admin

export interface TopicDescription {
  readonly name: string
  /** A UUID as text. */
  readonly id: string
  readonly partitions: number
  readonly replicationFactor: number
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  /** -1: the broker's default. */
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

/** The main thread's admin client. A topic that is missing is absent from a result; one that is refused rejects with its name. */
export interface Admin {
  describeTopics(names: readonly string[], timeoutMs: number): Promise<TopicDescription[]>
  topicConfigs(name: string, timeoutMs: number): Promise<Record<string, string>>
  /** Existing topics are no error. @returns one entry for each topic that could not be created */
  createTopics(
    topics: readonly NewTopic[],
    timeoutMs: number,
  ): Promise<{ name: string; error: NativeError }[]>
  deleteRecords(before: readonly TopicPartitionOffset[], timeoutMs: number): Promise<void>
  listOffsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest',
    isolation: 'read_committed' | 'read_uncommitted',
    timeoutMs: number,
  ): Promise<TopicPartitionOffset[]>
  groupOffsets(group: string, timeoutMs: number): Promise<TopicPartitionOffset[]>
  /** The cluster's topics, by metadata: works on the mock cluster too. */
  listTopics(timeoutMs: number): Promise<{ name: string; partitions: number }[]>
  close(): Promise<void>
}

// -------------------------------------------------------------------------------------------------------------------- restorer

export interface RestoreStore {
  /** Index into the database's stores. */
  readonly store: number
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** Where to begin; -1: the changelog's earliest offset, after the store's rows were removed. */
  readonly from: number
  /** The rows are older than the changelog remembers deletions: `done` rejects with `stale` unless it ends at `from`. Default: false. */
  readonly stale?: boolean
  /** Where to end. Rows that are newer already stay as they are. Default: the changelog's uncommitted end. */
  readonly until?: number
}

export interface RestoreProgress {
  readonly store: number
  readonly restoredRecords: number
  /** Where it begins, up to where the changelog was read, and the uncommitted end it restores to; each -1 until known. */
  readonly begin: number
  readonly position: number
  readonly end: number
}

/** Restores changelogs into databases on the process's restore threads, reading committed, up to the uncommitted end. An empty store with
 * much to restore gets its rows in bulk, as files, once it has them all; others get them as they come. A short restore never waits for
 * long ones. */
export interface Restorer {
  /** Resolves when every store has reached its end; rejects with `kafka:_AUTO_OFFSET_RESET` (offset out of range), `stale`,
   * or the first error; stores then have what was restored, with its offset, those restored in bulk all or nothing. */
  restore(database: TaskDatabase, stores: readonly RestoreStore[]): RestoreJob
  close(): void
}

export interface RestoreJob {
  readonly done: Promise<void>
  progress(): RestoreProgress[]
  /** Ends the job at the next batch; `done` rejects with `code: 'closed'`. */
  stop(): void
}

// ------------------------------------------------------------------------------------------------------------------- kafka log

/** A line of a librdkafka client: `client` is its name (`weir#consumer-1`), `level` syslog's (3 error, 7 debugging). */
export interface KafkaLogLine {
  readonly client: string
  readonly level: number
  readonly facility: string
  readonly message: string
}

/** Gets the lines of all clients of this process, of every thread, until it is closed; without one they go to stderr. The youngest
 * has them. Lines beyond 1,024 that wait to be told are dropped. */
export interface KafkaLog {
  close(): void
}

// ---------------------------------------------------------------------------------------------------------------- mock cluster

/** librdkafka's mock brokers in this process: for the demo and for unit tests, never the ground for a guarantee's test. */
export interface MockCluster {
  readonly bootstrapServers: string
  createTopic(name: string, partitions: number): void
  /** The next requests of that kind answer with these errors, in order. @param apiKey Kafka's request number (0 Produce, 1 Fetch, ...) */
  injectErrors(apiKey: number, errors: readonly string[]): void
  close(): void
}

// -------------------------------------------------------------------------------------------------------------- local producer

/** A producer without a broker: its topics are in this process, one partition each, and everything is delivered at once. For the test driver. */
export interface LocalProducer extends Producer {
  /** What was produced since the last call, in order, big-endian: topic(4) timestamp(8) keyLength(4) key valueLength(4) value
   * headersLength(4) headers. A length of -1 is null. */
  take(): Buffer
}

export type NativeVersions = { readonly librdkafka: string; readonly rocksdb: string }

interface Addon {
  /** Throws when the addon is not linked to the librdkafka it was built for. */
  versions(): NativeVersions
  /** Native objects of all threads that JavaScript has not let go of. */
  objects(): number
  StateMemory: { acquire(options: StateMemoryOptions): StateMemory }
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
  Consumer: {
    new (config: ClientConfig, onEvent: (event: ConsumerEvent) => void): Consumer
    attach(id: number): Consumer
  }
  Producer: { new (config: ClientConfig): Producer }
  Admin: { new (config: ClientConfig): Admin }
  /** One for the process. `memoryBytes` is for all restores together: what was fetched, and rows on their way into files. */
  Restorer: { acquire(config: ClientConfig, threads: number, memoryBytes: number): Restorer }
  KafkaLog: { new (onLine: (line: KafkaLogLine) => void): KafkaLog }
  MockCluster: { new (options: { brokers: number }): MockCluster }
  LocalProducer: { new (): LocalProducer }
  /** murmur2 as Kafka's DefaultPartitioner computes it, signed 32 bit. */
  murmur2(bytes: Buffer, start: number, end: number): number
}

const require = createRequire(import.meta.url)
const addon = require('../build/Release/weir.node') as Addon

export const {
  versions,
  objects: nativeObjects,
  StateMemory,
  TaskDatabase,
  Consumer,
  Producer,
  Admin,
  Restorer,
  KafkaLog,
  MockCluster,
  LocalProducer,
  murmur2,
} = addon
