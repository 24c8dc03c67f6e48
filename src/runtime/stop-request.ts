import { decodeOffsetMetadata, encodeOffsetMetadata, processorMetadataOf } from '../commit/offset-metadata.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopicPartition, TopicPartitionOffset } from '../native.ts'
import type { Logger } from './logger.ts'
import type { Membership } from './membership/membership.ts'
import type { TopicAdmin } from './topic-admin.ts'

/** Among the processor metadata that goes with the committed offsets: when the stop was asked for, ms since 1970. */
const NAME = 'weir.stop-application'
const INTERVAL_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000

/** When the stop of the application was asked for last, by what goes with these offsets; 0 when never. */
export function stopRequestIn(offsets: Iterable<Pick<TopicPartitionOffset, 'metadata'>>): number {
  return processorMetadataOf(Array.from(offsets, ({ metadata }) => metadata)).get(NAME) ?? 0
}

/** The same offset, with the request beside what goes with it already. */
export function withStopRequest(offset: TopicPartitionOffset, requestedMs: number): TopicPartitionOffset {
  const processors = processorMetadataOf([offset.metadata]).set(NAME, requestedMs)
  return { ...offset, metadata: encodeOffsetMetadata(decodeOffsetMetadata(offset.metadata), processors) }
}

export interface StopRequestsOptions {
  readonly applicationId: string
  readonly admin: Pick<TopicAdmin, 'groupOffsets'>
  readonly membership: Pick<Membership, 'commit' | 'startOffsets'>
  readonly logger: Logger
  /** Another process asks this one to stop. */
  readonly onFailed: (error: WeirError) => void
}

/**
 * How one process of an application asks all to stop: with the committed offsets of its own partitions goes when it asked, and every process looks
 * regularly for a request that is newer than those it has found when it started. Commits carry what they find on, so a request is there for all to
 * see, and stays; a process that starts later takes no notice of it. Kafka Streams sends the request through its assignor, which librdkafka has no room
 * for. Main thread.
 */
export class StopRequests {
  readonly #options: StopRequestsOptions
  /** The newest that this process takes no notice of; null before the group's offsets have been seen. */
  #known: number | null = null
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #isStopped = false

  constructor(options: StopRequestsOptions) {
    this.#options = options
  }

  /** Looks from now on, until `stop`. */
  start(): void {
    this.#timer = setInterval(() => this.lookSoon(), INTERVAL_MS)
    this.#timer.unref()
    this.lookSoon()
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  /** Partitions have moved, for whatever reason. */
  lookSoon(): void {
    if (this.#looking || this.#isStopped) return
    this.#looking = true
    void this.#look().finally(() => {
      this.#looking = false
    })
  }

  /**
   * Asks every process of the application to stop. REQUIRES that nobody else in this process commits any more.
   *
   * @param partitions those of this process; without any nobody can be told
   * @param isCurrent whether they still are
   * @throws WeirError fenced when they are not any more
   */
  async ask(partitions: readonly TopicPartition[], isCurrent: () => boolean): Promise<void> {
    const { membership, logger } = this.#options
    this.stop()
    if (partitions.length === 0) {
      logger.error({}, 'the other processes cannot be asked to stop: no partition is assigned to this one')
      return
    }
    // What a transaction has committed that ended without an answer must not be taken back.
    const offsets = await membership.startOffsets(partitions)
    const requestedMs = Math.max(Date.now(), (this.#known ?? 0) + 1, stopRequestIn(offsets) + 1)
    await membership.commit(
      offsets.map((offset) => withStopRequest(offset, requestedMs)),
      isCurrent,
      true,
    )
    logger.warn({}, 'every process of the application is asked to stop')
  }

  async #look(): Promise<void> {
    const { applicationId, admin, logger, onFailed } = this.#options
    try {
      const requestedMs = stopRequestIn(await admin.groupOffsets(applicationId, REQUEST_TIMEOUT_MS))
      this.#known ??= requestedMs
      if (this.#isStopped || requestedMs <= this.#known) return
      this.stop()
      const when = new Date(requestedMs).toISOString()
      onFailed(
        new WeirError(
          'stop-requested',
          `a process of application ${applicationId} asked all to stop at ${when}`,
        ),
      )
    } catch (error) {
      logger.debug({ reason: messageOf(error) }, "the group's offsets cannot be looked at")
    }
  }
}
