import { messageOf, WeirError } from '../errors/weir-error.ts'
import { pauseBefore } from './backoff.ts'
import { type CassandraFailure, failureOf } from './failures.ts'
import { AWAY_MS, Outage } from './outage.ts'
import { type QueuedRow, RowQueue } from './row-queue.ts'
import type { RefusedRow, RowWrite, TaskRows } from './row-write.ts'
import type { WrittenTable } from './table-schema.ts'

/** What rows are written through. */
export interface RowSession {
  /** Of one table: of one partition, or of several that one node has. @throws what the driver throws: see failureOf */
  write(table: WrittenTable, rows: readonly RowWrite[]): Promise<void>
  /** A node that has the rows of a partition: equal for partitions that one node has. @param key its first column */
  replicaOf(key: Buffer): string
  /** How a table differs from what rows of it need; null: it does not. @throws as write */
  problemOf(table: WrittenTable): Promise<string | null>
  /** Begins. @throws WeirError cassandra-unreachable, cassandra-denied */
  connect(): Promise<void>
  /** What the driver threw, as an error that Weir names. */
  named(error: unknown): WeirError
  close(): Promise<void>
}

/** What a writer counts: plain fields, folded into metrics when somebody asks. */
export interface RowCounters {
  retries: number
  failed(reason: string): void
  written(table: string, rows: number): void
}

export interface RowWriterOptions {
  readonly session: () => Promise<RowSession>
  /** On their way at the same time. */
  readonly requestsMax: number
  /** About as many bytes as the rows have in Cassandra. */
  readonly queueBytes: number
  /** How long a row may fail that others do not fail with, ms: then it is refused. */
  readonly rowTimeoutMs: number
  readonly counters: RowCounters
  /** There is room again, or rows were refused: the thread is to look. */
  readonly onChanged: () => void
  /** The writer can do no more. */
  readonly onFailed: (error: WeirError) => void
  /** Cassandra does not answer any more, for this reason; or answers again: null. */
  readonly onAway: (reason: string | null) => void
}

/**
 * Writes the rows of a stream thread's tasks to Cassandra: by partition or by node, as many requests at a time as allowed, each until it succeeds. What may pass is tried again with growing
 * pauses, which is safe, since a row carries its timestamp. What is refused is kept for whoever decides on it; of several rows that are refused
 * together those are found that are to blame. Used by that thread.
 *
 *   add -> waits -> on its way -> written | refused
 *                     ^    │
 *                     └────┘ passes
 */
export class RowWriter {
  readonly #options: RowWriterOptions
  readonly #queue: RowQueue<OwnedRows>
  readonly #closing = new AbortController()
  #session: RowSession | null = null
  #isConnected = false
  #requests = 0
  #isScheduled = false
  readonly #outage: Outage
  #lastSuccessMs = 0
  #failure: WeirError | null = null
  /** Who waits for the next change. */
  #waiting: (() => void)[] = []
  readonly #opened: Promise<void>

  /** Connects in the background: rows wait meanwhile. */
  constructor(options: RowWriterOptions) {
    this.#options = options
    this.#queue = new RowQueue(options.queueBytes, (write) => this.#groupOf(write))
    this.#outage = new Outage(options.onAway)
    this.#opened = this.#open()
  }

  /** For metrics. */
  get requestsInFlight(): number {
    return this.#requests
  }

