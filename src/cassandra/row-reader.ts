import { WeirError } from '../errors/weir-error.ts'
import { pauseBefore } from './backoff.ts'
import { failureOf } from './failures.ts'
import { Outage } from './outage.ts'
import type { CassandraResultRow } from './session.ts'
import type { PartitionLimits, WrittenTable } from './table-schema.ts'

/** Who waits for a place. In a list: a long array is moved as a whole whenever its first leaves. */
interface Waiting {
  readonly begin: () => void
  next: Waiting | null
}

/** What rows are read through. */
export interface ReadSession {
  /**
   * One row by its whole key.
   *
   * @param isAlone in a request of its own, not with others
   * @returns null when there is none
   * @throws what the driver throws: see failureOf
   */
  read(table: WrittenTable, key: readonly unknown[], isAlone: boolean): Promise<CassandraResultRow | null>
  /** The rows of a partition, with the clustering key's columns. @returns null when there are more than may be. @throws as read */
  readPartition(
    table: WrittenTable,
    key: readonly unknown[],
    limits: PartitionLimits,
  ): Promise<readonly CassandraResultRow[] | null>
  /** How a table differs from what rows of it need; null: it does not. @throws as read */
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
export type RowReads = Pick<RowReader, 'read' | 'readPartition'>

/**
 * Reads rows for a stream thread's tasks, as many at a time as allowed. What may pass is tried again with growing pauses, for as long as
 * somebody wants the row; then each has a request of its own. Used by that thread.
 */
export class RowReader {
  readonly #options: RowReaderOptions
  readonly #closing = new AbortController()
  readonly #outage: Outage
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

  /**
   * @param isWanted asked before each attempt
   * @returns null when there is no such row
   * @throws WeirError closed when nobody wants it any more, cassandra-denied, cassandra-schema; the driver's error for a key that can have no row
   */
  read(
    table: WrittenTable,
    key: readonly unknown[],
    isWanted: () => boolean,
  ): Promise<CassandraResultRow | null> {
    return this.#inTurn(table, isWanted, (session, attempts) => session.read(table, key, attempts > 0))
  }

  /**
   * All rows of a partition, page by page; each attempt begins anew.
   *
   * @param key of the partition
   * @returns null when there are more than may be
   * @throws as read
   */
  readPartition(
    table: WrittenTable,
    key: readonly unknown[],
    limits: PartitionLimits,
    isWanted: () => boolean,
  ): Promise<readonly CassandraResultRow[] | null> {
    return this.#inTurn(table, isWanted, (session) => session.readPartition(table, key, limits))
  }

  /** Rows that are asked for are not read any more. */
  close(): void {
    this.#closing.abort()
  }

  async #inTurn<T>(
    table: WrittenTable,
    isWanted: () => boolean,
    request: (session: ReadSession, attempts: number) => Promise<T>,
  ): Promise<T> {
    const started = performance.now()
    if (this.#inFlight < this.#options.requestsMax) this.#inFlight++
    else await this.#turn()
    try {
      const answer = await this.#read(table, isWanted, request)
      this.#options.onRead((performance.now() - started) / 1_000)
      return answer
    } finally {
      const next = this.#firstWaiting
      if (next !== null) {
        // The place goes over to it.
        this.#firstWaiting = next.next
        next.begin()
      } else if (--this.#inFlight === 0) {
        this.#outage.end()
      }
    }
  }

  /** Resolves when a place is free, and taken. */
  #turn(): Promise<void> {
    return new Promise((begin) => {
      const waiting: Waiting = { begin, next: null }
      if (this.#firstWaiting === null) this.#firstWaiting = waiting
      else this.#lastWaiting!.next = waiting
      this.#lastWaiting = waiting
    })
  }

  async #read<T>(
    table: WrittenTable,
    isWanted: () => boolean,
    request: (session: ReadSession, attempts: number) => Promise<T>,
  ): Promise<T> {
    const session = await this.#options.session()
    for (let attempts = 0; session !== null && !this.#closing.signal.aborted && isWanted(); attempts++) {
      try {
        const answer = await request(session, attempts)
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
