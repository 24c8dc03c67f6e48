import type { RawRecord } from '../consume/kept-record.ts'
import { RetriableError } from '../errors/retriable-error.ts'
import { messageOf } from '../errors/weir-error.ts'
import { TaskErrors } from './task-errors.ts'
import { recordFailed } from './task-failure.ts'
import type { TaskInput } from './task-input.ts'
import type { TaskOptions } from './task-options.ts'
import type { TaskWarnings } from './task-warnings.ts'

/** A record that is being processed, for the first time or again. */
export interface AttemptedRecord {
  /** True while the clock stands at it. */
  readonly isEntered: boolean
  raw(): RawRecord
  /** True when it may be tried again after another failure. @param timeoutMs from the first failure on */
  mayRetry(timeoutMs: number): boolean
  /** Keeps it for a later attempt. @returns how often it has failed */
  retryLater(timeoutMs: number): number
}

export interface RecordFailuresOptions extends Omit<TaskOptions, 'inputs'> {
  readonly warnings: TaskWarnings
  readonly inputs: () => readonly TaskInput[]
  /** There is something to commit. */
  readonly changed: () => void
}

/**
 * What becomes of a task's records that fail: they are tried again, dropped, or end the thread. Owns which record is at work: that one is to blame. Used by the
 * task's thread.
 */
export class RecordFailures {
  /** null: nobody is asked about errors. */
  readonly errors: TaskErrors | null
  /** An input, of whose head it is the turn, or a record that was taken from one; null between records. */
  atWork: AttemptedRecord | null = null
  readonly #options: RecordFailuresOptions

  constructor(options: RecordFailuresOptions) {
    this.#options = options
    this.errors = this.#taskErrors()
  }

  #taskErrors(): TaskErrors | null {
    const { assignment, clock, errors, output, sinkTopic, isGlobal, counters, warn, changed, tracer } =
      this.#options
    if (errors === undefined) return null
    const { policy, recordBytesMax } = errors
    if (policy.deserialization === null && policy.processing === null && policy.production === null)
      return null
    return new TaskErrors({
      taskId: assignment.id,
      clock,
      policy,
      output,
      deadLetterTopic: isGlobal === true ? null : sinkTopic,
      recordBytesMax,
      counters,
      warn,
      changed,
      failed: (error) => tracer?.failed(error),
      // What is forwarded for an earlier record is not the head's doing.
      source: () => {
        const { inputs } = this.#options
        const at = this.atWork ?? inputs().find((one) => one.input.hasRecord && one.isEntered)
        return at?.isEntered === true ? at.raw() : null
      },
      mayRetry: () => this.atWork?.mayRetry(this.#options.taskTimeoutMs) === true,
    })
  }

  /** The first input whose head cannot be read and is dropped: it has no say in whose record is next. As Kafka Streams' RecordQueue. */
  unreadable(): TaskInput | null {
    if (this.errors === null) return null
    for (const one of this.#options.inputs()) if (one.hasRecord && !one.readHead()) return one
    return null
  }

  /**
   * The record at work has failed. What it has put into stores stays: another attempt finds it.
   *
   * @param outputs how many there were before it
   * @returns true when it is tried again later, false when it is dropped
   * @throws WeirError when it ends the thread
   */
  isRetried(one: AttemptedRecord, outputs: number, error: unknown): boolean {
    const { output } = this.#options
    if (!this.isRetriable(one, error)) {
      this.#drop(error)
      return false
    }
    output.takeBack(outputs)
    this.retryLater(one, error)
    return true
  }

  /** The record at work, which is the clock's, is tried again later. */
  retryLater(one: AttemptedRecord, error: unknown): void {
    const { counters, warnings, taskTimeoutMs } = this.#options
    this.atWork = null
    counters.retries++
    if (one.retryLater(taskTimeoutMs) === 1) warnings.recordRetried(messageOf(error))
  }

  /** True for a failure after which a record is tried again. */
  isRetriable(one: AttemptedRecord, error: unknown): boolean {
    return error instanceof RetriableError && one.mayRetry(this.#options.taskTimeoutMs)
  }

  /** What no processor was asked about: a sink right below the source has failed, or there is no handler. */
  #drop(error: unknown): void {
    const { clock } = this.#options
    try {
      this.#ask(clock.node, error)
    } catch (final) {
      throw recordFailed(clock, final)
    }
  }

  /** @throws error when nobody is to be asked about it, or when it ends the thread */
  punctuatorFailed(node: string, timestamp: number, error: unknown): void {
    const { clock } = this.#options
    clock.inPunctuator = true
    clock.timestamp = timestamp
    this.#ask(node, error)
  }

  #ask(node: string, error: unknown): void {
    const failed = this.errors?.processingFailed ?? null
    if (failed === null || this.#options.isGlobal === true) throw error
    failed(node, null, error)
  }
}
