import type { StoreDefinition } from './definition.ts'
import { checkBoolean, checkOptions } from './options.ts'
import { STORE_OPTIONS, type StoreOptions, storeDefinition } from './store-options.ts'
import { TopologyError } from './topology-error.ts'

/** Segments are no shorter: each costs files of its own. */
const SEGMENT_INTERVAL_MIN_MS = 60_000

export interface SessionStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How far behind the highest time ever put rows are kept, ms. */
  readonly retentionMs: number
}

export interface WindowStoreOptions<K, V> extends SessionStoreOptions<K, V> {
  /** The length of each window, ms; no more than `retentionMs`. */
  readonly windowSizeMs: number
  /** Values of the same key and window are kept beside each other. Default: false, the last one stays. */
  readonly retainDuplicates?: boolean
}

/** Kafka Streams' Stores.persistentWindowStore. */
export function windowStore<K, V>(
  type: 'window' | 'timestamped-window',
  where: string,
  options: WindowStoreOptions<K, V>,
): StoreDefinition {
  checkOptions(where, options, [...STORE_OPTIONS, 'retentionMs', 'windowSizeMs', 'retainDuplicates'])
  const definition = storeDefinition(type, where, options)
  const { retentionMs, windowSizeMs, retainDuplicates = false } = options
  const store = `store ${definition.name}`
  checkDuration(store, 'retentionMs', retentionMs)
  checkDuration(store, 'windowSizeMs', windowSizeMs)
  checkBoolean(store, 'retainDuplicates', retainDuplicates)
  if (retentionMs < windowSizeMs) {
    throw new TopologyError(
      `${store}: retentionMs is ${retentionMs}; it must be no less than windowSizeMs, which is ${windowSizeMs}`,
    )
  }
  const segmentIntervalMs = segmentInterval(retentionMs)
  return { ...definition, windows: { retentionMs, segmentIntervalMs, windowSizeMs, retainDuplicates } }
}

/** Kafka Streams' Stores.persistentSessionStore. */
export function sessionStore<K, V>(where: string, options: SessionStoreOptions<K, V>): StoreDefinition {
  checkOptions(where, options, [...STORE_OPTIONS, 'retentionMs'])
  const definition = storeDefinition('session', where, options)
  const { retentionMs } = options
  checkDuration(`store ${definition.name}`, 'retentionMs', retentionMs)
  const segmentIntervalMs = segmentInterval(retentionMs)
  return {
    ...definition,
    windows: { retentionMs, segmentIntervalMs, windowSizeMs: 0, retainDuplicates: false },
  }
}

/** Kafka Streams' default. */
function segmentInterval(retentionMs: number): number {
  return Math.max(Math.floor(retentionMs / 2), SEGMENT_INTERVAL_MIN_MS)
}

function checkDuration(store: string, what: string, durationMs: unknown): void {
  if (!Number.isSafeInteger(durationMs) || (durationMs as number) < 0) {
    throw new TopologyError(
      `${store}: ${what} must be a whole number of milliseconds from 0, not ${String(durationMs)}`,
    )
  }
}
