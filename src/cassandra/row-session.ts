import type { WeirError } from '../errors/weir-error.ts'
import type { CassandraSettings } from './cassandra-settings.ts'
import type { CassandraTable } from './cassandra-table.ts'
import { type TableStatements, tableStatements } from './cql.ts'
import { compareKeyspace, keyspaceProblem } from './keyspace-schema.ts'
import type { RowWrite } from './row-write.ts'
import type { RowSession } from './row-writer.ts'
import { CassandraSession, type Statement } from './session.ts'

/** Rows as statements of a session. */
export class CassandraRowSession implements RowSession {
  readonly #session: CassandraSession
  readonly #keyspace: string
  readonly #observe: (seconds: number) => void
  readonly #statements = new Map<CassandraTable, TableStatements>()

  /** @param observe how long a request took */
  static async open(
    settings: CassandraSettings,
    observe: (seconds: number) => void,
  ): Promise<CassandraRowSession> {
    return new CassandraRowSession(await CassandraSession.open(settings), settings.keyspace ?? '', observe)
  }

  private constructor(session: CassandraSession, keyspace: string, observe: (seconds: number) => void) {
    this.#session = session
    this.#keyspace = keyspace
    this.#observe = observe
  }

  async write(table: CassandraTable, rows: readonly RowWrite[]): Promise<void> {
    const statements = this.#statementsOf(table)
    const started = performance.now()
    try {
      await this.#session.write(rows.map((row) => statementOf(row, statements, table.schema.hasTtl)))
    } finally {
      this.#observe((performance.now() - started) / 1_000)
    }
  }

  async problemOf({ schema }: CassandraTable): Promise<string | null> {
    return keyspaceProblem(this.#keyspace, await compareKeyspace(this.#session, this.#keyspace, [schema]))
  }

  connect(): Promise<void> {
    return this.#session.connect()
  }

  named(error: unknown): WeirError {
    return this.#session.named(error)
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  #statementsOf(table: CassandraTable): TableStatements {
    let statements = this.#statements.get(table)
    if (statements === undefined) {
      statements = tableStatements(this.#keyspace, table.schema)
      this.#statements.set(table, statements)
    }
    return statements
  }
}

function statementOf(
  { key, values, timestampUs, ttlSeconds }: RowWrite,
  statements: TableStatements,
  hasTtl: boolean,
): Statement {
  const timestamp = BigInt(timestampUs)
  if (values === null) return { query: statements.delete, params: [timestamp, ...key] }
  const ttl = hasTtl ? [ttlSeconds] : []
  return { query: statements.insert, params: [...key, ...values, timestamp, ...ttl] }
}
