import { type CassandraColumns, CassandraTable, type CassandraTableOptions } from './cassandra-table.ts'
import type { CqlType, ScalarType } from './column-types.ts'

/** Tables in Cassandra, for `stream.to` and `topology.addCassandraSink`. */
export const cassandra = {
  /**
   * A table that records are written to, each as a row.
   *
   * @throws TopologyError for what is no table
   *
   * @example
   * const profiles = cassandra.table({
   *   name: 'profiles',
   *   partitionKey: { user: 'text' },
   *   columns: { views: 'bigint', seen: 'timestamp' },
   *   map: (user: string, profile: Profile, { timestamp }) => ({ views: profile.views, seen: timestamp }),
   * })
   * builder.stream('profiles', { key: serdes.string, value: serdes.json<Profile>() }).to(profiles)
   */
  table<
    K,
    V,
    const P extends CassandraColumns<ScalarType>,
    const C extends CassandraColumns<ScalarType> = Record<never, ScalarType>,
    const R extends CassandraColumns = Record<never, CqlType>,
  >(options: CassandraTableOptions<K, V, P, C, R>): CassandraTable<K, V> {
    return new CassandraTable(options as unknown as ConstructorParameters<typeof CassandraTable<K, V>>[0])
  },
} as const
