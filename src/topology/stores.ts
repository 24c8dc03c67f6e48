import type { StoreDefinition } from './definition.ts'
import { type KeyValueStoreOptions, keyValueStore } from './key-value-stores.ts'
import { type TieredPrefixStoreOptions, tieredPrefixStore } from './tiered-prefix-stores.ts'
import { type TieredStoreOptions, tieredStore } from './tiered-stores.ts'
import { type VersionedStoreOptions, versionedStore } from './versioned-stores.ts'
import {
  type SessionStoreOptions,
  sessionStore,
  type WindowStoreOptions,
  windowStore,
} from './window-stores.ts'

/** Definitions of state stores, for `addStateStore`. Kafka Streams' Stores. All throw a TopologyError for a wrong option. */
export const stores = {
  /** A key-value store, persistent unless `inMemory`: `KeyValueStore<K, V>`. */
  keyValue<K, V>(options: KeyValueStoreOptions<K, V>): StoreDefinition {
    return keyValueStore('key-value', 'stores.keyValue', options)
  },
  /** A key-value store, persistent unless `inMemory`, whose values carry a timestamp, as the DSL's tables: `TimestampedKeyValueStore<K, V>`. */
  timestampedKeyValue<K, V>(options: KeyValueStoreOptions<K, V>): StoreDefinition {
    return keyValueStore('timestamped-key-value', 'stores.timestampedKeyValue', options)
  },
  /** A key-value store of which tasks have a part, and Cassandra everything: `TieredKeyValueStore<K, V>`. See docs/tiered-state.md. */
  tieredKeyValue<K, V>(options: TieredStoreOptions<K, V>): StoreDefinition {
    return tieredStore('stores.tieredKeyValue', options)
  },
  /** A store whose keys are a prefix and a rest, of which tasks have a part, and Cassandra everything: `TieredPrefixStore<P, R, V>`. See docs/tiered-state.md. */
  tieredByPrefix<P, R, V>(options: TieredPrefixStoreOptions<P, R, V>): StoreDefinition {
    return tieredPrefixStore(options)
  },
  /** A window store, persistent unless `inMemory`: `WindowStore<K, V>`. */
  window<K, V>(options: WindowStoreOptions<K, V>): StoreDefinition {
    return windowStore('window', 'stores.window', options)
  },
  /** A window store, persistent unless `inMemory`, whose values carry a timestamp, as the DSL's windowed aggregates: `TimestampedWindowStore<K, V>`. */
  timestampedWindow<K, V>(options: WindowStoreOptions<K, V>): StoreDefinition {
    return windowStore('timestamped-window', 'stores.timestampedWindow', options)
  },
  /** A session store, persistent unless `inMemory`: `SessionStore<K, V>`. */
  session<K, V>(options: SessionStoreOptions<K, V>): StoreDefinition {
    return sessionStore('stores.session', options)
  },
  /** A persistent store that keeps the versions of each key: `VersionedKeyValueStore<K, V>`. */
  versioned<K, V>(options: VersionedStoreOptions<K, V>): StoreDefinition {
    return versionedStore('stores.versioned', options)
  },
} as const
