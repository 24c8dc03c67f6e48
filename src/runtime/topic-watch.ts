import type { Config } from '../config/config.ts'
import { decisionFor } from '../errors/decision.ts'
import { namedError } from '../errors/named-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { TopicDescription } from '../native.ts'
import type { Logger } from './logger.ts'
import type { TopicInfo } from './protocol.ts'
import type { TopicAdmin } from './topic-admin.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** A topic that was there is gone when it is missing this often: one broker may not know it for a moment. */
const MISSING_MAX = 3
const AGAIN_MS = 1_000

/** How often to look: as often as librdkafka itself. */
export function topicWatchIntervalMs(config: Config): number {
  return Number(config.consumer['topic.metadata.refresh.interval.ms'] ?? 300_000)
}

export interface TopicWatchOptions {
  /** The topics as the application started with them, by real name. */
  readonly topics: ReadonlyMap<string, TopicInfo>
  /** Topics that are not missed when they are deleted. Default: none. */
  readonly mayGo?: (topic: string) => boolean
  /** Topics that may get more partitions. Default: none. */
  readonly mayGrow?: (topic: string) => boolean
  /** Such a topic has: resolves when the application goes on with it, rejects with why it cannot. */
  readonly onGrown?: (signal: AbortSignal) => Promise<void>
  readonly admin: Pick<TopicAdmin, 'describeTopics'>
  readonly intervalMs: number
  readonly logger: Logger
  readonly onFailed: (error: WeirError) => void
}

/**
 * Looks regularly whether the input and internal topics are still those that the application started with, with as many partitions. A source topic that
 * gets more is followed where the internal topics have as many as are needed then, which is where there are none; otherwise it stops the application, as a
 * topic does that was made anew. Kafka Streams' StreamsPartitionAssignor and InternalTopicManager.
 */
export class TopicWatch {
  readonly #options: TopicWatchOptions
  #topics: ReadonlyMap<string, TopicInfo>
  #missing = 0
  #timer: NodeJS.Timeout | undefined
  #checking = false
  readonly #stopping = new AbortController()

  constructor(options: TopicWatchOptions) {
    this.#options = options
    this.#topics = options.topics
  }

  /** There are other topics to look at from now on; those that there were have to be as they were. */
  watch(topics: ReadonlyMap<string, TopicInfo>): void {
    const both = new Map([...this.#topics].filter(([name]) => topics.has(name)))
    const problem = compareTopics(
      both,
      [...topics].map(([name, info]) => ({ name, ...info })),
      this.#options.mayGrow,
    )
    this.#topics = topics
    if (problem !== null) this.#failed(problem)
  }

  start(): void {
    this.#timer = setInterval(() => this.checkSoon(), this.#options.intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopping.abort()
    clearInterval(this.#timer)
  }

  /** Somebody has reason to doubt the topics. */
  checkSoon(): void {
    if (this.#checking || this.#stopping.signal.aborted) return
    this.#checking = true
    void this.#check().finally(() => {
      this.#checking = false
    })
  }

  async #check(): Promise<void> {
    const { mayGo, mayGrow, admin, logger } = this.#options
    const topics = this.#topics
    try {
      const found = await admin.describeTopics([...topics.keys()], REQUEST_TIMEOUT_MS)
      const expected =
        mayGo === undefined
          ? topics
          : new Map(
              [...topics].filter(([name]) => !mayGo(name) || found.some((topic) => topic.name === name)),
            )
      const problem = compareTopics(expected, found, mayGrow)
      if (problem === null) {
        this.#missing = 0
        await this.#followGrown(
          found.filter((topic) => topic.partitions > expected.get(topic.name)!.partitions),
        )
      } else if (problem.code !== 'topic-missing' || ++this.#missing >= MISSING_MAX) {
        this.#failed(problem)
      } else {
        logger.warn({ reason: problem.message }, 'a topic is missing')
        this.#checkAgain()
      }
    } catch (error) {
      const level = decisionFor(error).next === 'retry' ? 'debug' : 'warn'
      logger[level]({ reason: messageOf(error) }, 'topics cannot be looked at')
    }
  }

  /** @param grown as they are now */
  async #followGrown(grown: readonly TopicDescription[]): Promise<void> {
    const { logger, onGrown, onFailed } = this.#options
    const { signal } = this.#stopping
    if (grown.length === 0 || signal.aborted) return
    const partitions = Object.fromEntries(grown.map((topic) => [topic.name, topic.partitions]))
    logger.info({ partitions }, 'source topics have more partitions than before')
    try {
      await onGrown?.(signal)
    } catch (error) {
      const { code, next } = decisionFor(error)
      if (signal.aborted) return
      // A topic may be deleted between two requests; the next look tells.
      if (next === 'retry' || code === 'source-topic-missing') this.#checkAgain()
      else onFailed(namedError(error, 'following a topic that has more partitions'))
    }
  }

  #checkAgain(): void {
    setTimeout(() => this.checkSoon(), AGAIN_MS).unref()
  }

  #failed(problem: WeirError): void {
    clearInterval(this.#timer)
    this.#options.onFailed(problem)
  }
}

/** @returns what is wrong, null when nothing is */
export function compareTopics(
  topics: ReadonlyMap<string, TopicInfo>,
  found: readonly Pick<TopicDescription, 'name' | 'id' | 'partitions'>[],
  mayGrow: (topic: string) => boolean = () => false,
): WeirError | null {
  const missing = [...topics.keys()].filter((name) => !found.some((topic) => topic.name === name))
  if (missing.length > 0) {
    return new WeirError('topic-missing', `deleted while the application runs: topic ${missing.join(', ')}`)
  }
  for (const topic of found) {
    const before = topics.get(topic.name)
    if (before === undefined) continue
    if (before.id !== '' && topic.id !== '' && topic.id !== before.id) {
      return new WeirError(
        'topic-recreated',
        `topic ${topic.name} was deleted and made anew while the application runs: its offsets mean other records now`,
      )
    }
    if (topic.partitions === before.partitions) continue
    if (topic.partitions > before.partitions && mayGrow(topic.name)) continue
    return new WeirError(
      'partition-count-changed',
      `topic ${topic.name} has ${topic.partitions} partitions and had ${before.partitions} when the application started: keys are in other partitions now, ` +
        'and the internal topics have as many as before. Stop every process, reset the application or give it another WEIR_APPLICATION_ID, and start again',
    )
  }
  return null
}
