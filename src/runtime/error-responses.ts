import type { ErrorCode } from '../errors/codes.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type {
  ErrorHandlerContext,
  FailedOutput,
  HandlerResponse,
  ProductionExceptionHandler,
} from '../process/error-handlers.ts'
import { DeadLetters, type DeadLettersOptions } from './dead-letters.ts'
import { LogLimiter } from './logger.ts'
import { RecordFailure } from './task-failure.ts'

export type ErrorKind = 'deserialization' | 'processing' | 'production'

export const ERROR_CODES = {
  deserialization: 'deserialization-failed',
  processing: 'processing-failed',
  production: 'production-failed',
} as const satisfies Record<ErrorKind, ErrorCode>

export interface ErrorResponsesOptions extends DeadLettersOptions {
  readonly counters: {
    deadLetters: number
    recordDropped(reason: string): void
    errorHandled(kind: ErrorKind): void
  }
  /** One line for the log. */
  readonly warn: (message: string, fields: Record<string, unknown>) => void
  readonly systemTimeMs: () => number
}

/** What handlers answer: checked and counted, their dead letters written, what they drop logged once a minute for each node. */
export class ErrorResponses {
  readonly #options: ErrorResponsesOptions
  readonly #deadLetters: DeadLetters
  readonly #limiter: LogLimiter

  constructor(options: ErrorResponsesOptions) {
    this.#options = options
    this.#deadLetters = new DeadLetters(options)
    this.#limiter = new LogLimiter(options.systemTimeMs)
  }

  /**
   * @param ask calls the handler
   * @returns its result; `continue` has been counted and logged
   * @throws RecordFailure when the handler throws, or answers what is no answer
   */
  of(
    kind: ErrorKind,
    context: ErrorHandlerContext,
    error: Error,
    ask: () => string | HandlerResponse<string>,
  ): string {
    const { counters } = this.#options
    counters.errorHandled(kind)
    try {
      const { result, deadLetters = [] } = checked(kind, ask())
      for (const letter of deadLetters) this.#deadLetters.add(letter, context)
      if (result === 'continue') this.#dropped(kind, context, error)
      return result
    } catch (failure) {
      const what = `the ${kind} handler failed (${messageOf(failure)}) when it was asked about: ${messageOf(error)}`
      throw new RecordFailure(ERROR_CODES[kind], `${placeOf(context)}: ${what}`, { cause: failure })
    }
  }

  /**
   * The same about an output, at a commit.
   *
   * @throws WeirError production-failed
   */
  atCommit(
    context: ErrorHandlerContext,
    output: FailedOutput,
    error: Error,
    handler: ProductionExceptionHandler,
  ): string {
    try {
      return this.of('production', context, error, () => handler(context, output, error))
    } catch (failure) {
      // What came before it is not to be committed: that is for failures at the record being processed.
      if (!(failure instanceof RecordFailure)) throw failure
      throw new WeirError(failure.code, failure.message, { cause: failure })
    }
  }

  #dropped(kind: ErrorKind, context: ErrorHandlerContext, error: Error): void {
    const { counters, warn } = this.#options
    const { taskId, processorNode, topic, partition, offset } = context
    counters.recordDropped('error handler')
    this.#limiter.once(`${kind} ${processorNode}`, (heldBack) =>
      warn('a record is dropped, as the error handler says; weir_errors_handled_total counts them', {
        task: taskId,
        kind,
        processor: processorNode,
        topic,
        partition,
        offset,
        reason: messageOf(error),
        heldBack,
      }),
    )
  }
}

/** For messages. */
export function placeOf({ topic, partition, offset, processorNode, taskId }: ErrorHandlerContext): string {
  const task = taskId === null ? '' : `task ${taskId}, `
  const where = topic === null ? task : `${topic} partition ${partition} offset ${offset}, `
  return `${where}processor ${processorNode}`
}

const RESULTS: Readonly<Record<ErrorKind, readonly string[]>> = {
  deserialization: ['fail', 'continue'],
  processing: ['fail', 'continue'],
  production: ['fail', 'continue', 'retry'],
}

/** @throws TypeError for an answer that is none */
function checked(kind: ErrorKind, answer: unknown): HandlerResponse<string> {
  const response =
    typeof answer === 'string' ? { result: answer } : ((answer ?? {}) as HandlerResponse<string>)
  const { result, deadLetters = [] } = response
  if (!RESULTS[kind].includes(result) || !Array.isArray(deadLetters)) {
    const allowed = RESULTS[kind].join(', ')
    throw new TypeError(
      `it answered ${JSON.stringify(answer)}; allowed: ${allowed}, or { result, deadLetters }`,
    )
  }
  return { result, deadLetters }
}
