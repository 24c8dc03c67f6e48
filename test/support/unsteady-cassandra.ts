import type { CassandraTable } from '../../src/cassandra/cassandra-table.ts'
import type { RowWrite } from '../../src/cassandra/row-write.ts'
import type { RowSession } from '../../src/cassandra/row-writer.ts'
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
 * What a session is to a writer: keeps rows as Cassandra does, answers late and out of order, and fails as it is told to, also after a write was
 * done.
 */
export class UnsteadyCassandra implements RowSession {
  /** By the key's text: what is there, or was deleted. */
  readonly rows = new Map<
    string,
    { readonly values: readonly unknown[] | null; readonly timestampUs: number }
  >()
  readonly requests: { readonly partition: string; readonly keys: string[] }[] = []
  inFlight = 0
  inFlightMax = 0
  connects = 0
  isConnected = false
  isClosed = false
  /** How a request ends; null: well. `done` says whether its rows are there all the same. */
  fails: (rows: readonly RowWrite[]) => { readonly error: Error; readonly done: boolean } | null = () => null
  /** How long an answer takes, ms. */
  delayMs: () => number = () => 0
  problem: string | null = null
  problemFails: (() => Error | null) | null = null
  connectFails: () => WeirError | null = () => null

  async write(_table: CassandraTable, rows: readonly RowWrite[]): Promise<void> {
    if (!this.isConnected) throw new Error('a write before it is connected')
    this.inFlight++
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    this.requests.push({ partition: rows[0]!.partition, keys: rows.map(({ key }) => key.join()) })
    const failure = this.fails(rows)
    await new Promise((resolve) => setTimeout(resolve, this.delayMs()))
    this.inFlight--
    if (failure === null || failure.done) for (const row of rows) this.#apply(row)
    if (failure !== null) throw failure.error
  }

  #apply({ key, values, timestampUs }: RowWrite): void {
    const place = key.join()
    const present = this.rows.get(place)
    if (present === undefined || present.timestampUs < timestampUs)
      this.rows.set(place, { values, timestampUs })
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
