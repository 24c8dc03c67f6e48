/** The statements of a table. Names are quoted: they are what they are, in upper and lower case. */
import type { TableOption, TableSchema } from './table-schema.ts'

export interface TableStatements {
  /** Bound: key and other columns in their order, the timestamp, and the TTL where the table has one. */
  readonly insert: string
  /** Bound: the timestamp, then the key's columns. */
  readonly delete: string
}

export function quoted(name: string): string {
  return `"${name}"`
}

/** `"shop"."profiles"`. */
export function qualified(keyspace: string, table: string): string {
  return `${quoted(keyspace)}.${quoted(table)}`
}

export function tableStatements(keyspace: string, schema: TableSchema): TableStatements {
  const { name, partitionKey, clusteringKey, columns, hasTtl } = schema
  const key = [...partitionKey, ...clusteringKey]
  const all = [...key, ...columns].map((column) => quoted(column.name))
  const isKey = key.map((column) => `${quoted(column.name)} = ?`).join(' AND ')
  const table = qualified(keyspace, name)
  const using = `USING TIMESTAMP ?${hasTtl ? ' AND TTL ?' : ''}`
  return {
    insert: `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')}) ${using}`,
    delete: `DELETE FROM ${table} USING TIMESTAMP ? WHERE ${isKey}`,
  }
}

/** Rows of partitions that have one row each, with the key, which is one column. Bound: a list of keys. */
export function selectSomeStatement(keyspace: string, schema: TableSchema): string {
  const [key] = schema.partitionKey.map(({ name }) => quoted(name))
  const selected = [key, ...schema.columns.map((column) => quoted(column.name))].join(', ')
  return `SELECT ${selected} FROM ${qualified(keyspace, schema.name)} WHERE ${key} IN ?`
}

/** The rows of a partition, besides its key. Bound: the partition key's columns, and how many rows. */
export function selectPartitionStatement(keyspace: string, schema: TableSchema): string {
  const { name, partitionKey, clusteringKey, columns } = schema
  const selected = [...clusteringKey, ...columns].map((column) => quoted(column.name)).join(', ')
  const partition = partitionKey.map((column) => `${quoted(column.name)} = ?`).join(' AND ')
  return `SELECT ${selected} FROM ${qualified(keyspace, name)} WHERE ${partition} LIMIT ?`
}

export function createTable(keyspace: string, schema: TableSchema): string {
  const { name, partitionKey, clusteringKey, columns, options } = schema
  const lines = [...partitionKey, ...clusteringKey, ...columns].map(
    (column) => `  ${quoted(column.name)} ${column.type}`,
  )
  const names = (some: readonly { readonly name: string }[]): string =>
    some.map((column) => quoted(column.name)).join(', ')
  const clustering = clusteringKey.length === 0 ? '' : `, ${names(clusteringKey)}`
  const order = clusteringKey.map((column) => `${quoted(column.name)} ${column.order.toUpperCase()}`)
  const properties = [
    ...(order.length > 0 ? [`CLUSTERING ORDER BY (${order.join(', ')})`] : []),
    ...Object.entries(options).map(([option, value]) => `${option} = ${optionText(value)}`),
  ]
  return [
    `CREATE TABLE IF NOT EXISTS ${qualified(keyspace, name)} (`,
    `${lines.join(',\n')},`,
    `  PRIMARY KEY ((${names(partitionKey)})${clustering})`,
    `)${properties.length > 0 ? ` WITH ${properties.join('\n  AND ')}` : ''};`,
  ].join('\n')
}

/** @param replication the copies that each data centre has */
export function createKeyspace(keyspace: string, replication: ReadonlyMap<string, number>): string {
  const copies = [...replication].map(([datacenter, count]) => `${literal(datacenter)}: ${count}`)
  return `CREATE KEYSPACE IF NOT EXISTS ${quoted(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', ${copies.join(', ')}};`
}

function optionText(value: TableOption): string {
  if (typeof value !== 'object') return typeof value === 'string' ? literal(value) : String(value)
  const entries = Object.entries(value).map(([name, one]) => `${literal(name)}: ${literal(String(one))}`)
  return `{${entries.join(', ')}}`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
