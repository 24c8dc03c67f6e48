import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { FailedDelivery, Producer } from '../native.ts'
import type {
  ErrorHandlerContext,
  FailedOutput,
  ProductionExceptionHandler,
} from '../process/error-handlers.ts'
import { Headers } from '../process/headers.ts'
import type { SinkTopic } from '../process/node.ts'
import { bytesSerde } from '../serde/bytes.ts'
import type { Serde } from '../serde/serde.ts'
import { ErrorResponses, type ErrorResponsesOptions } from './error-responses.ts'

const bytes = bytesSerde as Serde<unknown>

/** A broker refuses a whole batch for one of its records. */
const OF_A_BATCH = [
  'kafka:MSG_SIZE_TOO_LARGE',
  'kafka:RECORD_LIST_TOO_LARGE',
  'kafka:INVALID_MSG',
  'kafka:INVALID_RECORD',
  'kafka:INVALID_TIMESTAMP',
  'kafka:POLICY_VIOLATION',
]
/** The same record may be taken later. */
const MAY_PASS = [
  'kafka:_MSG_TIMED_OUT',
  'kafka:REQUEST_TIMED_OUT',
  'kafka:NOT_ENOUGH_REPLICAS',
  'kafka:NOT_ENOUGH_REPLICAS_AFTER_APPEND',
]

export interface FailedOutputsOptions extends Omit<ErrorResponsesOptions, 'changed'> {
  readonly producer: Pick<Producer, 'flush' | 'takeFailures'>
  readonly handler: ProductionExceptionHandler
  readonly deadLetterTopic: (name: string) => SinkTopic
  readonly deadLetterTopicName: string | null
  /** The topic with this id, and which node writes to it. */
  readonly sink: (topic: number) => { readonly topic: SinkTopic; readonly node: string }
  /** How long the producer may take to deliver what it holds, ms. */
  readonly flushTimeoutMs: number
  /** How long a record is sent again whose handler says so, ms. */
  readonly retryTimeoutMs: number
}

/**
 * Outputs that a broker has refused, or did not answer for, after they had left: at a commit the production handler is asked about each. Their order among
 * other outputs is lost. Under exactly-once there are none: the transaction has failed. Used by a stream thread, between the delivery of its outputs and
 * all that rests on that.
 */
export class FailedOutputs {
  readonly #options: FailedOutputsOptions
  readonly #responses: ErrorResponses
  /** What ended it. A later commit would tell of these records that they were delivered. */
  #failure: unknown = null

  constructor(options: FailedOutputsOptions) {
    this.#options = options
    this.#responses = new ErrorResponses({ ...options, changed: () => {} })
  }

  /**
   * REQUIRES that the producer was flushed.
   *
   * @throws WeirError production-failed when a handler says so, after its dead letters were delivered; NativeError when something else could not be
   */
  async settle(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    try {
      await this.#settleAll(this.#options.producer.takeFailures())
      // Dead letters: delivered with what is produced next, before anything is committed.
      await this.#options.output.sendAll()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  async #settleAll(failures: readonly FailedDelivery[]): Promise<void> {
    const together = failures.filter(({ error }) => OF_A_BATCH.includes(error.code))
    for (const failed of failures) if (!together.includes(failed)) await this.#settleOne(failed)
    if (together.length === 1) await this.#settleOne(together[0]!)
    if (together.length < 2) return
    // Sent in halves, again and again, until those are alone that are refused for themselves.
    const half = together.length >>> 1
    for (const part of [together.slice(0, half), together.slice(half)])
      await this.#settleAll(await this.#sendAgain(part))
  }

  async #settleOne(first: FailedDelivery): Promise<void> {
    const { output, producer, flushTimeoutMs, retryTimeoutMs } = this.#options
    const endMs = Date.now() + retryTimeoutMs
    let failed: FailedDelivery | undefined = first
    while (failed !== undefined) {
      const result = this.#ask(failed)
      if (result === 'continue') return
      const { error } = failed
      if (result !== 'retry' || !MAY_PASS.includes(error.code) || Date.now() >= endMs) {
        await output.sendAll()
        await producer.flush(flushTimeoutMs)
        throw new WeirError('production-failed', messageOf(error), { cause: error })
      }
      ;[failed] = await this.#sendAgain([failed])
    }
  }

  #ask({ topic: id, partition, key, value, timestamp, headers: encoded, error }: FailedDelivery): string {
    const { sink, handler, deadLetterTopicName } = this.#options
    const { topic, node } = sink(id)
    const context: ErrorHandlerContext = {
      topic: null,
      partition: -1,
      offset: -1,
      headers: Headers.empty,
      processorNode: node,
      taskId: null,
      timestamp,
      sourceRawKey: null,
      sourceRawValue: null,
      deadLetterTopic: deadLetterTopicName,
    }
    const headers = headersOf(encoded)
    const record: FailedOutput = {
      topic: topic.name,
      partition,
      stage: 'send',
      key,
      value,
      timestamp,
      headers,
    }
    return this.#responses.atCommit(context, record, error, handler)
  }

  /** @returns what was refused again */
  async #sendAgain(records: readonly FailedDelivery[]): Promise<FailedDelivery[]> {
    const { output, producer, flushTimeoutMs } = this.#options
    for (const { topic, partition, key, value, timestamp, headers } of records)
      output.add(topic, partition, bytes, key, bytes, value, timestamp, headersOf(headers))
    await output.sendAll()
    await producer.flush(flushTimeoutMs)
    return producer.takeFailures()
  }
}

function headersOf(encoded: Buffer | null): Headers {
  return encoded === null ? Headers.empty : Headers.decode(encoded, 0)
}
