import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition, StoreType } from './definition.ts'
import { checkBoolean, checkName, checkOptions, checkSerde, kindOf } from './options.ts'
import { TopologyError } from './topology-error.ts'

export interface KeyValueStoreOptions<K, V> {
  /** Also part of the changelog's name, `<application>-<name>-changelog`. */
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: true. False keeps no changelog: the store is empty after its disk is lost. */
  readonly logging?: boolean
  /**
   * Default: false, rows are kept in RocksDB. True keeps them in memory only: they come back from the beginning of the changelog, and without
   * `logging` they do not. Kafka Streams' Stores.inMemoryKeyValueStore.
   */
  readonly inMemory?: boolean
  /**
   * The most rows that the store keeps, 1 or more: a store in memory, in which the row that was read or put longest ago is deleted when there are more.
   * Default: no limit. Kafka Streams' Stores.lruMap.
   */
  readonly entriesMax?: number
  /**
   * Default: false, a table on this store forwards every change. True: of each key's changes the last, at a commit or when the cache
   * is full; see WEIR_STATESTORE_CACHE_MAX_BYTES. Changelog records are written once per key and commit either way. Kafka Streams'
   * StoreBuilder.withCachingEnabled.
   */
  readonly caching?: boolean
  /** Settings of the changelog topic besides Weir's own. Default: none. */
  readonly changelogConfig?: Readonly<Record<string, string>>
}

const OPTIONS = ['name', 'key', 'value', 'logging', 'inMemory', 'entriesMax', 'caching', 'changelogConfig']

function keyValueStore<K, V>(
  type: StoreType,
  where: string,
  options: KeyValueStoreOptions<K, V>,
): StoreDefinition {
  checkOptions(where, options, OPTIONS)
  const { name, key, value, logging = true, caching = false, entriesMax, changelogConfig = {} } = options
  const { inMemory = entriesMax !== undefined } = options
  checkName(where, 'name', name)
  const store = `store ${name}`
  checkSerde(store, 'key', key)
  checkSerde(store, 'value', value)
  checkBoolean(store, 'logging', logging)
  checkBoolean(store, 'inMemory', inMemory)
  checkBoolean(store, 'caching', caching)
  if (entriesMax !== undefined) checkEntriesMax(store, entriesMax, inMemory)
  checkChangelogConfig(store, changelogConfig)
  if (!logging && Object.keys(changelogConfig).length > 0) {
    throw new TopologyError(`${store}: changelogConfig is given, but logging is false`)
  }
  return {
    type,
    name,
    key,
    value,
    logging,
    ...(inMemory && { inMemory }),
    ...(caching && { caching }),
    ...(entriesMax !== undefined && { entriesMax }),
    changelogConfig,
  }
}

function checkEntriesMax(store: string, entriesMax: unknown, inMemory: boolean): void {
  if (!Number.isSafeInteger(entriesMax) || (entriesMax as number) < 1)
    throw new TopologyError(`${store}: entriesMax is ${String(entriesMax)}; allowed is a whole number from 1`)
  if (!inMemory)
    throw new TopologyError(
      `${store}: entriesMax is given, but inMemory is false; only stores in memory have it`,
    )
}

function checkChangelogConfig(store: string, config: unknown): void {
  if (typeof config !== 'object' || config === null) {
    throw new TopologyError(`${store}: changelogConfig must be an object, not ${kindOf(config)}`)
  }
  for (const [setting, value] of Object.entries(config)) {
    if (typeof value !== 'string')
      throw new TopologyError(`${store}: changelogConfig: ${setting} must be text, not ${kindOf(value)}`)
  }
}

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
} as const
