import { commitExactlyOnce } from '../../commit/commit.ts'
import { errorCodeOf } from '../../errors/decision.ts'
import { messageOf, WeirError } from '../../errors/weir-error.ts'
import type { TopicPartitionOffset } from '../../native.ts'
import { Transactions } from '../../produce/transactions.ts'
import type { Task } from '../task.ts'
import type { Guarantee, GuaranteeOptions } from './guarantee.ts'

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
  /** Since the last commit that succeeded. */
  #failures = 0
  #failingSinceMs = 0

  constructor(options: GuaranteeOptions) {
    const { resources, config, host } = options
    this.#options = options
    this.#transactions = new Transactions({
      producer: resources.producer,
      timeoutMs: config.transactionTimeoutMs,
      onRestart: (error) =>
        host.log('warn', 'the transactional producer is replaced', { reason: messageOf(error) }),
    })
  }

  start(): Promise<void> {
    return this.#options.heartbeat.whileAlive(this.#transactions.start())
  }

  async commit(tasks: readonly Task[]): Promise<number> {
    const { resources, config } = this.#options
    const changelogRecords = await commitExactlyOnce(tasks, {
      producer: resources.producer,
      output: resources.output,
      flushTimeoutMs: config.transactionTimeoutMs,
      commitTransaction: (committed, offsets) => this.#commitTransaction(committed, offsets),
    })
    this.#transactions.begin()
    this.#failures = 0
    return changelogRecords
  }

  commitFailed(error: unknown): Promise<void> {
    return this.#startOver(error)
  }

  sendFailed(error: unknown): Promise<void> {
    return this.#startOver(error)
  }

  /** Nothing that a member which was taken for dead produces becomes visible: the broker checks the member when its offsets come. */
  async afterPause(): Promise<boolean> {
    return false
  }

  /** What the lost tasks have produced is in the transaction of all. */
  beforeLoss(): Promise<void> {
    return this.#startOver(new WeirError('fenced', 'partitions were lost'))
  }

  close(): Promise<void> {
    return this.#options.heartbeat.whileAlive(this.#transactions.end())
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
  async #startOver(error: unknown): Promise<void> {
    const { config, host, heartbeat, resources, tasks } = this.#options
    const now = Date.now()
    if (this.#failures === 0) this.#failingSinceMs = now
    const isLate = this.#failures > 0 && now - this.#failingSinceMs > config.maxPollIntervalMs
    // What made a transaction fail is known better by the delivery that did.
    const cause = resources.producer.firstError() ?? error
    if (isLate || !helpsToStartOver(error) || !helpsToStartOver(cause)) throw cause
    this.#failures++
    const running = tasks.running()
    host.log('warn', 'a transaction is aborted: its tasks begin again at their committed offsets', {
      tasks: running.map(({ id }) => id),
      reason: messageOf(cause),
    })
    resources.output.discard()
    const restarting = async (): Promise<void> => {
      await Promise.all(running.map((task) => tasks.drop(task, true)))
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
