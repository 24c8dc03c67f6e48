import { DeserializationError } from '../consume/deserialization.ts'
import type { RawRecord } from '../consume/kept-record.ts'
import { RetriableError } from '../errors/retriable-error.ts'
import type { ErrorGuard, RefusedOutput } from '../process/error-guard.ts'
import type { ErrorHandlerContext, HandlerResponse } from '../process/error-handlers.ts'
import { Headers } from '../process/headers.ts'
import type { StreamRecord } from '../process/record.ts'
import type { TaskClock } from '../process/task-clock.ts'
import type { ErrorPolicy } from './error-policy.ts'
import {
  ERROR_CODES,
  type ErrorKind,
  ErrorResponses,
  type ErrorResponsesOptions,
  placeOf,
} from './error-responses.ts'
import type { TaskId } from './protocol.ts'
import { isNoRecordsFault, processingFailed, RecordFailure, recordFailed } from './task-failure.ts'

export interface TaskErrorsOptions extends Omit<ErrorResponsesOptions, 'systemTimeMs'> {
  readonly taskId: TaskId
  readonly clock: TaskClock
  readonly policy: ErrorPolicy
  /** The input record that the clock stands at; null when it stands at none, or at one that is gone. */
  readonly source: () => RawRecord | null
  /** The record at work has failed. */
  readonly failed: (error: Error) => void
  /** True while the record at work is tried again when it fails with what may pass. */
  readonly mayRetry: () => boolean
}

/**
 * Asks a task's handlers about its errors, and does what they answer: dead letters go to the thread's output, where the record's own outputs
 * went, so that they are written by the same commit; then the record is dropped, or the error goes on. Used by that thread.
 */
export class TaskErrors implements ErrorGuard {
  readonly processingFailed: ErrorGuard['processingFailed']
  readonly productionFailed: ErrorGuard['productionFailed']
  readonly contextOf: ErrorGuard['contextOf']
  readonly recordBytesMax: number
  readonly #options: TaskErrorsOptions
  readonly #responses: ErrorResponses

  constructor(options: TaskErrorsOptions) {
    const { policy, clock } = options
    this.#options = options
    this.recordBytesMax = options.recordBytesMax
    this.#responses = new ErrorResponses({ ...options, systemTimeMs: clock.systemTimeMs })
    this.processingFailed = policy.processing === null ? null : this.#processingFailed.bind(this)
    this.productionFailed = policy.production === null ? null : this.#productionFailed.bind(this)
    this.contextOf =
      policy.production === null
        ? null
        : (node, headers) => this.#context(node, options.clock.timestamp, headers)
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
    const context = this.#context(node, clock.timestamp, record?.headers)
    const cause = asError(error)
    this.#handle('processing', context, cause, () => policy.processing!(context, record, cause))
  }

  #productionFailed(node: string, output: RefusedOutput, error: unknown): void {
    const { policy, clock } = this.#options
    const context = this.#context(node, clock.timestamp, output.headers)
    const cause = asError(error)
    this.#handle('production', context, cause, () => policy.production!(context, output, cause))
  }

  #handle(
    kind: ErrorKind,
    context: ErrorHandlerContext,
    error: Error,
    ask: () => string | HandlerResponse<string>,
  ): void {
    this.#options.failed(error)
    if (this.#responses.of(kind, context, error, ask) === 'continue') return
    if (kind === 'deserialization') throw recordFailed(this.#options.clock, error)
    throw processingFailed(placeOf(context), error, ERROR_CODES[kind])
  }

  /** @param headers of what has failed, for when its input record is gone */
  #context(processorNode: string, timestamp: number, headers = Headers.empty): ErrorHandlerContext {
    const { clock, taskId, policy, source } = this.#options
    const { topic, partition, offset, inPunctuator } = clock
    const isAtRecord = !inPunctuator && topic !== ''
    const raw = isAtRecord ? source() : null
    return {
      topic: isAtRecord ? topic : null,
      partition: isAtRecord ? partition : -1,
      offset: isAtRecord ? offset : -1,
      headers: raw?.headers ?? (isAtRecord ? headers : Headers.empty),
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
  return error instanceof RecordFailure || error instanceof DeserializationError || isNoRecordsFault(error)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
