/** How many replicas must have answered. By Cassandra's names. */
export const CONSISTENCY_LEVELS = [
  'ANY',
  'ONE',
  'TWO',
  'THREE',
  'QUORUM',
  'ALL',
  'LOCAL_QUORUM',
  'EACH_QUORUM',
  'LOCAL_ONE',
] as const

export type ConsistencyLevel = (typeof CONSISTENCY_LEVELS)[number]

/** How Cassandra is reached. Holds secrets: never logged. */
export interface CassandraSettings {
  /** Each `host` or `host:port`; none: it is not set. */
  readonly contactPoints: readonly string[]
  readonly localDatacenter: string | null
  readonly keyspace: string | null
  readonly username: string | null
  readonly password: string | null
  /** null: connections are not encrypted. */
  readonly ssl: CassandraSslSettings | null
  readonly writeConsistency: ConsistencyLevel
  readonly readConsistency: ConsistencyLevel
  /** How long one node may take to answer. */
  readonly requestTimeoutMs: number
  /** Of one stream thread, on their way at the same time. */
  readonly requestsMax: number
  /** Rows that wait in one stream thread, about as many bytes as they have in Cassandra. */
  readonly queueBytes: number
}

export interface CassandraSslSettings {
  /** PEM files. */
  readonly caLocation: string | null
  readonly certificateLocation: string | null
  readonly keyLocation: string | null
  readonly keyPassword: string | null
  /** Whether a node's certificate has to carry the name or the address that it is reached by. */
  readonly checksHostname: boolean
}
