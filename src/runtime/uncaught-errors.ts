import type { Config } from '../config/config.ts'
import { type ErrorEntry, errorCodes } from '../errors/codes.ts'
import { messageOf, type WeirError } from '../errors/weir-error.ts'
import type { Logger } from './logger.ts'
import { ThreadReplacements } from './thread-replacements.ts'

/**
 * What follows from an error that nothing below has answered:
 * - `replace-thread`: a new thread takes the place of the one that failed, and its tasks, from what was committed last.
 * - `stop-worker`: this process stops; the others of the application take its tasks.
 * - `stop-application`: every process of the application stops.
 *
 * Kafka Streams' StreamThreadExceptionResponse (KIP-671): REPLACE_THREAD, SHUTDOWN_CLIENT, SHUTDOWN_APPLICATION.
 */
export type UncaughtErrorResponse = Config['uncaughtError']

export const uncaughtErrorResponses: readonly UncaughtErrorResponse[] = [
  'replace-thread',
  'stop-worker',
  'stop-application',
]

export interface UncaughtErrorContext {
  /** The stream thread that the error has ended; null for an error of the whole process: of its group, its topics, its global stores. */
  readonly threadIndex: number | null
  /** Whether `replace-thread` can be done; where it is answered nevertheless, `stop-worker` is done. */
  readonly canReplaceThread: boolean
  /** Threads that were replaced since all tasks have run for ten minutes. */
  readonly replacements: number
}

/**
 * Decides about an uncaught error. Called on the main thread, where the application was started, and not waited for: it has to return at once.
 * Kafka Streams' StreamsUncaughtExceptionHandler.
 */
export type UncaughtErrorHandler = (error: WeirError, context: UncaughtErrorContext) => UncaughtErrorResponse

export type UncaughtErrorAnswer =
  | { readonly response: 'replace-thread'; readonly delayMs: number }
  | { readonly response: 'stop-worker' | 'stop-application' }

/** Asks the handler, and sees to it that no answer is followed where it does harm: see `newThreadMayHelp` of errors/codes.ts, and the bound. Main thread. */
export class UncaughtErrors {
  readonly #handler: UncaughtErrorHandler
  readonly #max: number
  readonly #replacements: ThreadReplacements
  readonly #logger: Logger

  /** @param handler not given: WEIR_UNCAUGHT_ERROR decides */
  constructor(
    { uncaughtError, threadReplacementsMax }: Pick<Config, 'uncaughtError' | 'threadReplacementsMax'>,
    handler: UncaughtErrorHandler | undefined,
    logger: Logger,
  ) {
    this.#handler = handler ?? (() => uncaughtError)
    this.#max = threadReplacementsMax
    this.#replacements = new ThreadReplacements(threadReplacementsMax)
    this.#logger = logger
  }

  /** All tasks run, or not any more. */
  running(allRun: boolean, nowMs: number): void {
    this.#replacements.running(allRun, nowMs)
  }

  /** @param threadIndex of the stream thread that has ended by it; null when none has */
  answer(error: WeirError, threadIndex: number | null, nowMs: number): UncaughtErrorAnswer {
    // It was decided elsewhere, for all: asked again, the answer could begin another round.
    if (error.code === 'stop-requested') return { response: 'stop-worker' }
    const { newThreadMayHelp = false }: ErrorEntry = errorCodes[error.code]
    const canReplaceThread = threadIndex !== null && newThreadMayHelp
    const { count: replacements } = this.#replacements
    const response = this.#ask(error, { threadIndex, canReplaceThread, replacements })
    if (response !== 'replace-thread') return { response }
    const why =
      threadIndex === null ? 'it is not of one thread' : `a new thread does not help with ${error.code}`
    if (!canReplaceThread) return this.#stopInstead(error, why)
    const delayMs = this.#replacements.next(nowMs)
    if (delayMs !== null) return { response, delayMs }
    return this.#stopInstead(error, `${this.#max} threads were replaced (WEIR_THREAD_REPLACEMENTS_MAX)`)
  }

  #ask(error: WeirError, context: UncaughtErrorContext): UncaughtErrorResponse {
    try {
      const response = this.#handler(error, context)
      if (uncaughtErrorResponses.includes(response)) return response
      const problem = `onUncaughtError returned ${String(response)}; allowed: ${uncaughtErrorResponses.join(', ')}`
      this.#logger.error({}, problem)
    } catch (failure) {
      this.#logger.error({ reason: messageOf(failure) }, 'onUncaughtError failed')
    }
    return 'stop-worker'
  }

  #stopInstead({ code }: WeirError, reason: string): UncaughtErrorAnswer {
    this.#logger.error({ code, reason }, 'the thread is not replaced')
    return { response: 'stop-worker' }
  }
}
