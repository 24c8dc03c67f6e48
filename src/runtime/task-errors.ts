import { DeserializationError } from '../consume/deserialization.ts'
import type { ErrorCode } from '../errors/codes.ts'
import { RetriableError } from '../errors/retriable-error.ts'
import { messageOf } from '../errors/weir-error.ts'
import type { ErrorGuard, RefusedOutput } from '../process/error-guard.ts'
import type { DeadLetter, ErrorHandlerContext, HandlerResponse } from '../process/error-handlers.ts'
import { Headers } from '../process/headers.ts'
import type { SinkTopic } from '../process/node.ts'
import type { StreamRecord } from '../process/record.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { OutputBatch } from '../produce/output-batch.ts'
import { DeadLetters } from './dead-letters.ts'
import type { ErrorPolicy } from './error-policy.ts'
import { LogLimiter } from './logger.ts'
import type { TaskId } from './protocol.ts'
import { isStateFailure, processingFailed, RecordFailure, recordFailed } from './task-failure.ts'

/** An input record's bytes. */
export interface RawRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

export interface TaskErrorsOptions {
  readonly taskId: TaskId
  readonly clock: TaskClock
  readonly policy: ErrorPolicy
  readonly output: OutputBatch
  /** A topic by its name in the policy; null: nothing is produced, the task fills global stores. */
  readonly deadLetterTopic: ((name: string) => SinkTopic) | null
  /** As of ErrorGuard. */
  readonly recordBytesMax: number
  readonly counters: { recordsDropped: number; deadLetters: number; errorHandled(kind: ErrorKind): void }
  /** There is something to commit. */
  readonly changed: () => void
  /** One line for the log. */
  readonly warn: (message: string, fields: Record<string, unknown>) => void
  /** The input record that the clock stands at; null when it stands at none, or at one that is gone. */
  readonly source: () => RawRecord | null
  /** True while the record at work is tried again when it fails with what may pass. */
  readonly mayRetry: () => boolean
}

export type ErrorKind = 'deserialization' | 'processing' | 'production'

const CODES = {
  deserialization: 'deserialization-failed',
  processing: 'processing-failed',
  production: 'production-failed',
} as const satisfies Record<ErrorKind, ErrorCode>

/**
 * Asks a task's handlers about its errors, and does what they answer: dead letters go to the thread's output, where the record's own outputs
 * went, so that they are written by the same commit; then the record is dropped, or the error goes on. Used by that thread.
 */
export class TaskErrors implements ErrorGuard {
  readonly processingFailed: ErrorGuard['processingFailed']
  readonly productionFailed: ErrorGuard['productionFailed']
  readonly recordBytesMax: number
  readonly #options: TaskErrorsOptions
  readonly #deadLetters: DeadLetters
  readonly #limiter: LogLimiter

  constructor(options: TaskErrorsOptions) {
    const { policy, clock } = options
    this.#options = options
    this.recordBytesMax = options.recordBytesMax
    this.#deadLetters = new DeadLetters(options)
    this.#limiter = new LogLimiter(clock.systemTimeMs)
    this.processingFailed = policy.processing === null ? null : this.#processingFailed.bind(this)
    this.productionFailed = policy.production === null ? null : this.#productionFailed.bind(this)
  }

  /** True when records are decoded before any part of them is processed, so that nothing of one that cannot be has been done. */
  get decodesFirst(): boolean {
    return this.#options.policy.deserialization !== null
  }

  /** The record that the clock stands at cannot be read. @throws WeirError deserialization-failed when it is not to be dropped */
  deserializationFailed(timestamp: number, error: unknown): void {
    const { policy, clock } = this.#options
    if (!(error instanceof DeserializationError) || policy.deserialization === null)
      throw recordFailed(clock, error)
    const context = this.#context(clock.node, timestamp)
    this.#handle('deserialization', context, error, () => policy.deserialization!(context, error))
  }

