/** What a keyspace has, against what tables of a topology need. */
import type { CassandraResultRow } from './session.ts'
import type { ColumnDefinition, TableSchema } from './table-schema.ts'

/** Reads system tables. */
export interface SchemaReader {
  read(query: string, params?: readonly unknown[]): Promise<readonly CassandraResultRow[]>
}

export interface TableComparison {
  readonly schema: TableSchema
  readonly exists: boolean
  /** What of it is not as the topology needs it, a line each. */
  readonly differences: readonly string[]
}

export interface KeyspaceComparison {
  readonly exists: boolean
  readonly tables: readonly TableComparison[]
}

interface PresentColumn {
  readonly name: string
  readonly kind: string
  readonly position: number
  readonly type: string
  readonly order: string
}

/** Columns that a topology does not know are left out: another one may write them, or the next version of it. */
export async function compareKeyspace(
  reader: SchemaReader,
  keyspace: string,
  schemas: readonly TableSchema[],
): Promise<KeyspaceComparison> {
  const keyspaces = await reader.read(
    'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?',
    [keyspace],
  )
  if (keyspaces.length === 0)
    return {
      exists: false,
      tables: schemas.map((schema) => ({ schema, exists: false, differences: [] })),
    }
  const tables: TableComparison[] = []
  for (const schema of schemas) {
    const rows = await reader.read(
      'SELECT column_name, kind, position, type, clustering_order FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
      [keyspace, schema.name],
    )
    const differences = rows.length === 0 ? [] : differencesOf(schema, rows.map(presentColumn))
    tables.push({ schema, exists: rows.length > 0, differences })
  }
  return { exists: true, tables }
}

/** One line for what keeps rows from being written; null: nothing does. */
export function keyspaceProblem(keyspace: string, { exists, tables }: KeyspaceComparison): string | null {
  const init = 'weir cassandra init creates what is missing'
  if (!exists) return `keyspace ${keyspace} (WEIR_CASSANDRA_KEYSPACE) does not exist in Cassandra: ${init}`
  const missing = tables.filter((table) => !table.exists).map(({ schema }) => schema.name)
  const different = tables.filter(({ differences }) => differences.length > 0)
  if (missing.length > 0) {
    const names = missing.length === 1 ? `table ${missing[0]} does` : `tables ${missing.join(', ')} do`
    return `${names} not exist in keyspace ${keyspace} in Cassandra: ${init}`
  }
  return different.length === 0 ? null : different.map(differenceLine(keyspace)).join('; ')
}

/** For messages: a table that is not as the topology needs it. */
export function differenceLine(keyspace: string): (table: TableComparison) => string {
  return ({ schema, differences }) =>
    `table ${schema.name} of keyspace ${keyspace} is not what the topology needs: ${differences.join(', ')}; weir cassandra init --print shows what is needed`
}

function presentColumn(row: CassandraResultRow): PresentColumn {
  return {
    name: String(row.column_name),
    kind: String(row.kind),
    position: Number(row.position),
    type: String(row.type),
    order: String(row.clustering_order),
  }
}

function differencesOf(schema: TableSchema, present: readonly PresentColumn[]): string[] {
  const keyOf = (kind: string): PresentColumn[] =>
    present.filter((column) => column.kind === kind).sort((a, b) => a.position - b.position)
  const differences: string[] = []
  const compareKey = (what: string, is: string, needed: string): void => {
    if (is !== needed) differences.push(`its ${what} is ${is}, not ${needed}`)
  }
  compareKey('partition key', keyText(keyOf('partition_key')), keyText(schema.partitionKey))
  compareKey(
    'clustering key',
    keyText(keyOf('clustering').map(({ name, type, order }) => ({ name, type: `${type} ${order}` }))),
    keyText(schema.clusteringKey.map(({ name, type, order }) => ({ name, type: `${type} ${order}` }))),
  )
  const byName = new Map(present.map((column) => [column.name, column]))
  for (const { name, type } of schema.columns) {
    const column = byName.get(name)
    if (column === undefined) differences.push(`column ${name} ${type} is missing`)
    else if (column.kind !== 'regular') differences.push(`column ${name} is ${kindText(column.kind)}`)
    else if (column.type !== type) differences.push(`column ${name} is ${column.type}, not ${type}`)
  }
  return differences
}

function keyText(columns: readonly ColumnDefinition[]): string {
  return columns.length === 0 ? 'none' : `(${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})`
}

function kindText(kind: string): string {
  return kind === 'static' ? 'static' : 'in the key'
}
