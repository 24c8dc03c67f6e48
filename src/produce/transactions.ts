import { setTimeout as delay } from 'node:timers/promises'

import { errorCodeOf } from '../errors/decision.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { GroupMember, NativeError, Producer, TopicPartitionOffset } from '../native.ts'

/** How long one call may take before it is made again, ms. */
const CALL_TIMEOUT_MS = 1_000
const RETRY_BACKOFF_MS = 50

export interface TransactionsOptions {
  readonly producer: Producer
  /** transaction.timeout.ms: beyond it the broker aborts. */
  readonly timeoutMs: number
  /** A step has no outcome yet, for this reason, and is tried again. */
  readonly onRetry: (error: unknown) => void
  /** The producer is of no more use, for this reason, and is replaced. */
  readonly onRestart: (error: unknown) => void
}

/**
 * A stream thread's transactions, one after the other: what is produced between two commits belongs to the one that is open.
 *
 *   start -> { (produce) -> commit -> begin | abort }* -> end
 *
 * What librdkafka says may be tried again is, until its outcome is known. An abort that is not possible ends in another producer with the
 * same transactional.id, which settles what the last one left. Used by that thread, one call at a time.
 */
export class Transactions {
  readonly #options: TransactionsOptions
  #hasStarted = false
  #isOpen = false
  #begunMs = 0

  constructor(options: TransactionsOptions) {
    this.#options = options
  }

  /** The broker may have aborted what is open by its time-out: it counts from the first record, which came later than this does. */
  get mayHaveTimedOut(): boolean {
    return Date.now() - this.#begunMs >= this.#options.timeoutMs
  }

  /**
   * Settles whatever a producer of the same transactional.id has left open, and begins.
   *
   * @param signal ends the trying
   * @throws NativeError when the brokers refuse it, or have not answered when the signal comes
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { producer } = this.#options
    await this.#untilKnown(() => producer.initTransactions(CALL_TIMEOUT_MS), signal)
    this.#hasStarted = true
    this.begin()
  }

  begin(): void {
    this.#options.producer.beginTransaction()
    this.#isOpen = true
    this.#begunMs = Date.now()
  }

  /**
   * Commits what was produced together with `offsets`.
   *
   * @throws NativeError: then it was not committed, or nobody knows; `abort` is next, and finds out
   */
  async commit(offsets: readonly TopicPartitionOffset[], member: GroupMember): Promise<void> {
    const { producer, timeoutMs } = this.#options
    if (offsets.length > 0) await producer.sendOffsets(offsets, member, timeoutMs).catch(offsetsRefused)
    await this.#untilKnown(() => producer.commitTransaction(CALL_TIMEOUT_MS))
    this.#isOpen = false
  }

  /** Drops what was produced since the last commit, and begins anew. Afterwards nothing that was begun before is undecided. */
  async abort(): Promise<void> {
    const { producer, onRestart } = this.#options
    if (!this.#hasStarted) return
    try {
      await this.end()
      this.begin()
    } catch (error) {
      if ((error as NativeError).code === 'closed') throw error
      onRestart(error)
      this.#isOpen = false
      await producer.restart()
      await this.start()
    }
  }

  /**
   * Aborts what is open, before the producer is closed: nobody who reads committed records has to wait for its time-out.
   *
   * @param signal ends the trying
   */
  async end(signal?: AbortSignal): Promise<void> {
    if (!this.#isOpen) return
    await this.#untilKnown(() => this.#options.producer.abortTransaction(CALL_TIMEOUT_MS), signal)
    this.#isOpen = false
  }

  async #untilKnown(call: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    while (true) {
      try {
        return await call()
      } catch (error) {
        if ((error as NativeError).retriable !== true || signal?.aborted === true) throw error
        this.#options.onRetry(error)
        await delay(RETRY_BACKOFF_MS)
      }
    }
  }
}

/** A topic that a pattern has found may be deleted: its offsets are then refused, which says nothing of the topics that records go to. */
function offsetsRefused(error: unknown): never {
  if (errorCodeOf(error) !== 'topic-missing') throw error
  throw new WeirError('fenced', messageOf(error), { cause: error })
}
