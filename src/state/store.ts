import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { FlushListener } from './change-buffer.ts'

export type { Window, Windowed } from '../serde/windowed.ts'

/** A store that can tell of its changes when it is flushed instead of at once. Kafka Streams' CachedStateStore. */
export interface CachingStore<K, V> extends Store {
  /** @returns false when the store was not declared with caching: then the listener is told nothing */
  setFlushListener(listener: FlushListener<K, V>): boolean
}

/** What every state store has. Stores belong to one task and are used from its processors only. */
export interface Store {
  readonly name: string
}

/** Rows in ascending (or descending) order of the key's bytes. Close it, or let `using` do so; it also closes at its end. */
export interface StoreIterator<K, V>
  extends IterableIterator<{ readonly key: K; readonly value: V }>,
    Disposable {
  /** The keys of the rows that are left. Values are not decoded, where the store can do without. */
  keys(): IterableIterator<K>
  /** The values of the rows that are left. Keys are not decoded, where the store can do without: a quarter faster for a join's neighbours. */
  values(): IterableIterator<V>
  close(): void
}

/** Kafka Streams' ReadOnlyKeyValueStore. Order is that of the serialised keys, byte by byte. */
export interface ReadOnlyKeyValueStore<K, V> extends Store {
  /** null when absent. */
  get(key: K): V | null
  /** Both ends included; null is unbounded. */
  range(from: K | null, to: K | null): StoreIterator<K, V>
  reverseRange(from: K | null, to: K | null): StoreIterator<K, V>
  all(): StoreIterator<K, V>
  reverseAll(): StoreIterator<K, V>
  /** Rows whose serialised key begins with the serialised prefix. */
  prefixScan<P>(prefix: P, serde: Serde<P>): StoreIterator<K, V>
  /** An estimate: changed rows of a commit's time are counted besides. */
  approximateEntryCount(): number
}

/** Kafka Streams' KeyValueStore. */
export interface KeyValueStore<K, V> extends ReadOnlyKeyValueStore<K, V> {
  /** null deletes. */
  put(key: K, value: V | null): void
  /** @returns the value that was there (put only when null) */
  putIfAbsent(key: K, value: V): V | null
  /** @returns the value that was deleted */
  delete(key: K): V | null
}

/**
 * A key-value store of which the task has a part, and Cassandra everything. Methods that read or write are synchronous, and see rows that are here: those of the keys of the
 * batch's records where the processor names the store in `readsByKey`, and those that were loaded, or put. Reading another row throws. Those that scan throw a TypeError.
 */
export interface TieredKeyValueStore<K, V> extends KeyValueStore<K, V> {
  /**
   * Brings a row here, and gives its value; null when it is absent. Equal loads are one. To be called in the `process` of an async processor, before its first `await`.
   * It waits for Cassandra as long as that is away.
   */
  load(key: K): Promise<V | null>
}

/** One of the rows of a prefix: `key` is the rest of its key. */
export interface TieredPrefixRow<R, V> {
  readonly key: R
  readonly value: V
}

/**
 * A store of which the task has a part, and Cassandra everything, whose keys are a prefix and a rest: the rows of a prefix are one partition there, and come here as a whole. Methods
 * that read or write are synchronous, and reads see prefixes that are here: those of the keys of the batch's records where the processor names the store in `readsByKey`, and those that
 * were loaded. Reading another prefix throws; so does one with more rows than the store's limits allow. Writes need nothing to be here.
 */
export interface TieredPrefixStore<P, R, V> extends Store {
  /** null when absent. */
  get(prefix: P, rest: R): V | null
  /** null deletes. */
  put(prefix: P, rest: R, value: V | null): void
  /** As `put` of null: what was there is not read. */
  delete(prefix: P, rest: R): void
  /** The rows of a prefix, in the order of their rests' bytes: `key` is the rest. */
  scan(prefix: P): StoreIterator<R, V>
  /** In the opposite order. */
  reverseScan(prefix: P): StoreIterator<R, V>
  /**
   * Brings a prefix here, and gives its rows as `scan` would. Equal loads are one. To be called in the `process` of an async processor, before its first `await`.
   * It waits for Cassandra as long as that is away.
   */
  load(prefix: P): Promise<readonly TieredPrefixRow<R, V>[]>
}

