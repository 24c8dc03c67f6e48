import type { WeirError } from '../errors/weir-error.ts'
import type { CassandraSettings } from './cassandra-settings.ts'
import {
  selectPartitionStatement,
  selectSomeStatement,
  type TableStatements,
  tableStatements,
} from './cql.ts'
import { compareKeyspace, keyspaceProblem } from './keyspace-schema.ts'
import type { ReadSession } from './row-reader.ts'
import type { RowWrite } from './row-write.ts'
import type { RowSession } from './row-writer.ts'
import { type CassandraResultRow, CassandraSession, type Statement } from './session.ts'
import type { PartitionLimits, WrittenTable } from './table-schema.ts'

/** Rows as statements of a session. */
export class CassandraRowSession implements RowSession, ReadSession {
  readonly #session: CassandraSession
  readonly #keyspace: string
  readonly #observe: (seconds: number) => void
  readonly #statements = new Map<WrittenTable, TableStatements>()
  readonly #someSelects = new Map<WrittenTable, string>()
  readonly #partitionSelects = new Map<WrittenTable, string>()

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

  async write(table: WrittenTable, rows: readonly RowWrite[]): Promise<void> {
    const statements = this.#statementsOf(table)
    await this.#observed(
      this.#session.write(rows.map((row) => statementOf(row, statements, table.schema.hasTtl))),
    )
  }

  async readSome(
    table: WrittenTable,
    keys: readonly Buffer[],
  ): Promise<readonly (CassandraResultRow | null)[]> {
    let select = this.#someSelects.get(table)
    if (select === undefined) {
      select = selectSomeStatement(this.#keyspace, table.schema)
      this.#someSelects.set(table, select)
    }
    const rows = await this.#observed(this.#session.readSome(select, keys))
    const column = table.schema.partitionKey[0]!.name
    const found = new Map(rows.map((row) => [(row[column] as Buffer).toString('latin1'), row]))
    return keys.map((key) => found.get(key.toString('latin1')) ?? null)
  }

  replicaOf(key: Buffer): string {
    return this.#session.replicaOf(this.#keyspace, key)
  }

  readPartition(
    table: WrittenTable,
    key: readonly unknown[],
    limits: PartitionLimits,
  ): Promise<readonly CassandraResultRow[] | null> {
    let select = this.#partitionSelects.get(table)
    if (select === undefined) {
      select = selectPartitionStatement(this.#keyspace, table.schema)
      this.#partitionSelects.set(table, select)
    }
    return this.#observed(this.#session.readUpTo(select, [...key, limits.rowsMax + 1], limits))
  }

  async #observed<T>(request: Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await request
    } finally {
      this.#observe((performance.now() - started) / 1_000)
    }
  }

  async problemOf({ schema }: WrittenTable): Promise<string | null> {
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

  #statementsOf(table: WrittenTable): TableStatements {
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
