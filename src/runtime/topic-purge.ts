import { messageOf } from '../errors/weir-error.ts'
import type { TopicPartitionOffset } from '../native.ts'
import { type Logger, LogLimiter } from './logger.ts'
import { partitionKey } from './task-inputs.ts'
import type { TopicAdmin } from './topic-admin.ts'

const REQUEST_TIMEOUT_MS = 10_000

/**
 * Deletes what nobody reads any more from topics that keep their records for ever, since time says nothing about that: what was processed from repartition
 * topics (Kafka Streams' TaskManager.maybePurgeCommittedRecords), and from changelogs of tiered stores what Cassandra has.
 */
export class TopicPurge {
  readonly #topics: ReadonlySet<string>
  readonly #notNeeded: () => Iterable<TopicPartitionOffset>
  readonly #admin: Pick<TopicAdmin, 'deleteRecords'>
  readonly #logger: Logger
  readonly #limiter = new LogLimiter()
  /** Up to where each partition was purged. */
  readonly #purged = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | null = null

  /**
   * @param topics by real name
   * @param notNeeded offsets of these topics and of others: what lies before them nobody reads any more
   */
  constructor(
    topics: ReadonlySet<string>,
    notNeeded: () => Iterable<TopicPartitionOffset>,
    admin: Pick<TopicAdmin, 'deleteRecords'>,
    logger: Logger,
  ) {
    this.#topics = topics
    this.#notNeeded = notNeeded
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

  /** Deletes what came before the offsets since the last time. */
  purge(): Promise<void> {
    this.#running ??= this.#purge().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #purge(): Promise<void> {
    // Several inputs of a task may say it of one changelog.
    const highest = new Map<string, TopicPartitionOffset>()
    for (const { topic, partition, offset } of this.#notNeeded()) {
      const key = partitionKey({ topic, partition })
      const before = highest.get(key)?.offset ?? this.#purged.get(key) ?? 0
      if (this.#topics.has(topic) && offset > before) highest.set(key, { topic, partition, offset })
    }
    const before = [...highest.values()]
    if (before.length === 0) return
    try {
      await this.#admin.deleteRecords(before, REQUEST_TIMEOUT_MS)
      for (const position of before) this.#purged.set(partitionKey(position), position.offset)
    } catch (error) {
      // Nothing depends on it but disk space; it is tried again.
      this.#limiter.once('purge', (heldBack) =>
        this.#logger.warn(
          { reason: messageOf(error), heldBack },
          'records that nobody reads any more cannot be deleted from internal topics',
        ),
      )
    }
  }
}