  get queuedRows(): number {
    return this.#queue.rows
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  get isFull(): boolean {
    return this.#queue.isFull
  }

  /** Nothing has been answered for a while. */
  get isAway(): boolean {
    return this.#outage.isAway
  }

  /** Resolves when the session is connected; false: it never will be. */
  async connected(): Promise<boolean> {
    await this.#opened
    return this.#isConnected
  }

  /** For the rows of one task. */
  open(): TaskRows {
    return new OwnedRows(this)
  }

  /** @internal */
  add(write: RowWrite, owner: OwnedRows): void {
    this.#queue.add(write, owner)
    this.#schedule()
  }

  /**
   * Waits for something; not while Cassandra is away.
   *
   * @internal
   * @throws WeirError when the writer can do no more
   */
  async until(isDone: () => boolean, waitMs: number): Promise<boolean> {
    const deadlineMs = Date.now() + waitMs
    while (true) {
      if (this.#failure !== null) throw this.#failure
      if (isDone()) return true
      const leftMs = deadlineMs - Date.now()
      if (this.isAway || leftMs <= 0) return false
      await this.#changed(Math.min(leftMs, AWAY_MS))
    }
  }

  /**
   * Waits for something, however long it takes.
   *
   * @internal
   * @throws WeirError when the writer can do no more
   */
  async afterAll(isDone: () => boolean): Promise<void> {
    while (!isDone() && !this.#closing.signal.aborted) {
      if (this.#failure !== null) throw this.#failure
      await this.#changed(AWAY_MS)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#opened
    await this.#session?.close()
  }

  /** Resolves at the next change, or after so long. */
  #changed(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #tellWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  async #open(): Promise<void> {
    for (let attempts = 0; !this.#isClosed; attempts++) {
      try {
        this.#session ??= await this.#options.session()
        await this.#session.connect()
        this.#isConnected = true
        this.#succeeded()
        this.#pump()
        return
      } catch (error) {
        const failure = error instanceof WeirError ? error : this.#session?.named(error)
        if (failure?.code !== 'cassandra-unreachable') {
          this.#fail(
            failure ?? new WeirError('internal', `Cassandra's driver: ${messageOf(error)}`, { cause: error }),
          )
          return
        }
        this.#options.counters.failed('unreachable')
        this.#options.counters.retries++
        this.#failed({ kind: 'passes', reason: 'unreachable', message: failure.message })
        await pauseBefore(attempts, this.#closing.signal)
      }
    }
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted || this.#failure !== null
  }

  /** After the thread's turn: rows of one partition that come one after the other go together. */
  #schedule(): void {
    if (this.#isScheduled || !this.#isConnected) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  /** Before there is a session all nodes are one. */
  #groupOf({ goesWithOthers, key }: RowWrite): string | null {
    const [first] = key
    if (!goesWithOthers || !(first instanceof Buffer)) return null
    return this.#session?.replicaOf(first) ?? ''
  }

  #pump(): void {
    while (this.#requests < this.#options.requestsMax && !this.#isClosed) {
      const rows = this.#queue.take()
      if (rows === null) return
      this.#requests++
      void this.#settle(rows)
    }
  }

  /** Never rejects. */
  async #settle(rows: readonly QueuedRow<OwnedRows>[]): Promise<void> {
    try {
      await this.#write(rows)
    } catch (error) {
      this.#fail(
        error instanceof WeirError
          ? error
          : new WeirError('internal', `writing rows: ${messageOf(error)}`, { cause: error }),
      )
    }
    this.#requests--
    const wasFull = this.isFull
    this.#queue.release(rows)
    for (const { owner } of rows) owner.pending--
    // Whether Cassandra answers is known by what is tried alone.
    if (this.#queue.rows === 0) this.#outage.end()
    this.#tellWaiting()
    if ((wasFull && !this.isFull) || rows.some(({ owner }) => owner.wantsCommit)) this.#options.onChanged()
    this.#pump()
  }

  /** Until they are written, refused, or nobody wants them any more. */
  async #write(given: readonly QueuedRow<OwnedRows>[]): Promise<void> {
    const startedMs = Date.now()
    for (let attempts = 0; !this.#isClosed; attempts++) {
      const rows = given.filter(({ owner }) => !owner.isClosed)
      const [first] = rows
      if (first === undefined) return
      const { table } = first.write
      try {
        await this.#session!.write(
          table,
          rows.map(({ write }) => write),
        )
        this.#succeeded()
        this.#options.counters.written(table.name, rows.length)
        return
      } catch (error) {
        const failure = failureOf(error)
        this.#options.counters.failed(failure.reason)
        if (failure.kind === 'denied') throw this.#session!.named(error)
        const passes = failure.kind === 'passes' && !this.#isToBlame(startedMs)
        if (!passes && (await this.#isSettled(rows, failure, error as Error))) return
        if (failure.kind === 'passes') this.#failed(failure)
        this.#options.counters.retries++
        await pauseBefore(attempts, this.#closing.signal)
      }
    }
  }

  /** Others were written all the while. */
  #isToBlame(startedMs: number): boolean {
    return Date.now() - startedMs > this.#options.rowTimeoutMs && this.#lastSuccessMs > startedMs
  }

  /**
   * Rows that would not be taken the next time either: those that are to blame are refused, the others written.
   *
   * @returns false when they are to be tried again, because the table is as it should be and the statement was not known
   * @throws WeirError cassandra-schema
   */
  async #isSettled(
    rows: readonly QueuedRow<OwnedRows>[],
    { kind }: CassandraFailure,
    error: Error,
  ): Promise<boolean> {
    const { table } = rows[0]!.write
    let problem: string | null
    try {
      problem = kind === 'passes' ? null : await this.#session!.problemOf(table)
    } catch (second) {
      // It could not be asked: the same again.
      this.#failed(failureOf(second))
      return false
    }
    if (problem !== null) throw new WeirError('cassandra-schema', problem, { cause: error })
    if (kind === 'unprepared') return false
    if (rows.length === 1) {
      const { owner, write } = rows[0]!
      owner.refuse({ source: write.source, error: new Error(failureOf(error).message, { cause: error }) })
      return true
    }
    const half = rows.length >>> 1
    await this.#write(rows.slice(0, half))
    await this.#write(rows.slice(half))
    return true
  }

