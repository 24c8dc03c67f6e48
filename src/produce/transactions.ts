import { setTimeout as delay } from 'node:timers/promises'

import type { GroupMember, NativeError, Producer, TopicPartitionOffset } from '../native.ts'

/** How long one call may take before it is made again, ms. */
const CALL_TIMEOUT_MS = 5_000
const RETRY_BACKOFF_MS = 50

export interface TransactionsOptions {
  readonly producer: Producer
  /** transaction.timeout.ms: beyond it the broker aborts. */
  readonly timeoutMs: number
  /** The producer is of no more use, for this reason, and is replaced. */
  readonly onRestart: (error: unknown) => void
}

/**
 * A stream thread's transactions, one after the other: what is produced between two commits belongs to the one that is open.
 *
 *   start -> { (produce) -> commit -> begin | abort }*
 *
 * What librdkafka says may be tried again is, until its outcome is known. An abort that is not possible ends in another producer with the
 * same transactional.id, which aborts what the last one left. Used by that thread, one call at a time.
 */
export class Transactions {
  readonly #options: TransactionsOptions
  #isOpen = false

  constructor(options: TransactionsOptions) {
    this.#options = options
  }

  /** Ends whatever a producer of the same transactional.id has left open, and begins. @throws NativeError when the brokers refuse it */
  async start(): Promise<void> {
    const { producer } = this.#options
    await untilKnown(() => producer.initTransactions(CALL_TIMEOUT_MS))
    this.begin()
  }

  begin(): void {
    this.#options.producer.beginTransaction()
    this.#isOpen = true
  }

  /**
   * Commits what was produced together with `offsets`.
   *
   * @throws NativeError: then it was not committed by this producer; `abort` is next
   */
  async commit(offsets: readonly TopicPartitionOffset[], member: GroupMember): Promise<void> {
    const { producer, timeoutMs } = this.#options
    if (offsets.length > 0) await producer.sendOffsets(offsets, member, timeoutMs)
    await untilKnown(() => producer.commitTransaction(CALL_TIMEOUT_MS))
    this.#isOpen = false
  }

  /** Drops what was produced since the last commit, and begins anew. */
  async abort(): Promise<void> {
    const { producer, onRestart } = this.#options
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

  /** Aborts what is open, before the producer is closed: nobody who reads committed records has to wait for its time-out. */
  async end(): Promise<void> {
    if (!this.#isOpen) return
    await untilKnown(() => this.#options.producer.abortTransaction(CALL_TIMEOUT_MS))
    this.#isOpen = false
  }
}

async function untilKnown(call: () => Promise<void>): Promise<void> {
  while (true) {
    try {
      return await call()
    } catch (error) {
      if ((error as NativeError).retriable !== true) throw error
      await delay(RETRY_BACKOFF_MS)
    }
  }
}
