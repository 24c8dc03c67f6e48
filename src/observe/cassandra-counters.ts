/** What a stream thread counts of its requests to Cassandra, since it began. */
export class CassandraCounters {
  retries = 0
  /** By reason. */
  readonly errors = new Map<string, number>()
  /** By table. */
  readonly rows = new Map<string, number>()

  failed(reason: string): void {
    this.errors.set(reason, (this.errors.get(reason) ?? 0) + 1)
  }

  written(table: string, rows: number): void {
    this.rows.set(table, (this.rows.get(table) ?? 0) + rows)
  }
}
