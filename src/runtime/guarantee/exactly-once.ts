import { commitExactlyOnce } from '../../commit/commit.ts'
import { errorCodeOf } from '../../errors/decision.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import type { NativeError, TopicPartitionOffset } from '../../native.ts'
import { Transactions } from '../../produce/transactions.ts'
import { LogLimiter } from '../logger.ts'
import type { Task } from '../task.ts'
import { type Guarantee, type GuaranteeOptions, rowStages } from './guarantee.ts'

/** How long a thread that ends waits for its transaction to be aborted, ms: the broker's time-out does it otherwise. */
const END_TIMEOUT_MS = 5_000
/** Another process with the same transactional.id takes the producer away again and again: so often in so many ms is no accident. */
const FENCED_MAX = 3
const FENCED_WINDOW_MS = 60_000

/**
 * Every record's effect is there once: outputs, changelogs and source offsets of all the thread's tasks are in one transaction (KIP-447).
 *
 * When one cannot be committed, everything since the last commit goes: tasks are closed with all that they hold in memory, the transaction is
 * aborted, and the main thread hands those out again that are still this process's, at their committed offsets. Their rows on disk are those of
 * the last commit, and are used again.
 */
export class ExactlyOnce implements Guarantee {
  readonly commitsBeforeFailure = false
  readonly #options: GuaranteeOptions
  readonly #transactions: Transactions
  readonly #limiter = new LogLimiter()
  /** In a row, since the last commit that succeeded. */
  #failures = 0
  #failingSinceMs = 0
  #failedMs = 0
  #fencedMs: number[] = []

