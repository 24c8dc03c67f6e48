import type { StoreDefinition } from './definition.ts'
import { checkOptions } from './options.ts'
import { checkDuration, STORE_OPTIONS, type StoreOptions, storeDefinition } from './store-options.ts'

/** A look-up may read a row of each. */
const SEGMENTS_MAX = 1_000

export interface VersionedStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How far behind the highest timestamp ever put versions can be asked for, and put, ms. */
  readonly historyRetentionMs: number
  /**
   * Versions that are no longer valid expire by segments of this length, ms. Within one, the versions of a key are one row, which each of them
   * writes anew: shorter segments suit keys that change often, longer ones keys that do not. Default: Kafka Streams', a third of a history of up to a minute
   * (at least 2 s), a fifth up to five minutes (20 s), a twelfth up to an hour (1 min), a 24th beyond (5 min). At most 1,000 in a history.
   */
  readonly segmentIntervalMs?: number
}

/** Kafka Streams' Stores.persistentVersionedKeyValueStore. */
export function versionedStore<K, V>(where: string, options: VersionedStoreOptions<K, V>): StoreDefinition {
  checkOptions(where, options, [...STORE_OPTIONS, 'historyRetentionMs', 'segmentIntervalMs'])
  const definition = storeDefinition('versioned', where, options)
  const { historyRetentionMs } = options
  const store = `store ${definition.name}`
  checkDuration(store, 'historyRetentionMs', historyRetentionMs)
  const { segmentIntervalMs = defaultSegmentInterval(historyRetentionMs) } = options
  const intervalMin = Math.max(1, Math.ceil(historyRetentionMs / SEGMENTS_MAX))
  checkDuration(store, 'segmentIntervalMs', segmentIntervalMs, intervalMin)
  return { ...definition, versions: { historyRetentionMs, segmentIntervalMs } }
}

/** Kafka Streams' RocksDbVersionedKeyValueBytesStoreSupplier.defaultSegmentInterval. */
function defaultSegmentInterval(historyRetentionMs: number): number {
  if (historyRetentionMs <= 60_000) return Math.max(Math.floor(historyRetentionMs / 3), 2_000)
  if (historyRetentionMs <= 300_000) return Math.max(Math.floor(historyRetentionMs / 5), 20_000)
  if (historyRetentionMs <= 3_600_000) return Math.max(Math.floor(historyRetentionMs / 12), 60_000)
  return Math.max(Math.floor(historyRetentionMs / 24), 300_000)
}
