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
  /** Settings of the changelog topic besides Weir's own. Default: none. */
  readonly changelogConfig?: Readonly<Record<string, string>>
}

const OPTIONS = ['name', 'key', 'value', 'logging', 'changelogConfig']

function keyValueStore<K, V>(
  type: StoreType,
  where: string,
  options: KeyValueStoreOptions<K, V>,
): StoreDefinition {
  checkOptions(where, options, OPTIONS)
  const { name, key, value, logging = true, changelogConfig = {} } = options
  checkName(where, 'name', name)
  const store = `store ${name}`
  checkSerde(store, 'key', key)
  checkSerde(store, 'value', value)
  checkBoolean(store, 'logging', logging)
  checkChangelogConfig(store, changelogConfig)
  if (!logging && Object.keys(changelogConfig).length > 0) {
    throw new TopologyError(`${store}: changelogConfig is given, but logging is false`)
  }
  return { type, name, key, value, logging, changelogConfig }
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
  /** A persistent key-value store: `KeyValueStore<K, V>`. */
  keyValue<K, V>(options: KeyValueStoreOptions<K, V>): StoreDefinition {
    return keyValueStore('key-value', 'stores.keyValue', options)
  },
  /** A persistent key-value store whose values carry a timestamp, as the DSL's tables: `TimestampedKeyValueStore<K, V>`. */
  timestampedKeyValue<K, V>(options: KeyValueStoreOptions<K, V>): StoreDefinition {
    return keyValueStore('timestamped-key-value', 'stores.timestampedKeyValue', options)
  },
} as const
