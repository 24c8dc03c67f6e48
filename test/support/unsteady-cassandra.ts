import type { ReadSession } from '../../src/cassandra/row-reader.ts'
import type { RowWrite } from '../../src/cassandra/row-write.ts'
import type { RowSession } from '../../src/cassandra/row-writer.ts'
import type { CassandraResultRow } from '../../src/cassandra/session.ts'
import type { PartitionLimits, WrittenTable } from '../../src/cassandra/table-schema.ts'
import { WeirError } from '../../src/errors/weir-error.ts'

/** As the driver has them. */
export function driverError(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more })
}

export const timedOut = (): Error => driverError('OperationTimedOutError', 'the host did not reply')
export const noHost = (): Error =>
  driverError('NoHostAvailableError', 'All host(s) tried for query failed.', { innerErrors: {} })
export const invalid = (message: string): Error => driverError('ResponseError', message, { code: 0x2200 })

/**
 * What a session is to a writer and to a reader: keeps rows as Cassandra does, answers late and out of order, and fails as it is told to, also after a write was
 * done.
 */
export class UnsteadyCassandra implements RowSession, ReadSession {
  /** By the key's text: what is there, or was deleted. */
  readonly rows = new Map<
    string,
    {
      readonly values: readonly unknown[] | null
      readonly timestampUs: number | bigint
    }
  >()
  readonly #keys = new Map<string, readonly unknown[]>()
  readonly requests: { readonly partition: string; readonly keys: string[] }[] = []
  inFlight = 0
  inFlightMax = 0
  connects = 0
  isConnected = false
  isClosed = false
  /** How a request ends; null: well. `done` says whether its rows are there all the same. */
  fails: (rows: readonly RowWrite[]) => { readonly error: Error; readonly done: boolean } | null = () => null
  /** How a read ends that is asked for, of these keys; null: well. */
  readFails: (keys: readonly string[]) => Error | null = () => null
  /** Nothing is done, or answered, before it resolves. */
  gate: Promise<void> = Promise.resolve()
  /** Requests. */
  reads = 0
  /** How long an answer takes, ms. */
  delayMs: () => number = () => 0
  problem: string | null = null
  problemFails: (() => Error | null) | null = null
  connectFails: () => WeirError | null = () => null
  /** Which node has a key. */
  replicaOf: (key: Buffer) => string = () => ''

  async write(_table: WrittenTable, rows: readonly RowWrite[]): Promise<void> {
    if (!this.isConnected) throw new Error('a write before it is connected')
    this.inFlight++
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    this.requests.push({ partition: rows[0]!.partition, keys: rows.map(({ key }) => key.join()) })
    const failure = this.fails(rows)
    await this.#answer()
    this.inFlight--
    if (failure === null || failure.done) for (const row of rows) this.#apply(row)
    if (failure !== null) throw failure.error
  }

  async readSome(
    { schema }: WrittenTable,
    keys: readonly Buffer[],
  ): Promise<readonly (CassandraResultRow | null)[]> {
    if (!this.isConnected) throw new Error('a read before it is connected')
    this.reads++
    const failure = this.readFails(keys.map(String))
    // What is there before the answer comes.
    await this.gate
    const found = keys.map((key) => this.rows.get(key.toString())?.values ?? null)
    await this.#answer()
    if (failure !== null) throw failure
    return found.map(
      (values) =>
        values && Object.fromEntries(schema.columns.map(({ name }, index) => [name, values[index]])),
    )
  }

  async readPartition(
    { schema }: WrittenTable,
    key: readonly unknown[],
    { rowsMax }: PartitionLimits,
  ): Promise<readonly CassandraResultRow[] | null> {
    if (!this.isConnected) throw new Error('a read before it is connected')
    this.reads++
    const failure = this.readFails([key.join()])
    // What is there before the answer comes.
    await this.gate
    const found = [...this.#keys]
      .filter(([, own]) => own.slice(0, key.length).join() === key.join())
      .map(([place, own]) => ({ rest: own.slice(key.length), values: this.rows.get(place)!.values }))
      .filter(({ values }) => values !== null)
      .map(({ rest, values }) => [...rest, ...values!])
      .sort(([a], [b]) => Buffer.compare(a as Buffer, b as Buffer))
    await this.#answer()
    if (failure !== null) throw failure
    const names = [...schema.clusteringKey, ...schema.columns].map(({ name }) => name)
    return found.length > rowsMax
      ? null
      : found.map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]])))
  }

  async #answer(): Promise<void> {
    await this.gate
    const delayMs = this.delayMs()
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
  }

  #apply({ key, values, timestampUs }: RowWrite): void {
    const place = key.join()
    const present = this.rows.get(place)
    if (present === undefined || present.timestampUs < timestampUs) {
      this.rows.set(place, { values, timestampUs })
      this.#keys.set(place, key)
    }
  }

  async problemOf(): Promise<string | null> {
    const error = this.problemFails?.() ?? null
    if (error !== null) throw error
    return this.problem
  }

  async connect(): Promise<void> {
    this.connects++
    const failure = this.connectFails()
    if (failure !== null) throw failure
    this.isConnected = true
  }

  named(error: unknown): WeirError {
    return error instanceof WeirError ? error : new WeirError('cassandra-denied', String(error))
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}
