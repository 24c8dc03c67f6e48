import { type PrefixKey, prefixKeySerde } from '../serde/prefix-key.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDefinition } from './definition.ts'
import { checkName, checkOptions, checkSerde } from './options.ts'
import { storeDefinition } from './store-options.ts'
import { TIERED_OPTIONS, type TieredStoreOptions, tierDefinition } from './tiered-stores.ts'
import { TopologyError } from './topology-error.ts'

export interface TieredPrefixStoreOptions<P, R, V> extends Omit<TieredStoreOptions<P, V>, 'key'> {
  /** Of the keys' beginnings: rows of one prefix are one partition in Cassandra. */
  readonly prefix: Serde<P>
  /** Of what tells the rows of a prefix apart. */
  readonly rest: Serde<R>
  /** A prefix with more rows is not loaded: reads of it throw. Default: 10,000. */
  readonly prefixRowsMax?: number
  /** A prefix whose rests and values take more, bytes, is not loaded: reads of it throw. Default: 16 MiB. */
  readonly prefixBytesMax?: number
}

const PREFIX_ROWS_MAX = 10_000
const PREFIX_BYTES_MAX = 16 * 2 ** 20

const OPTIONS = [
  ...TIERED_OPTIONS.filter((option) => option !== 'key'),
  'prefix',
  'rest',
  'prefixRowsMax',
  'prefixBytesMax',
]

/** @throws TopologyError */
export function tieredPrefixStore<P, R, V>(options: TieredPrefixStoreOptions<P, R, V>): StoreDefinition {
  const where = 'stores.tieredByPrefix'
  checkOptions(where, options, OPTIONS)
  const { prefix, rest, prefixRowsMax = PREFIX_ROWS_MAX, prefixBytesMax = PREFIX_BYTES_MAX } = options
  checkName(where, 'name', options.name)
  const store = `store ${options.name}`
  checkSerde(store, 'prefix', prefix)
  checkSerde(store, 'rest', rest)
  checkLimit(store, 'prefixRowsMax', prefixRowsMax)
  checkLimit(store, 'prefixBytesMax', prefixBytesMax)
  const { name, value, changelogConfig, rocksdb } = options
  const definition = storeDefinition<PrefixKey<P, R>, V>('tiered-by-prefix', where, {
    name,
    key: prefixKeySerde(prefix, rest),
    value,
    ...(changelogConfig !== undefined && { changelogConfig }),
    ...(rocksdb !== undefined && { rocksdb }),
  })
  const tier = tierDefinition(name, options, {
    partitionKey: [{ name: 'prefix', type: 'blob' }],
    clusteringKey: [{ name: 'rest', type: 'blob', order: 'asc' }],
  })
  return {
    ...definition,
    tier: { ...tier, prefixes: { rowsMax: prefixRowsMax, bytesMax: prefixBytesMax } },
  }
}

function checkLimit(store: string, what: string, limit: unknown): void {
  // The statement's LIMIT is one more, and has 32 bits.
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) >= 2 ** 31 - 1)
    throw new TopologyError(
      `${store}: ${what} is ${String(limit)}; allowed is a whole number from 1 to 2^31 - 2`,
    )
}
