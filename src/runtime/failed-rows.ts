import type { RefusedRow } from '../cassandra/row-write.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { Producer } from '../native.ts'
import type { FailedOutput, ProductionExceptionHandler } from '../process/error-handlers.ts'
import { ErrorResponses, type ErrorResponsesOptions } from './error-responses.ts'

export interface FailedRowsOptions extends Omit<ErrorResponsesOptions, 'changed'> {
  readonly producer: Pick<Producer, 'flush'>
  /** null: nobody is asked, and the thread ends. */
  readonly handler: ProductionExceptionHandler | null
  /** What is in a transaction goes with it when the thread ends. */
  readonly isExactlyOnce: boolean
  /** How long the producer may take to deliver what it holds, ms. */
  readonly flushTimeoutMs: number
}

/**
 * Records that could not become rows in Cassandra, or whose rows were refused there: at a commit the production handler is asked about each, before the offsets of any record are
 * committed. Used by a stream thread.
 */
export class FailedRows {
  readonly #options: FailedRowsOptions
  readonly #responses: ErrorResponses
  /** What ended it. A later commit would tell of these records that they were written. */
  #failure: unknown = null

  constructor(options: FailedRowsOptions) {
    this.#options = options
    this.#responses = new ErrorResponses({ ...options, changed: () => {} })
  }

  /**
   * Dead letters are handed over to the producer.
   *
   * @throws WeirError production-failed when a handler says so; under at-least-once after its dead letters were delivered
   */
  async settle(refused: readonly RefusedRow[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    try {
      for (const one of refused) await this.#settleOne(one)
      if (refused.length > 0) await this.#options.output.sendAll()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  async #settleOne(refused: RefusedRow): Promise<void> {
    const { output, producer, isExactlyOnce, flushTimeoutMs } = this.#options
    // For a row there is nothing that another attempt would change.
    if (this.#answer(refused) === 'continue') return
    if (!isExactlyOnce) {
      await output.sendAll()
      await producer.flush(flushTimeoutMs)
    }
    const { source, error } = refused
    const { taskId, node, table } = source
    const place = placeText(source)
    throw new WeirError(
      'production-failed',
      `task ${taskId}, sink ${node}: ${place}cannot be a row of table ${table} in Cassandra: ${messageOf(error)}`,
      { cause: error },
    )
  }

  #answer({ source, error }: RefusedRow): string {
    const { handler } = this.#options
    if (source.asked === null || handler === null) return 'fail'
    const { context, record } = source.asked
    const { key, value, timestamp, headers } = record
    const topic = `cassandra:${source.table}`
    const output: FailedOutput = { topic, partition: -1, stage: 'row', key, value, timestamp, headers }
    return this.#responses.atCommit(context, output, error, handler)
  }
}

function placeText({ asked }: RefusedRow['source']): string {
  if (asked === null || asked.context.topic === null) return 'a record '
  const { topic, partition, offset } = asked.context
  return `${topic} partition ${partition} offset ${offset} `
}
