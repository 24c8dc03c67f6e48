import { WeirError } from '../errors/weir-error.ts'
import { pauseBefore } from './backoff.ts'
import { failureOf } from './failures.ts'
import { Outage } from './outage.ts'
import type { CassandraResultRow } from './session.ts'
import type { PartitionLimits, WrittenTable } from './table-schema.ts'

/** Who waits for a place. In a list: a long array is moved as a whole whenever its first leaves. */
interface Waiting {
  readonly places: number
  readonly begin: () => void
  next: Waiting | null
}

/** What rows are read through. */
export interface ReadSession {
  /**
   * The rows of some partitions of one row each, by the first column of their keys, of a node that has the first.
   *
   * @returns for each key its row, or null
   * @throws what the driver throws: see failureOf
   */
  readSome(table: WrittenTable, keys: readonly Buffer[]): Promise<readonly (CassandraResultRow | null)[]>
  /** A node that has a key's rows: equal for keys that one node has. */
  replicaOf(key: Buffer): string
  /** The rows of a partition, with the clustering key's columns. @returns null when there are more than may be. @throws as readSome */
  readPartition(
    table: WrittenTable,
    key: readonly unknown[],
    limits: PartitionLimits,
  ): Promise<readonly CassandraResultRow[] | null>
  /** How a table differs from what rows of it need; null: it does not. @throws as readSome */
  problemOf(table: WrittenTable): Promise<string | null>
  /** What the driver threw, as an error that Weir names. */
  named(error: unknown): WeirError
}

/** What a reader counts. */
export interface ReadCounters {
  retries: number
  failed(reason: string): void
}

export interface RowReaderOptions {
  /** Connected; null: it never will be. */
  readonly session: () => Promise<ReadSession | null>
  /** On their way at the same time: rows, or partitions. */
  readonly requestsMax: number
  readonly counters: ReadCounters
  /** A row has come, or its absence, after so long. */
  readonly onRead: (seconds: number) => void
  /** The reader can do no more. */
  readonly onFailed: (error: WeirError) => void
  /** Cassandra does not answer any more, for this reason; or answers again: null. */
  readonly onAway: (reason: string | null) => void
}

/** What reads rows for the tasks of a thread. */
export type RowReads = Pick<RowReader, 'nodeOf' | 'readSome' | 'readPartition'>

/** null: there is none. An error: there can be none. */
export type ReadRow = CassandraResultRow | null | Error

/**
 * Reads rows for a stream thread's tasks, as many at a time as allowed. What may pass is tried again with growing pauses, for as long as
 * somebody wants the row; then each has a request of its own. Used by that thread.
 */
export class RowReader {
  readonly #options: RowReaderOptions
  readonly #closing = new AbortController()
  readonly #outage: Outage
  #session: ReadSession | null = null
  #inFlight = 0
  /** Those that wait for a place: each knows who comes after it. */
  #firstWaiting: Waiting | null = null
  #lastWaiting: Waiting | null = null

  constructor(options: RowReaderOptions) {
    this.#options = options
    this.#outage = new Outage(options.onAway)
  }

  /** For metrics. */
  get requestsInFlight(): number {
    return this.#inFlight
  }

  /** Before there is a session all nodes are one. */
  nodeOf(key: Buffer): string {
    return this.#session?.replicaOf(key) ?? ''
  }

  /**
   * Rows by the only column of their keys, in one request; those of one that fails each in its own.
   *
   * @param keys that one node has: see nodeOf
   * @param isWanted asked before each attempt
   * @returns a row for each key
   * @throws WeirError closed when nobody wants them any more, cassandra-denied, cassandra-schema
   */
  readSome(
    table: WrittenTable,
    keys: readonly Buffer[],
    isWanted: () => boolean,
  ): Promise<readonly ReadRow[]> {
    return this.#inTurn(keys.length, async () => {
      const rows = keys.length === 1 ? null : await this.#readTogether(table, keys, isWanted)
      return rows ?? (await Promise.all(keys.map((key) => this.#readOne(table, key, isWanted))))
    })
  }

  /** @returns null when it has failed */
  async #readTogether(
    table: WrittenTable,
    keys: readonly Buffer[],
    isWanted: () => boolean,
  ): Promise<readonly ReadRow[] | null> {
    const session = await this.#open()
    if (session === null || this.#closing.signal.aborted || !isWanted()) return null
    try {
      const rows = await session.readSome(table, keys)
      this.#outage.end()
      return rows
    } catch (error) {
      const { kind, reason, message } = failureOf(error)
      this.#options.counters.failed(reason)
      this.#options.counters.retries++
      if (kind === 'passes') this.#outage.failed(message)
      return null
    }
  }

  /** @throws as readSome */
  async #readOne(table: WrittenTable, key: Buffer, isWanted: () => boolean): Promise<ReadRow> {
    const one = async (session: ReadSession): Promise<CassandraResultRow | null> =>
      (await session.readSome(table, [key]))[0]!
    try {
      return await this.#read(table, isWanted, one)
    } catch (error) {
      if (error instanceof WeirError) throw error
      return error as Error
    }
  }

