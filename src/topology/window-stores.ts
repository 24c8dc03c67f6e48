import type { StoreDefinition, StoreType } from './definition.ts'
import { checkBoolean, checkOptions } from './options.ts'
import {
  checkDuration,
  checkNoRocksDb,
  STORE_OPTIONS,
  type StoreOptions,
  storeDefinition,
} from './store-options.ts'
import { TopologyError } from './topology-error.ts'

/** Segments are no shorter: each costs files of its own. */
const SEGMENT_INTERVAL_MIN_MS = 60_000

const SEGMENTED_OPTIONS = [...STORE_OPTIONS, 'retentionMs', 'inMemory', 'caching']

export interface SessionStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How far behind the highest time ever put rows are kept, ms. With `caching` they may be seen for half as long again, and a minute at least. */
  readonly retentionMs: number
  /**
   * Default: false, rows are kept in RocksDB. True keeps them in memory only: they come back from the beginning of the changelog, and without
   * `logging` they do not. Scans give rows in the same order either way. Kafka Streams' Stores.inMemoryWindowStore and inMemorySessionStore, which
   * order the rows of several keys by time first.
   */
  readonly inMemory?: boolean
  /**
   * Default: false, an aggregate on this store forwards every change. True: of each window's changes the last, at a commit or when the cache is
   * full; see WEIR_STATESTORE_CACHE_MAX_BYTES. Kafka Streams' StoreBuilder.withCachingEnabled.
   */
  readonly caching?: boolean
}

export interface WindowStoreOptions<K, V> extends SessionStoreOptions<K, V> {
  /** The length of each window, ms; no more than `retentionMs`. */
  readonly windowSizeMs: number
  /** Values of the same key and window are kept beside each other; not with `caching`. Default: false, the last one stays. */
  readonly retainDuplicates?: boolean
}

/** Kafka Streams' Stores.persistentWindowStore and inMemoryWindowStore. */
export function windowStore<K, V>(
  type: 'window' | 'timestamped-window',
  where: string,
  options: WindowStoreOptions<K, V>,
): StoreDefinition {
  checkOptions(where, options, [...SEGMENTED_OPTIONS, 'windowSizeMs', 'retainDuplicates'])
  const definition = segmentedStore(type, where, options)
  const { retentionMs, windowSizeMs, retainDuplicates = false } = options
  const store = `store ${definition.name}`
  checkDuration(store, 'windowSizeMs', windowSizeMs)
  checkBoolean(store, 'retainDuplicates', retainDuplicates)
  if (retainDuplicates && options.caching === true) {
    throw new TopologyError(
      `${store}: caching is given, but a store that retains duplicates has no last change`,
    )
  }
  if (retentionMs < windowSizeMs) {
    throw new TopologyError(
      `${store}: retentionMs is ${retentionMs}; it must be no less than windowSizeMs, which is ${windowSizeMs}`,
    )
  }
  const segmentIntervalMs = segmentInterval(retentionMs)
  return { ...definition, windows: { retentionMs, segmentIntervalMs, windowSizeMs, retainDuplicates } }
}

/** Kafka Streams' Stores.persistentSessionStore and inMemorySessionStore. */
export function sessionStore<K, V>(where: string, options: SessionStoreOptions<K, V>): StoreDefinition {
  checkOptions(where, options, SEGMENTED_OPTIONS)
  const definition = segmentedStore('session', where, options)
  const { retentionMs } = options
  const segmentIntervalMs = segmentInterval(retentionMs)
  return {
    ...definition,
    windows: { retentionMs, segmentIntervalMs, windowSizeMs: 0, retainDuplicates: false },
  }
}

/** What window and session stores have in common, `windows` apart. */
function segmentedStore<K, V>(
  type: StoreType,
  where: string,
  options: SessionStoreOptions<K, V>,
): StoreDefinition {
  const definition = storeDefinition(type, where, options)
  const store = `store ${definition.name}`
  const { inMemory = false, caching = false } = options
  checkDuration(store, 'retentionMs', options.retentionMs)
  checkBoolean(store, 'inMemory', inMemory)
  checkBoolean(store, 'caching', caching)
  checkNoRocksDb(definition, inMemory)
  return { ...definition, ...(inMemory && { inMemory }), ...(caching && { caching }) }
}

/** Kafka Streams' default. */
function segmentInterval(retentionMs: number): number {
  return Math.max(Math.floor(retentionMs / 2), SEGMENT_INTERVAL_MIN_MS)
}
