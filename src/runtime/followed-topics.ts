import type { ApplicationParts } from './application-parts.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { PatternWatch } from './pattern-watch.ts'
import { TopicWatch, topicWatchIntervalMs } from './topic-watch.ts'

export interface FollowedTopicsOptions
  extends Pick<
    ApplicationParts,
    'config' | 'admin' | 'plan' | 'patterns' | 'replan' | 'repartitionTopics' | 'logger'
  > {
  readonly onFailed: ConstructorParameters<typeof TopicWatch>[0]['onFailed']
  /** Other topics match the sources' patterns, or topics have more partitions: the application goes on with these. */
  readonly onPlanned: (plan: ApplicationPlan) => void
}

/** Whether the topics are still those that the application started with, and which topics its patterns match. Main thread. */
export class FollowedTopics {
  /** How often they are looked at, ms. */
  readonly intervalMs: number
  readonly #options: FollowedTopicsOptions
  readonly #watch: TopicWatch
  /** null: no source has a pattern. */
  readonly #patternWatch: PatternWatch | null
  #replanned: Promise<unknown> = Promise.resolve()

  constructor(options: FollowedTopicsOptions) {
    const { config, admin, plan, patterns, repartitionTopics, logger, onFailed } = options
    this.#options = options
    const intervalMs = topicWatchIntervalMs(config)
    this.intervalMs = intervalMs
    this.#watch = new TopicWatch({
      topics: plan.watched,
      ...(patterns !== null && { mayGo: patterns.matches }),
      mayGrow: (topic) =>
        patterns?.matches(topic) === true ||
        (plan.inputTopics.includes(topic) && !repartitionTopics.has(topic)),
      onGrown: async (signal) => void (await this.#replan(signal)),
      admin,
      intervalMs,
      logger,
      onFailed,
    })
    this.#patternWatch =
      patterns === null
        ? null
        : new PatternWatch({
            topology: patterns.topology,
            applicationId: config.applicationId,
            matched: plan.matched,
            admin,
            intervalMs,
            logger,
            onChanged: (signal) => this.#replan(signal),
            onFailed,
          })
  }

  /** Goes on with the topics that there are now, one time after the other. @returns those that match patterns */
  #replan(signal: AbortSignal): Promise<readonly string[]> {
    const { replan, onPlanned } = this.#options
    const following = this.#replanned.then(async () => {
      const next = await replan(signal)
      this.#watch.watch(next.watched)
      onPlanned(next)
      return next.matched
    })
    this.#replanned = following.catch(() => {})
    return following
  }

  start(): void {
    this.#watch.start()
    this.#patternWatch?.start()
  }

  /** Somebody has reason to doubt the topics. */
  checkSoon(): void {
    this.#watch.checkSoon()
    this.#patternWatch?.checkSoon()
  }

  /** The group has rebalanced: topics that came or went may be what for. */
  rebalanced(): void {
    this.#patternWatch?.checkSoon()
  }

  /** Ends it, with the look that is under way. */
  async stop(): Promise<void> {
    this.#watch.stop()
    await this.#patternWatch?.stop()
  }
}
