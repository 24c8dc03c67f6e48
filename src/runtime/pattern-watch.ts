import { decisionFor } from '../errors/decision.ts'
import { namedError } from '../errors/named-error.ts'
import { messageOf, type WeirError } from '../errors/weir-error.ts'
import type { TopologyDefinition } from '../topology/definition.ts'
import { matchedTopics, withMatchedTopics } from '../topology/topic-patterns.ts'
import type { Logger } from './logger.ts'
import type { TopicAdmin } from './topic-admin.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** A change that could not be followed is looked at again after this long: one broker may not know of it for a moment. */
const AGAIN_MS = 1_000

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
  readonly onChanged: (signal: AbortSignal) => Promise<readonly string[]>
  readonly onFailed: (error: WeirError) => void
}

/**
 * Looks regularly which topics match the patterns of sources: topics that are created while the application runs are read, and those that are deleted are
 * not missed.
 */
export class PatternWatch {
  readonly #options: PatternWatchOptions
  #matched: ReadonlySet<string>
  #timer: NodeJS.Timeout | undefined
  #againTimer: NodeJS.Timeout | undefined
  #checking: Promise<void> | null = null
  readonly #stopping = new AbortController()

  constructor(options: PatternWatchOptions) {
    this.#options = options
    this.#matched = new Set(options.matched)
  }

  start(): void {
    this.#timer = setInterval(() => this.checkSoon(), this.#options.intervalMs)
    this.#timer.unref()
  }

  /** Ends it, with the look that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#timer)
    clearTimeout(this.#againTimer)
    await this.#checking
  }

  /** Somebody has reason to believe that there are other topics. */
  checkSoon(): void {
    if (this.#stopping.signal.aborted) return
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null
    })
  }

  async #check(): Promise<void> {
    const { logger, onChanged, onFailed } = this.#options
    const { signal } = this.#stopping
    let hasChanged = false
    try {
      const matched = await this.#look()
      const added = [...matched].filter((topic) => !this.#matched.has(topic))
      const removed = [...this.#matched].filter((topic) => !matched.has(topic))
      if ((added.length === 0 && removed.length === 0) || signal.aborted) return
      hasChanged = true
      logger.info({ added, removed }, 'other topics match the patterns of sources than before')
      this.#matched = new Set(await onChanged(signal))
    } catch (error) {
      const { code, next } = decisionFor(error)
      const reason = messageOf(error)
      // A topic may be deleted between two requests.
      if (signal.aborted || next === 'retry' || code === 'source-topic-missing') {
        logger.debug({ reason }, 'topics cannot be looked at')
        if (hasChanged && !signal.aborted) this.#lookAgain()
      } else if (code === 'authorization-failed') {
        logger.warn({ reason }, 'topics cannot be looked at')
      } else {
        onFailed(namedError(error, 'following the topics that match patterns'))
      }
    }
  }

  async #look(): Promise<ReadonlySet<string>> {
    const { admin, topology, applicationId } = this.#options
    const existing = await admin.listTopics(REQUEST_TIMEOUT_MS)
    const names = existing.map(({ name }) => name)
    return new Set(matchedTopics(withMatchedTopics(topology, applicationId, names)))
  }

  #lookAgain(): void {
    clearTimeout(this.#againTimer)
    this.#againTimer = setTimeout(() => this.checkSoon(), AGAIN_MS)
    this.#againTimer.unref()
  }
}
