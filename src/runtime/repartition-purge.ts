import { messageOf } from '../errors/weir-error.ts'
import type { TopicPartitionOffset } from '../native.ts'
import { type Logger, LogLimiter } from './logger.ts'
import { partitionKey } from './task-inputs.ts'
import type { TopicAdmin } from './topic-admin.ts'

const REQUEST_TIMEOUT_MS = 10_000

/**
 * Deletes what was processed from repartition topics: they keep their records for ever, since time says nothing about whether a record was
 * read. Kafka Streams' TaskManager.maybePurgeCommittedRecords.
 */
export class RepartitionPurge {
  readonly #topics: ReadonlySet<string>
  readonly #committed: () => Iterable<TopicPartitionOffset>
  readonly #admin: Pick<TopicAdmin, 'deleteRecords'>
  readonly #logger: Logger
  readonly #limiter = new LogLimiter()
  /** Up to where each partition was purged. */
  readonly #purged = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | null = null

  /**
   * @param topics the repartition topics, by real name
   * @param committed positions of the assigned partitions: what lies before them was processed and committed
   */
  constructor(
    topics: ReadonlySet<string>,
    committed: () => Iterable<TopicPartitionOffset>,
    admin: Pick<TopicAdmin, 'deleteRecords'>,
    logger: Logger,
  ) {
    this.#topics = topics
    this.#committed = committed
    this.#admin = admin
    this.#logger = logger
  }

  /** @param intervalMs repartition.purge.interval.ms */
  start(intervalMs: number): void {
    if (this.#topics.size === 0) return
    this.#timer = setInterval(() => void this.purge(), intervalMs)
    this.#timer.unref()
  }

  /** Ends it, with the request that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  /** Deletes what was committed since the last time. */
  purge(): Promise<void> {
    this.#running ??= this.#purge().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #purge(): Promise<void> {
    const before = [...this.#committed()]
      .filter(
        (position) =>
          this.#topics.has(position.topic) &&
          position.offset > (this.#purged.get(partitionKey(position)) ?? 0),
      )
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }))
    if (before.length === 0) return
    try {
      await this.#admin.deleteRecords(before, REQUEST_TIMEOUT_MS)
      for (const position of before) this.#purged.set(partitionKey(position), position.offset)
    } catch (error) {
      // Nothing depends on it but disk space; it is tried again.
      this.#limiter.once('purge', (heldBack) =>
        this.#logger.warn(
          { reason: messageOf(error), heldBack },
          'processed records of repartition topics cannot be deleted',
        ),
      )
    }
  }
}
