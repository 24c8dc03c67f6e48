import type { Serde } from '../serde/serde.ts'
import type { FlushListener } from './change-buffer.ts'

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