/** A value and the timestamp of the record that last changed it. Kafka Streams' ValueAndTimestamp. */
export interface ValueAndTimestamp<V> {
  readonly value: V
  readonly timestamp: number
}

/** What the DSL's tables and aggregates keep. Kafka Streams' TimestampedKeyValueStore. */
export interface TimestampedKeyValueStore<K, V> extends KeyValueStore<K, ValueAndTimestamp<V>> {
  /** As `get`, without a copy: the row that is returned changes with the next change of the key. */
  peek(key: K): ValueAndTimestamp<V> | null
  /** As `put`, without an object for the pair; a null value deletes. */
  update(key: K, value: V | null, timestamp: number): void
}

/** A value, the time from which it is valid and the time until which: null for the latest one. Kafka Streams' VersionedRecord. */
export interface VersionedRecord<V> {
  readonly value: V
  /** ms since 1970, included. */
  readonly timestamp: number
  /** ms since 1970, excluded. */
  readonly validTo: number | null
}

/** What `put` of a {@link VersionedKeyValueStore} returns for the latest version of a key. */
export const PUT_RETURN_CODE_VALID_TO_UNDEFINED = -1
/** What `put` of a {@link VersionedKeyValueStore} returns for a version that was dropped. */
export const PUT_RETURN_CODE_NOT_PUT = -(2 ** 63)

/**
 * Keeps the versions of each key: a value is valid from its timestamp until that of the next version. Kafka Streams' VersionedKeyValueStore
 * (KIP-889).
 *
 * `historyRetentionMs` behind the highest timestamp ever put, its history ends: versions are no longer found and no longer taken; but the
 * latest version of a key stays, however old it is.
 */
export interface VersionedKeyValueStore<K, V> extends Store {
  /**
   * Puts a version; null deletes the key from that time on. Another version of the same key and timestamp is replaced. One that lies more than the
   * history behind is dropped.
   *
   * @param timestamp ms since 1970, 0 or later
   * @returns the time until which the version is valid, {@link PUT_RETURN_CODE_VALID_TO_UNDEFINED} or {@link PUT_RETURN_CODE_NOT_PUT}
   * @throws RangeError for a timestamp that is no whole number from 0
   */
  put(key: K, value: V | null, timestamp: number): number
  /** Deletes the key from `timestamp` on. @returns what was valid at that time; null for nothing, and for a time behind the history */
  delete(key: K, timestamp: number): VersionedRecord<V> | null
  /** The latest version; null when the key was deleted last. */
  get(key: K): VersionedRecord<V> | null
  /**
   * The version that is valid at a time; null when there is none, and for a time behind the history unless the latest version is that old.
   *
   * @throws RangeError for a time that is no whole number
   */
  get(key: K, asOfTimestamp: number): VersionedRecord<V> | null
}

/** How operators keep a table's rows, versioned or not. Kafka Streams' KeyValueStoreWrapper. */
export interface RowStore<K, V> extends Store {
  /** Of versioned stores alone. */
  readonly historyRetentionMs?: number
  /** The present row, which may change with the next change of the key. */
  peek(key: K): ValueAndTimestamp<V> | null
  /** Puts a row; a null value deletes it. @returns of a versioned store, what `put` of {@link VersionedKeyValueStore} does */
  update(key: K, value: V | null, timestamp: number): unknown
}

/** Windows of one key: `key` is the window's start. Kafka Streams' WindowStoreIterator. */
export type WindowStoreIterator<V> = StoreIterator<number, V>