  constructor(options: GuaranteeOptions) {
    const { resources, config, host } = options
    this.#options = options
    this.#transactions = new Transactions({
      producer: resources.producer,
      timeoutMs: config.transactionTimeoutMs,
      onRetry: (error) => {
        this.#limiter.once('retry', (heldBack) =>
          host.log('warn', "a transaction's outcome is not known yet; trying again", {
            reason: messageOf(error),
            heldBack,
          }),
        )
      },
      onRestart: (error) =>
        host.log('warn', 'the transactional producer is replaced', { reason: messageOf(error) }),
    })
  }

  /** A transaction that has failed is tried in smaller ones: then a record that takes longer than the time-out holds up nothing but its own outputs. */
  get commitsEachTask(): boolean {
    return this.#failures > 0
  }

  async start(signal: AbortSignal): Promise<void> {
    const { heartbeat, config } = this.#options
    try {
      await heartbeat.whileAlive(this.#transactions.start(signal))
    } catch (error) {
      if (!signal.aborted) throw startingFailure(error, config.transactionTimeoutMs)
    }
  }

  /** What a task writes to Cassandra is made of committed records alone, and is the same when it is made again. */
  async claim(): Promise<void> {}

  async commit(tasks: readonly Task[]): Promise<number> {
    const { resources, config, rows } = this.#options
    let isCommitted = false
    const changelogRecords = await commitExactlyOnce(tasks, {
      producer: resources.producer,
      output: resources.output,
      flushTimeoutMs: config.transactionTimeoutMs,
      ...rowStages(rows),
      commitTransaction: async (committed, offsets) => {
        await this.#commitTransaction(committed, offsets)
        isCommitted = true
      },
    })
    // Not when none of the tasks could be committed yet.
    if (!isCommitted) return changelogRecords
    this.#failures = 0
    this.#transactions.begin()
    return changelogRecords
  }

  commitFailed(error: unknown): Promise<void> {
    return this.#failed(error)
  }

  sendFailed(error: unknown): Promise<void> {
    return this.#failed(error)
  }

  /** Nothing that a member which was taken for dead produces becomes visible: the broker checks the member when its offsets come. */
  async afterPause(): Promise<boolean> {
    return false
  }

  /** What the lost tasks have produced is in the transaction of all. */
  beforeLoss(): Promise<void> {
    return this.#startOver('partitions were lost')
  }

  close(): Promise<void> {
    return this.#options.heartbeat.whileAlive(this.#transactions.end(AbortSignal.timeout(END_TIMEOUT_MS)))
  }

  /** Under a lease: a rebalance is not answered between the member's check and the transaction's end. */
  async #commitTransaction(tasks: readonly Task[], offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const { host } = this.#options
    const { lease, member, offsets: moved } = await host.beginCommit(tasks, offsets)
    let isCommitted = false
    try {
      await this.#transactions.commit(moved, member)
      isCommitted = true
    } finally {
      await host.endCommit(lease, isCommitted)
    }
  }

  /** @throws error when beginning anew does not help, or has not for too long */
  async #failed(error: unknown): Promise<void> {
    const { config, resources } = this.#options
    const now = Date.now()
    // One that had nothing to commit for a while has not failed all the while.
    if (now - this.#failedMs > config.maxPollIntervalMs) this.#failures = 0
    if (this.#failures === 0) this.#failingSinceMs = now
    const isLate = now - this.#failingSinceMs > config.maxPollIntervalMs
    // What made a transaction fail is known better by the delivery that did; what ended the producer made that fail, too.
    const isFatal = (error as Partial<NativeError>).fatal === true
    const cause = isFatal ? error : (resources.producer.firstError() ?? error)
    if (isLate || !helpsToStartOver(error) || !helpsToStartOver(cause)) throw cause
    this.#failures++
    this.#failedMs = now
    if (!isProducerFenced(cause)) return await this.#startOver(messageOf(cause))
    if (this.#transactions.mayHaveTimedOut) {
      const limit = `WEIR_TRANSACTION_TIMEOUT_MS=${config.transactionTimeoutMs}`
      const what = `it was open for longer than ${limit}, because of a slow record, commit or broker, or a pause of the process`
      return await this.#startOver(`${what}: ${messageOf(cause)}`)
    }
    this.#fencedMs = [...this.#fencedMs.filter((then) => now - then < FENCED_WINDOW_MS), now]
    if (this.#fencedMs.length >= FENCED_MAX) {
      const what =
        'another process has the same transactional.id, and takes the producer away again and again'
      const allowed = 'each process needs a state folder (WEIR_STATE_DIR) of its own, not a copy'
      throw new WeirError('producer-fenced', `${what}: ${allowed}`, { cause })
    }
    await this.#startOver(messageOf(cause))
  }

  async #startOver(reason: string): Promise<void> {
    const { host, heartbeat, resources, tasks } = this.#options
    const running = tasks.running()
    host.log('warn', 'a transaction is aborted: its tasks begin again at their committed offsets', {
      tasks: running.map(({ id }) => id),
      reason,
    })
    const restarting = async (): Promise<void> => {
      await Promise.all(running.map((task) => tasks.drop(task, true)))
      // Also what processors put out when they were closed.
      resources.output.discard()
      await this.#transactions.abort()
    }
    await heartbeat.whileAlive(restarting())
    host.startOver(running, this.#failures)
  }
}

/**
 * True for what is the transaction's, the producer's or the group's failure and may be over next time; false for a record that can never be
 * delivered, for what an operator has to change, and for all that has nothing to do with Kafka.
 */
function helpsToStartOver(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  const row = errorCodeOf(error)
  if (row === 'fenced' || row === 'broker-unreachable' || code === 'kafka:_MSG_TIMED_OUT') return true
  return row === 'kafka-failed' && typeof code === 'string' && code.startsWith('kafka:')
}

/** What a start was refused for, as far as a setting is the reason. */
function startingFailure(error: unknown, timeoutMs: number): unknown {
  if ((error as { code?: unknown }).code !== 'kafka:INVALID_TRANSACTION_TIMEOUT') return error
  const what = `WEIR_TRANSACTION_TIMEOUT_MS=${timeoutMs}: at most what the brokers allow (their transaction.max.timeout.ms)`
  return new WeirError('config-invalid', what, { cause: error })
}

/** By another producer with its transactional.id, or by the coordinator, whose time-out does the same. */
function isProducerFenced(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return (
    code === 'kafka:_FENCED' || code === 'kafka:INVALID_PRODUCER_EPOCH' || code === 'kafka:PRODUCER_FENCED'
  )
}
