import type { RecordFormatter } from '../process/operators/print.ts'
import type { Serde } from '../serde/serde.ts'
import type { OffsetReset, Partitioner, StoreDefinition, TimestampExtractor } from '../topology/definition.ts'
import { checkBoolean, checkName, checkOptions } from '../topology/options.ts'
import type { StoreRocksDbOptions } from '../topology/store-options.ts'
import { stores } from '../topology/stores.ts'
import { TopologyError } from '../topology/topology-error.ts'

export interface NameOption {
  /** The processor's name. Default: generated, as Kafka Streams does. */
  readonly name?: string
}

export interface ConsumedOptions<K, V> extends NameOption {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Where a group without committed offsets begins. Default: WEIR_AUTO_OFFSET_RESET. */
  readonly offsetReset?: OffsetReset
  /** Default: the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor
}

/** How a table keeps its rows. Kafka Streams' Materialized. */
export interface StoreOptions {
  /** The store's name. Default: generated; for a table that needs no store, none. */
  readonly store?: string
  /** Default: true. False keeps no changelog: the rows are lost with the disk. */
  readonly logging?: boolean
  /** Default: false, rows are kept in RocksDB. True keeps them in memory only; they come back from the changelog. */
  readonly inMemory?: boolean
  /**
   * Default: false, every change is forwarded. True forwards the last change of each key, at a commit or when the cache is full
   * (WEIR_STATESTORE_CACHE_MAX_BYTES); its old value is then that of the last time.
   */
  readonly caching?: boolean
  /** Settings of the changelog topic besides Weir's own. Default: none. */
  readonly changelogConfig?: Readonly<Record<string, string>>
  /** RocksDB's settings for this store alone, by RocksDB's names, over those of WEIR_ROCKSDB_*. Default: none. */
  readonly rocksdb?: StoreRocksDbOptions
}

/** A table that keeps the versions of its rows (KIP-889, KIP-914). Kafka Streams' Materialized with a versioned store. */
export interface VersionsOptions {
  /**
   * Makes the table's store a versioned one: rows can be asked for as they were, so far behind the highest timestamp, ms; a record that is older is
   * dropped. Needs `store`. Default: the table has its present rows alone.
   */
  readonly historyRetentionMs?: number
  /** As of `stores.versioned`. */
  readonly segmentIntervalMs?: number
}

export interface TableOptions<K, V> extends ConsumedOptions<K, V>, StoreOptions, VersionsOptions {}

export interface MaterializedOptions<K, V> extends NameOption, StoreOptions, VersionsOptions {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
}

/** Kafka Streams' Printed. */
export interface PrintOptions<K, V> extends NameOption {
  /** What lines begin with. Default: the name of the node above. */
  readonly label?: string
  /** What stands for a record. Default: `key, value`, objects as JSON. */
  readonly format?: RecordFormatter<K, V>
  /** Gets each line, without its end. Default: the process's standard output. */
  readonly write?: (line: string) => void
}

/** How a windowed aggregate keeps its rows. Kafka Streams' Materialized with a window or session store. */
export interface WindowedMaterializedOptions<K, V>
  extends Omit<MaterializedOptions<K, V>, keyof VersionsOptions> {
  /** How far behind the latest window windows are kept, ms. Default: as long as they take records, which is the least that is allowed. */
  readonly retentionMs?: number
}

export interface ProduceOptions<K, V> extends NameOption {
  /** Chooses each record's partition, or several. Default: murmur2 of the key's bytes, as Kafka's own. */
  readonly partitioner?: Partitioner<K, V>
}

export interface RepartitionOptions<K, V> {
  /** The topic's name is `<application>-<name>-repartition`. Default: generated. */
  readonly name?: string
  /** Default: as many as the sub-topology that writes it has tasks. */
  readonly partitions?: number
  /** Chooses each record's partition, or several. Default: murmur2 of the key's bytes, as Kafka's own. */
  readonly partitioner?: Partitioner<K, V>
}

export interface ProcessOptions extends NameOption {
  /** Names of the stores that it uses, which were added by addStateStore. Default: none. */
  readonly stores?: readonly string[]
  /** Of `stores`, those that it reads by the record's own key: their rows are fetched ahead, a batch at a time. Default: none. */
  readonly readsByKey?: readonly string[]
}

export interface AsyncOptions extends NameOption {
  /** Promises under way at once for each task, 1 to 10,000. Default: 16. */
  readonly concurrency?: number
}

export interface AsyncProcessOptions extends ProcessOptions, AsyncOptions {}

export const CONSUMED = ['key', 'value', 'name', 'offsetReset', 'timestampExtractor']
export const STORE = ['store', 'logging', 'inMemory', 'caching', 'changelogConfig', 'rocksdb']
export const VERSIONS = ['historyRetentionMs', 'segmentIntervalMs']
export const MATERIALIZED = ['key', 'value', 'name', ...STORE, ...VERSIONS]
export const WINDOWED_MATERIALIZED = ['key', 'value', 'name', ...STORE, 'retentionMs']

/** Checks what every step has: known options, a name that topics can have. */
export function checkStep(
  where: string,
  options: (NameOption & object) | undefined,
  allowed: readonly string[],
): void {
  checkOptions(where, options, allowed)
  if (options?.name !== undefined) checkName(where, 'name', options.name)
}

export function checkStoreOptions(
  where: string,
  options: (StoreOptions & VersionsOptions) | undefined,
): void {
  if (options?.store !== undefined) checkName(where, 'store', options.store)
  checkBoolean(where, 'logging', options?.logging)
  checkBoolean(where, 'inMemory', options?.inMemory)
  checkBoolean(where, 'caching', options?.caching)
  if (options !== undefined) checkVersions(where, options)
}

function checkVersions(where: string, options: StoreOptions & VersionsOptions): void {
  const { historyRetentionMs, segmentIntervalMs, store, inMemory, caching } = options
  if (historyRetentionMs === undefined) {
    if (segmentIntervalMs !== undefined)
      throw new TopologyError(`${where}: segmentIntervalMs is given without historyRetentionMs`)
    return
  }
  if (store === undefined)
    throw new TopologyError(`${where}: historyRetentionMs is given without a name: give { store }`)
  if (inMemory === true || caching === true)
    throw new TopologyError(
      `${where}: ${inMemory === true ? 'inMemory' : 'caching'} is true, but the versioned store ${store} cannot have it`,
    )
}

/** True when the options say anything about a store, as giving a Materialized does in Java. */
export function asksForStore<K, V>(options: MaterializedOptions<K, V> | undefined): boolean {
  if (options === undefined) return false
  const { name: _, ...ofStore } = options
  return Object.values(ofStore).some((option) => option !== undefined)
}

/** The store of a table or an aggregate. */
export function tableStore<K, V>(
  name: string,
  key: Serde<K>,
  value: Serde<V>,
  options: (StoreOptions & VersionsOptions) | undefined,
): StoreDefinition {
  const { historyRetentionMs, segmentIntervalMs } = options ?? {}
  if (historyRetentionMs !== undefined) {
    const { inMemory: _, caching: __, ...given } = givenStoreOptions(options)
    const versions = { historyRetentionMs, ...(segmentIntervalMs !== undefined && { segmentIntervalMs }) }
    return stores.versioned({ name, key, value, ...given, ...versions })
  }
  return stores.timestampedKeyValue({ name, key, value, ...givenStoreOptions(options) })
}

/** The options of `stores` that were given: they have the same names there. */
export function givenStoreOptions(options: StoreOptions | undefined): Omit<StoreOptions, 'store'> {
  const { logging, inMemory, caching, changelogConfig, rocksdb } = options ?? {}
  return {
    ...(logging !== undefined && { logging }),
    ...(inMemory !== undefined && { inMemory }),
    ...(caching !== undefined && { caching }),
    ...(changelogConfig !== undefined && { changelogConfig }),
    ...(rocksdb !== undefined && { rocksdb }),
  }
}