  #processingFailed(node: string, record: StreamRecord<unknown, unknown> | null, error: unknown): void {
    const { policy, clock, mayRetry } = this.#options
    if (isForNoHandler(error) || (error instanceof RetriableError && mayRetry())) throw error
    const context = this.#context(node, clock.timestamp)
    const cause = asError(error)
    this.#handle('processing', context, cause, () => policy.processing!(context, record, cause))
  }

  #productionFailed(node: string, output: RefusedOutput, error: unknown): void {
    const { policy, clock } = this.#options
    const context = this.#context(node, clock.timestamp)
    const cause = asError(error)
    this.#handle('production', context, cause, () => policy.production!(context, output, cause))
  }

  #handle(
    kind: ErrorKind,
    context: ErrorHandlerContext,
    error: Error,
    ask: () => string | HandlerResponse<string>,
  ): void {
    const { counters, clock } = this.#options
    counters.errorHandled(kind)
    let response: HandlerResponse<string>
    try {
      response = responseOf(kind, ask())
      for (const letter of response.deadLetters ?? []) this.#deadLetters.add(letter, context)
    } catch (failure) {
      const what = `the ${kind} handler failed (${messageOf(failure)}) when it was asked about: ${messageOf(error)}`
      throw new RecordFailure(CODES[kind], `${placeOf(context)}: ${what}`, { cause: failure })
    }
    if (response.result !== 'continue') {
      if (kind === 'deserialization') throw recordFailed(clock, error)
      throw processingFailed(placeOf(context), error, CODES[kind])
    }
    counters.recordsDropped++
    this.#limiter.once(`${kind} ${context.processorNode}`, (heldBack) =>
      this.#tell(kind, context, error, heldBack),
    )
  }

  #tell(kind: ErrorKind, context: ErrorHandlerContext, error: Error, heldBack: number): void {
    const { taskId, processorNode, topic, partition, offset } = context
    this.#options.warn(
      'a record is dropped, as the error handler says; weir_errors_handled_total counts them',
      {
        task: taskId,
        kind,
        processor: processorNode,
        topic,
        partition,
        offset,
        reason: messageOf(error),
        heldBack,
      },
    )
  }

  #context(processorNode: string, timestamp: number): ErrorHandlerContext {
    const { clock, taskId, policy, source } = this.#options
    const { topic, partition, offset, inPunctuator } = clock
    const isAtRecord = !inPunctuator && topic !== ''
    const raw = isAtRecord ? source() : null
    return {
      topic: isAtRecord ? topic : null,
      partition: isAtRecord ? partition : -1,
      offset: isAtRecord ? offset : -1,
      headers: raw?.headers ?? Headers.empty,
      processorNode,
      taskId,
      timestamp,
      sourceRawKey: raw?.key ?? null,
      sourceRawValue: raw?.value ?? null,
      deadLetterTopic: policy.deadLetterTopic,
    }
  }
}

/** A handler was asked already, or the failure is the runtime's or a store's, which no record is to blame for. */
function isForNoHandler(error: unknown): boolean {
  return error instanceof RecordFailure || error instanceof DeserializationError || isStateFailure(error)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function placeOf({ topic, partition, offset, processorNode, taskId }: ErrorHandlerContext): string {
  const where = topic === null ? `task ${taskId}` : `${topic} partition ${partition} offset ${offset}`
  return `${where}, processor ${processorNode}`
}

const RESULTS: Readonly<Record<ErrorKind, readonly string[]>> = {
  deserialization: ['fail', 'continue'],
  processing: ['fail', 'continue'],
  production: ['fail', 'continue', 'retry'],
}

/** @throws TypeError for an answer that is none */
export function responseOf(kind: ErrorKind, answer: unknown): HandlerResponse<string> {
  const response =
    typeof answer === 'string' ? { result: answer } : ((answer ?? {}) as HandlerResponse<string>)
  const { result, deadLetters = [] } = response
  if (!RESULTS[kind].includes(result) || !Array.isArray(deadLetters)) {
    const allowed = RESULTS[kind].join(', ')
    throw new TypeError(
      `it answered ${JSON.stringify(answer)}; allowed: ${allowed}, or { result, deadLetters }`,
    )
  }
  return { result, deadLetters: deadLetters as readonly DeadLetter[] }
}
