import { isTtl, TABLE_NAME, tableOptions, ttlMessage } from '../cassandra/cassandra-table.ts'
import type { TableOption, TableSchema } from '../cassandra/table-schema.ts'
import { CHANGELOG_ENDS_MAX } from '../commit/changelog-ends.ts'
import type { NodeDefinition, StoreDefinition, SubtopologyDefinition, TierDefinition } from './definition.ts'
import { checkOptions } from './options.ts'
import { STORE_OPTIONS, type StoreOptions, storeDefinition } from './store-options.ts'
import { TopologyError } from './topology-error.ts'

export interface TieredStoreOptions<K, V> extends Omit<StoreOptions<K, V>, 'logging'> {
  /** In the keyspace of WEIR_CASSANDRA_KEYSPACE; up to 48 letters, digits and underscores. Default: the store's name. */
  readonly table?: string
  /** After how many seconds a row is gone that was not put again; up to 20 years. What a task has here of it goes with the next that is emptied. Default: never. */
  readonly ttlSeconds?: number
  /** What each task keeps of the store on its disk, bytes: a whole number from 0. Default: WEIR_TIERED_STORE_LOCAL_BYTES. */
  readonly localBytesMax?: number
  /** Properties of CREATE TABLE, for `weir cassandra init`. Default: none. */
  readonly with?: Readonly<Record<string, TableOption>>
}

/** The options of every tiered store. */
export const TIERED_OPTIONS = [
  ...STORE_OPTIONS.filter((option) => option !== 'logging'),
  'table',
  'ttlSeconds',
  'localBytesMax',
  'with',
]

/** @throws TopologyError */
export function tieredStore<K, V>(where: string, options: TieredStoreOptions<K, V>): StoreDefinition {
  checkOptions(where, options, TIERED_OPTIONS)
  const definition = storeDefinition('tiered-key-value', where, options)
  const columns = { partitionKey: [{ name: 'key', type: 'blob' }], clusteringKey: [] }
  return { ...definition, tier: tierDefinition(definition.name, options, columns) }
}

/** @param name of the store. @throws TopologyError */
export function tierDefinition(
  name: string,
  options: Pick<TieredStoreOptions<unknown, unknown>, 'table' | 'ttlSeconds' | 'localBytesMax' | 'with'>,
  columns: Pick<TableSchema, 'partitionKey' | 'clusteringKey'>,
): TierDefinition {
  const store = `store ${name}`
  const { table = name, ttlSeconds = 0, localBytesMax = null, with: properties = {} } = options
  if (typeof table !== 'string' || !TABLE_NAME.test(table))
    throw new TopologyError(
      `${store}: its table is ${JSON.stringify(table)}; allowed are up to 48 letters, digits and underscores: give it another by table`,
    )
  if (!isTtl(ttlSeconds)) throw new TopologyError(`${store}: ${ttlMessage(ttlSeconds)}`)
  if (localBytesMax !== null && !(Number.isSafeInteger(localBytesMax) && localBytesMax >= 0))
    throw new TopologyError(
      `${store}: localBytesMax is ${String(localBytesMax)}; allowed is a whole number of bytes from 0`,
    )
  const schema: TableSchema = {
    name: table,
    ...columns,
    columns: [
      { name: 'value', type: 'blob' },
      { name: 'ts', type: 'bigint' },
    ],
    hasTtl: ttlSeconds > 0,
    options: tableOptions(store, properties),
  }
  return { table: { name: table, schema }, ttlSeconds, localBytesMax }
}

/** No store of a topology has such a name. */
const LOADED = '#loaded'

/** What a task's database calls the part of a tiered store that came from Cassandra. */
export function loadedName(store: string): string {
  return `${store}${LOADED}`
}

export function isLoadedName(name: string): boolean {
  return name.endsWith(LOADED)
}

/** The tiered store's name, of either of its parts. */
export function ownName(name: string): string {
  return isLoadedName(name) ? name.slice(0, -LOADED.length) : name
}

/** Stores of which Cassandra has everything. */
export function tieredStores(stores: readonly StoreDefinition[]): StoreDefinition[] {
  return stores.filter(({ tier }) => tier !== undefined)
}

/** @throws TopologyError for a table that is a sink's, or another store's, too */
export function checkTierTables(
  nodes: readonly NodeDefinition[],
  stores: ReadonlyMap<string, StoreDefinition>,
): void {
  const users = new Map<string, string>()
  for (const node of nodes)
    if (node.kind === 'cassandra-sink') users.set(node.table.name, `sink ${node.name}`)
  for (const { name, tier } of stores.values()) {
    if (tier === undefined) continue
    const other = users.get(tier.table.name)
    if (other !== undefined)
      throw new TopologyError(
        `store ${name}: table ${tier.table.name} in Cassandra is that of ${other}; it needs one of its own`,
      )
    users.set(tier.table.name, `store ${name}`)
  }
}

/**
 * Where a changelog ended is committed with all of a task's offsets, which does not go with topics that come and go.
 *
 * @throws TopologyError
 */
export function checkTieredSubtopologies(subtopologies: readonly SubtopologyDefinition[]): void {
  for (const { nodes, stores } of subtopologies) {
    const [store] = tieredStores(stores)
    if (store === undefined) continue
    const source = nodes.find((node) => node.kind === 'source' && node.pattern !== undefined)
    if (source !== undefined)
      throw new TopologyError(
        `store ${store.name} is tiered, and source ${source.name} in its sub-topology reads topics by a pattern: name them, or repartition between the two`,
      )
    if (stores.length > CHANGELOG_ENDS_MAX)
      throw new TopologyError(
        `store ${store.name} is tiered, and its sub-topology has ${stores.length} stores; allowed are ${CHANGELOG_ENDS_MAX}`,
      )
  }
}