  #succeeded(): void {
    this.#lastSuccessMs = Date.now()
    this.#outage.end()
  }

  #failed({ message }: CassandraFailure): void {
    this.#outage.failed(message)
    // Whoever waits need not wait any longer.
    this.#tellWaiting()
  }

  #fail(error: WeirError): void {
    if (this.#isClosed) return
    this.#failure = error
    this.#options.onFailed(error)
    this.#tellWaiting()
  }
}

/** Rows of a task that wait to be decided on. */
const REFUSED_MAX = 1_000

/** The rows of one task at a writer. */
class OwnedRows implements TaskRows {
  readonly #writer: RowWriter
  #refused: RefusedRow[] = []
  /** A commit did not wait for them any longer. */
  #isDraining = false
  /** Neither written nor refused. */
  pending = 0
  isClosed = false

  constructor(writer: RowWriter) {
    this.#writer = writer
  }

  get isFull(): boolean {
    return this.#writer.isFull || this.#isDraining || this.#refused.length >= REFUSED_MAX
  }

  get isHeldUp(): boolean {
    return this.pending > 0 && this.#writer.isAway
  }

  get wantsCommit(): boolean {
    return this.pending === 0 && (this.#isDraining || this.#refused.length > 0)
  }

  add(write: RowWrite): void {
    if (this.isClosed) return
    this.pending++
    this.#writer.add(write, this)
  }

  refuse(refused: RefusedRow): void {
    if (!this.isClosed) this.#refused.push(refused)
  }

  takeRefused(): readonly RefusedRow[] {
    const refused = this.#refused
    this.#refused = []
    return refused
  }

  async settled(waitMs: number): Promise<boolean> {
    this.#isDraining = !(await this.#writer.until(() => this.pending === 0, waitMs))
    return !this.#isDraining
  }

  written(isDone = () => this.pending === 0): Promise<void> {
    return this.#writer.afterAll(() => this.isClosed || isDone())
  }

  async hasRoom(waitMs: number): Promise<boolean> {
    const isThere = (): boolean => !this.#writer.isFull && (!this.#isDraining || this.pending === 0)
    if (!(await this.#writer.until(isThere, waitMs))) return false
    this.#isDraining = false
    return true
  }

  close(): void {
    this.isClosed = true
    this.#refused = []
  }
}
