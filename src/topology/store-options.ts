import { storeSetting } from '../config/rocksdb-settings.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition, StoreType } from './definition.ts'
import { checkBoolean, checkName, checkSerde, kindOf } from './options.ts'
import { TopologyError } from './topology-error.ts'

export interface StoreOptions<K, V> {
  /** Also part of the changelog's name, `<application>-<name>-changelog`. */
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Default: true. False keeps no changelog: the store is empty after its disk is lost. */
  readonly logging?: boolean
  /** Settings of the changelog topic besides Weir's own. Default: none. */
  readonly changelogConfig?: Readonly<Record<string, string>>
  /**
   * RocksDB's settings for this store alone, by RocksDB's names: those of a column family (`compaction_style`) or of its tables (`block_size`),
   * over those of WEIR_ROCKSDB_*. Those with a variable take what that variable takes; docs/configuration.md has the table. What RocksDB
   * refuses stops the start. Default: none. Kafka Streams' RocksDBConfigSetter.
   */
  readonly rocksdb?: StoreRocksDbOptions
}

export type StoreRocksDbOptions = Readonly<Record<string, string | number | boolean>>

/** The options of every store. */
export const STORE_OPTIONS = ['name', 'key', 'value', 'logging', 'changelogConfig', 'rocksdb']

/** What all stores have. REQUIRES options without unknown keys. */
export function storeDefinition<K, V>(
  type: StoreType,
  where: string,
  options: StoreOptions<K, V>,
): StoreDefinition {
  const { name, key, value, logging = true, changelogConfig = {}, rocksdb } = options
  checkName(where, 'name', name)
  const store = `store ${name}`
  checkSerde(store, 'key', key)
  checkSerde(store, 'value', value)
  checkBoolean(store, 'logging', logging)
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
    changelogConfig,
    ...(rocksdb !== undefined && { rocksdb: rocksDbSettings(store, rocksdb) }),
  }
}

/** A store in memory is not in RocksDB. */
export function checkNoRocksDb({ name, rocksdb }: StoreDefinition, inMemory: boolean): void {
  if (inMemory && rocksdb !== undefined)
    throw new TopologyError(`store ${name}: rocksdb is given, but its rows are in memory`)
}

export function checkDuration(store: string, what: string, durationMs: unknown, min = 0): void {
  if (!Number.isSafeInteger(durationMs) || (durationMs as number) < min) {
    throw new TopologyError(
      `${store}: ${what} must be a whole number of milliseconds from ${min}, not ${String(durationMs)}`,
    )
  }
}

/** In RocksDB's words. Names are checked when the application starts: RocksDB knows them. */
function rocksDbSettings(store: string, rocksdb: unknown): Readonly<Record<string, string>> {
  if (typeof rocksdb !== 'object' || rocksdb === null || Array.isArray(rocksdb))
    throw new TopologyError(`${store}: rocksdb must be an object, not ${kindOf(rocksdb)}`)
  return Object.fromEntries(
    Object.entries(rocksdb).map(([name, value]) => {
      const checked = storeSetting(name, value)
      if ('problem' in checked) throw new TopologyError(`${store}: rocksdb: ${checked.problem}`)
      return [name, checked.value]
    }),
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