  /**
   * All rows of a partition, page by page; each attempt begins anew.
   *
   * @param key of the partition
   * @returns null when there are more than may be
   * @throws as readSome; the driver's error for a key that can have no rows
   */
  readPartition(
    table: WrittenTable,
    key: readonly unknown[],
    limits: PartitionLimits,
    isWanted: () => boolean,
  ): Promise<readonly CassandraResultRow[] | null> {
    return this.#inTurn(1, () =>
      this.#read(table, isWanted, (session) => session.readPartition(table, key, limits)),
    )
  }

  /** Rows that are asked for are not read any more. */
  close(): void {
    this.#closing.abort()
  }

  /** @param places that it takes: one for each row, or for a partition */
  async #inTurn<T>(places: number, request: () => Promise<T>): Promise<T> {
    const started = performance.now()
    if (this.#inFlight < this.#options.requestsMax) this.#inFlight += places
    else await this.#turn(places)
    try {
      const answer = await request()
      const seconds = (performance.now() - started) / 1_000
      for (let place = 0; place < places; place++) this.#options.onRead(seconds)
      return answer
    } finally {
      this.#inFlight -= places
      this.#beginNext()
      if (this.#inFlight === 0) this.#outage.end()
    }
  }

  /** Resolves when a place is free, and taken. */
  #turn(places: number): Promise<void> {
    return new Promise((begin) => {
      const waiting: Waiting = { places, begin, next: null }
      if (this.#firstWaiting === null) this.#firstWaiting = waiting
      else this.#lastWaiting!.next = waiting
      this.#lastWaiting = waiting
    })
  }

  #beginNext(): void {
    let next = this.#firstWaiting
    for (; next !== null && this.#inFlight < this.#options.requestsMax; next = next.next) {
      this.#inFlight += next.places
      next.begin()
    }
    this.#firstWaiting = next
  }

  async #open(): Promise<ReadSession | null> {
    this.#session ??= await this.#options.session()
    return this.#session
  }

  async #read<T>(
    table: WrittenTable,
    isWanted: () => boolean,
    request: (session: ReadSession) => Promise<T>,
  ): Promise<T> {
    const session = await this.#open()
    for (let attempts = 0; session !== null && !this.#closing.signal.aborted && isWanted(); attempts++) {
      try {
        const answer = await request(session)
        this.#outage.end()
        return answer
      } catch (error) {
        await this.#settle(session, table, error)
        this.#options.counters.retries++
        await pauseBefore(attempts, this.#closing.signal)
      }
    }
    throw new WeirError('closed', `a row of table ${table.name} in Cassandra is not read any more`)
  }

  /** Resolves when the same is to be tried again. @throws when that is in vain */
  async #settle(session: ReadSession, table: WrittenTable, error: unknown): Promise<void> {
    const { kind, reason, message } = failureOf(error)
    this.#options.counters.failed(reason)
    if (kind === 'passes') return this.#outage.failed(message)
    if (kind === 'denied') throw this.#fail(session.named(error))
    let problem: string | null
    try {
      problem = await session.problemOf(table)
    } catch (second) {
      return this.#outage.failed(failureOf(second).message)
    }
    if (problem !== null) throw this.#fail(new WeirError('cassandra-schema', problem, { cause: error }))
    if (kind === 'refused') throw error
  }

  #fail(error: WeirError): WeirError {
    this.#options.onFailed(error)
    return error
  }
}
