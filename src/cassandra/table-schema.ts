/** What a table in Cassandra looks like, as the topology needs it. */

export interface ColumnDefinition {
  readonly name: string
  /** As Cassandra shows it. */
  readonly type: string
}

export interface ClusteringColumnDefinition extends ColumnDefinition {
  readonly order: 'asc' | 'desc'
}

/** A property of CREATE TABLE. */
export type TableOption = string | number | boolean | Readonly<Record<string, string | number | boolean>>

/** A table that rows are written to. */
export interface WrittenTable {
  readonly name: string
  readonly schema: TableSchema
}

/** How much of a partition is read. */
export interface PartitionLimits {
  readonly rowsMax: number
  /** Of the columns that are selected, about. */
  readonly bytesMax: number
}

export interface TableSchema {
  readonly name: string
  /** At least one. */
  readonly partitionKey: readonly ColumnDefinition[]
  readonly clusteringKey: readonly ClusteringColumnDefinition[]
  /** Besides the key. */
  readonly columns: readonly ColumnDefinition[]
  /** Rows may be written with a time to live. */
  readonly hasTtl: boolean
  /** Used when the table is created. */
  readonly options: Readonly<Record<string, TableOption>>
}