/**
 * Kafka Streams' ReadOnlyWindowStore. Times are window starts, both ends of an interval included; what lies `retentionMs` or more behind the
 * highest time ever put is gone. Rows come by segment of time (half of the retention, at least a minute), within it in order of the
 * serialised key, then of time: so the windows of one key are in order of time.
 */
export interface ReadOnlyWindowStore<K, V> extends Store {
  /** The value of one window, null when absent. */
  fetch(key: K, windowStart: number): V | null
  /** Windows of one key. */
  fetch(key: K, from: number, to: number): WindowStoreIterator<V>
  /** Windows of a range of keys, both ends included; null is unbounded. */
  fetch(keyFrom: K | null, keyTo: K | null, from: number, to: number): StoreIterator<Windowed<K>, V>
  backwardFetch(key: K, from: number, to: number): WindowStoreIterator<V>
  backwardFetch(keyFrom: K | null, keyTo: K | null, from: number, to: number): StoreIterator<Windowed<K>, V>
  all(): StoreIterator<Windowed<K>, V>
  backwardAll(): StoreIterator<Windowed<K>, V>
  fetchAll(from: number, to: number): StoreIterator<Windowed<K>, V>
  backwardFetchAll(from: number, to: number): StoreIterator<Windowed<K>, V>
}

/** Kafka Streams' WindowStore. */
export interface WindowStore<K, V> extends ReadOnlyWindowStore<K, V> {
  /**
   * null deletes. A window that has expired is dropped. A store that retains duplicates keeps each value beside the others of its window, and
   * ignores null.
   */
  put(key: K, value: V | null, windowStart: number): void
}

/** What the DSL's windowed aggregates keep. Kafka Streams' TimestampedWindowStore. */
export interface TimestampedWindowStore<K, V> extends WindowStore<K, ValueAndTimestamp<V>> {
  /** As `fetch` of one window, without a copy: the row that is returned changes with the window's next change. */
  peek(key: K, windowStart: number): ValueAndTimestamp<V> | null
  /** As `put`, without an object for the pair; a null value deletes. */
  update(key: K, value: V | null, timestamp: number, windowStart: number): void
}

/**
 * Kafka Streams' ReadOnlySessionStore. Sessions whose end lies `retentionMs` or more behind the highest end ever put are gone. They come in
 * the order that windows of a {@link ReadOnlyWindowStore} come in, by key, end, start.
 */
export interface ReadOnlySessionStore<K, V> extends Store {
  /** The aggregate of one session, null when absent. */
  fetchSession(key: K, start: number, end: number): V | null
  /** The sessions of all keys that end within the interval, both ends included: as long as they are written, even if they are gone for other methods. */
  findSessions(earliestEnd: number, latestEnd: number): StoreIterator<Windowed<K>, V>
  /** The sessions of one key that end at `earliestEnd` or later and start at `latestStart` or earlier. */
  findSessions(key: K, earliestEnd: number, latestStart: number): StoreIterator<Windowed<K>, V>
  /** The same of a range of keys, both ends included; null is unbounded. */
  findSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): StoreIterator<Windowed<K>, V>
  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): StoreIterator<Windowed<K>, V>
  backwardFindSessions(
    keyFrom: K | null,
    keyTo: K | null,
    earliestEnd: number,
    latestStart: number,
  ): StoreIterator<Windowed<K>, V>
  /** All sessions of one key, or of a range of keys. */
  fetch(key: K): StoreIterator<Windowed<K>, V>
  fetch(keyFrom: K | null, keyTo: K | null): StoreIterator<Windowed<K>, V>
  backwardFetch(key: K): StoreIterator<Windowed<K>, V>
  backwardFetch(keyFrom: K | null, keyTo: K | null): StoreIterator<Windowed<K>, V>
}

/** Kafka Streams' SessionStore. */
export interface SessionStore<K, V> extends ReadOnlySessionStore<K, V> {
  /** null deletes. A session that has expired is dropped. */
  put(session: Windowed<K>, aggregate: V | null): void
  remove(session: Windowed<K>): void
}
