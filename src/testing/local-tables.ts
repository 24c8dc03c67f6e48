import type { CassandraTable } from '../cassandra/cassandra-table.ts'
import { textOf } from '../cassandra/column-types.ts'
import type { RefusedRow, RowWrite, TaskRows } from '../cassandra/row-write.ts'

/** A row of a table in Cassandra, by its columns: what the topology gave, null where it gave nothing. */
export type TestRow = Readonly<Record<string, unknown>>

interface KeptRow {
  readonly write: RowWrite
  /** When it is gone, ms; Infinity: never. */
  readonly expiresMs: number
}

/** Tables of a test, in the place of Cassandra: of two writes to a row that with the later timestamp stays, deletions included. */
export class LocalTables implements TaskRows {
  readonly isFull = false
  readonly isHeldUp = false
  readonly wantsCommit = false
  readonly #systemTimeMs: () => number
  /** By the table's name, then by the key. */
  readonly #tables = new Map<string, Map<string, KeptRow>>()
  #refused: RefusedRow[] = []

  constructor(systemTimeMs: () => number) {
    this.#systemTimeMs = systemTimeMs
  }

  add(write: RowWrite): void {
    const { table, key, timestampUs, ttlSeconds } = write
    const rows = this.#tables.get(table.name) ?? new Map<string, KeptRow>()
    this.#tables.set(table.name, rows)
    const place = JSON.stringify(key.map(textOf))
    const present = rows.get(place)
    if (present !== undefined && present.write.timestampUs > timestampUs) return
    const expiresMs = ttlSeconds === 0 ? Number.POSITIVE_INFINITY : this.#systemTimeMs() + ttlSeconds * 1_000
    rows.set(place, { write, expiresMs })
  }

  async written(): Promise<void> {}

  refuse(refused: RefusedRow): void {
    this.#refused.push(refused)
  }

  takeRefused(): readonly RefusedRow[] {
    const refused = this.#refused
    this.#refused = []
    return refused
  }

  settled(): Promise<boolean> {
    return Promise.resolve(true)
  }

  hasRoom(): Promise<boolean> {
    return Promise.resolve(true)
  }

  close(): void {}

  /** In order of the partition keys, and within a partition as the table has its rows. */
  rows({ name, schema }: CassandraTable): TestRow[] {
    const now = this.#systemTimeMs()
    const kept = [...(this.#tables.get(name)?.values() ?? [])].filter(
      ({ write, expiresMs }) => write.values !== null && expiresMs > now,
    )
    const orders = [
      ...schema.partitionKey.map(() => 1),
      ...schema.clusteringKey.map(({ order }) => (order === 'asc' ? 1 : -1)),
    ]
    const sorted = kept.sort((a, b) => {
      for (const [index, order] of orders.entries()) {
        const compared = order * compare(a.write.key[index], b.write.key[index])
        if (compared !== 0) return compared
      }
      return 0
    })
    const columns = [...schema.partitionKey, ...schema.clusteringKey, ...schema.columns]
    return sorted.map(({ write: { key, values } }) => {
      const all = [...key, ...values!]
      return Object.fromEntries(columns.map((column, index) => [column.name, all[index]]))
    })
  }
}

function compare(a: unknown, b: unknown): number {
  if (Buffer.isBuffer(a)) return Buffer.compare(a, b as Buffer)
  const [left, right] = [a, b] as [number, number]
  return left < right ? -1 : left > right ? 1 : 0
}
