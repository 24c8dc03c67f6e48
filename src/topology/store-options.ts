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
}

/** The options of every store. */
export const STORE_OPTIONS = ['name', 'key', 'value', 'logging', 'changelogConfig']

/** What all stores have. REQUIRES options without unknown keys. */
export function storeDefinition<K, V>(
  type: StoreType,
  where: string,
  options: StoreOptions<K, V>,
): StoreDefinition {
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
