import { decisionFor } from '../errors/decision.ts'
import { namedError } from '../errors/named-error.ts'
import { messageOf, type WeirError } from '../errors/weir-error.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { matchedTopics, withMatchedTopics } from '../topology/topic-patterns.ts'
import type { Logger } from './logger.ts'
import type { TopicAdmin } from './topic-admin.ts'

const REQUEST_TIMEOUT_MS = 10_000

export interface PatternWatchOptions {
  /** As it was built. */
  readonly topology: TopologyDefinition
  readonly applicationId: string
  /** The topics that matched when the application started. */
  readonly matched: readonly string[]
  readonly admin: Pick<TopicAdmin, 'listTopics'>
  readonly intervalMs: number
  readonly logger: Logger
  /** Other topics match than before. @returns those that match from now on; when it rejects, the next look tells of them again */
  readonly onChanged: () => Promise<readonly string[]>
  readonly onFailed: (error: WeirError) => void
}

/**
 * Looks regularly which topics match the patterns of sources: topics that are created while the application runs are read, and those that are deleted are
 * not missed.
 */
export class PatternWatch {
  readonly #options: PatternWatchOptions
  #matched: readonly string[]
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | null = null
  #stopped = false

  constructor(options: PatternWatchOptions) {
    this.#options = options
    this.#matched = options.matched
  }

  start(): void {
    this.#timer = setInterval(() => this.checkSoon(), this.#options.intervalMs)
    this.#timer.unref()
  }

  /** Ends it, with the look that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#checking
  }

  /** Somebody has reason to believe that there are other topics. */
  checkSoon(): void {
    if (this.#stopped) return
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null
    })
  }

  async #check(): Promise<void> {
    const { admin, topology, applicationId, logger, onChanged, onFailed } = this.#options
    try {
      const existing = await admin.listTopics(REQUEST_TIMEOUT_MS)
      const matched = matchedTopics(
        withMatchedTopics(
          topology,
          applicationId,
          existing.map(({ name }) => name),
        ),
      )
      const added = matched.filter((topic) => !this.#matched.includes(topic))
      const removed = this.#matched.filter((topic) => !matched.includes(topic))
      if ((added.length === 0 && removed.length === 0) || this.#stopped) return
      logger.info({ added, removed }, 'other topics match the patterns of sources than before')
      this.#matched = await onChanged()
    } catch (error) {
      const { code, next } = decisionFor(error)
      // A topic may be deleted between two requests.
      if (this.#stopped || next === 'retry' || code === 'source-topic-missing')
        logger.debug({ reason: messageOf(error) }, 'topics cannot be looked at')
      else if (code === 'authorization-failed')
        logger.warn({ reason: messageOf(error) }, 'topics cannot be looked at')
      else onFailed(namedError(error, 'following the topics that match patterns'))
    }
  }
}
