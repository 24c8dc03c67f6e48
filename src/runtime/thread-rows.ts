import type { TierOptions } from '../cassandra/cassandra-tier.ts'
import { RowReader } from '../cassandra/row-reader.ts'
import { CassandraRowSession } from '../cassandra/row-session.ts'
import type { TaskRows } from '../cassandra/row-write.ts'
import { RowWriter } from '../cassandra/row-writer.ts'
import type { Config } from '../config/config.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { CassandraFigures, ThreadMetrics } from '../observe/thread-metrics.ts'
import { BacklogBudget } from '../state/tier-backlog.ts'

export interface ThreadRowsOptions {
  readonly config: Config
  readonly metrics: ThreadMetrics
  /** There is room again, or something to decide on. */
  readonly onChanged: () => void
  readonly onFailed: (error: WeirError) => void
  /** Cassandra does not answer, for this reason; or answers again: null. */
  readonly onAway: (reason: string | null) => void
}

/** A stream thread's way to Cassandra: a session of its own, since a row that crossed threads would be copied for it. Used by that thread. */
export class ThreadRows {
  readonly #writer: RowWriter
  readonly #reader: RowReader
  #session: CassandraRowSession | null = null
  /** What Cassandra does not answer, and why. */
  readonly #away = new Map<'reads' | 'writes', string>()
  readonly #options: ThreadRowsOptions
  readonly #backlog: BacklogBudget

  constructor(options: ThreadRowsOptions) {
    const { config, metrics, onChanged, onFailed } = options
    const { cassandra, taskTimeoutMs } = config
    this.#options = options
    this.#backlog = new BacklogBudget(config.tieredStoreBacklogBytes)
    const seconds = metrics.cassandraSeconds()
    const loadSeconds = metrics.loadSeconds()
    this.#writer = new RowWriter({
      session: async () => {
        this.#session = await CassandraRowSession.open(cassandra, (took) => seconds.observe(took))
        return this.#session
      },
      requestsMax: cassandra.requestsMax,
      queueBytes: cassandra.queueBytes,
      rowTimeoutMs: taskTimeoutMs,
      counters: metrics.counters.cassandra,
      onChanged,
      onFailed,
      onAway: (reason) => this.#told('writes', reason),
    })
    this.#reader = new RowReader({
      session: async () => ((await this.#writer.connected()) ? this.#session : null),
      requestsMax: cassandra.requestsMax,
      counters: metrics.counters.cassandra,
      onRead: (took) => loadSeconds.observe(took),
      onFailed,
      onAway: (reason) => this.#told('reads', reason),
    })
  }

  /** For the tiered stores of one task. */
  openTiers(): TierOptions {
    const { onChanged, onFailed } = this.#options
    return {
      rows: this.#writer.open(),
      reads: this.#reader,
      backlog: this.#backlog,
      onWritten: onChanged,
      onFailed: (error) =>
        onFailed(
          error instanceof WeirError
            ? error
            : new WeirError('internal', `writing a tiered store: ${messageOf(error)}`, { cause: error }),
        ),
    }
  }

  /** For the rows of one task. */
  open(): TaskRows {
    return this.#writer.open()
  }

  /** For metrics. */
  figures(): CassandraFigures {
    const { requestsInFlight, queuedRows, queuedBytes } = this.#writer
    return {
      requestsInFlight: requestsInFlight + this.#reader.requestsInFlight,
      queuedRows,
      queuedBytes,
      backlogRows: this.#backlog.rows,
    }
  }

  close(): Promise<void> {
    this.#reader.close()
    return this.#writer.close()
  }

  #told(what: 'reads' | 'writes', reason: string | null): void {
    const wasAway = this.#away.size > 0
    if (reason === null) this.#away.delete(what)
    else this.#away.set(what, reason)
    if (this.#away.size > 0 !== wasAway) this.#options.onAway(reason)
  }
}

/** How long a commit waits for rows, ms. Longer than a request takes there is no sense in it; and a transaction that is open must not time out. */
export function rowsTimeoutMs({ cassandra, processingGuarantee, transactionTimeoutMs }: Config): number {
  const { requestTimeoutMs } = cassandra
  return processingGuarantee === 'exactly_once_v2'
    ? Math.min(requestTimeoutMs, transactionTimeoutMs / 4)
    : requestTimeoutMs
}
