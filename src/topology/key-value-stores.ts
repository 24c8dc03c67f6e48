import type { StoreDefinition, StoreType } from './definition.ts'
import { checkBoolean, checkOptions } from './options.ts'
import { checkNoRocksDb, STORE_OPTIONS, type StoreOptions, storeDefinition } from './store-options.ts'
import { TopologyError } from './topology-error.ts'

export interface KeyValueStoreOptions<K, V> extends StoreOptions<K, V> {
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
}

/** Kafka Streams' Stores.persistentKeyValueStore, inMemoryKeyValueStore and lruMap. */
export function keyValueStore<K, V>(
  type: StoreType,
  where: string,
  options: KeyValueStoreOptions<K, V>,
): StoreDefinition {
  checkOptions(where, options, [...STORE_OPTIONS, 'inMemory', 'entriesMax', 'caching'])
  const definition = storeDefinition(type, where, options)
  const { caching = false, entriesMax } = options
  const { inMemory = entriesMax !== undefined } = options
  const store = `store ${definition.name}`
  checkBoolean(store, 'inMemory', inMemory)
  checkBoolean(store, 'caching', caching)
  checkNoRocksDb(definition, inMemory)
  if (entriesMax !== undefined) checkEntriesMax(store, entriesMax, inMemory)
  return {
    ...definition,
    ...(inMemory && { inMemory }),
    ...(caching && { caching }),
    ...(entriesMax !== undefined && { entriesMax }),
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
