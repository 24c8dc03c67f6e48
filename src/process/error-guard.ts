import type { ErrorHandlerContext } from './error-handlers.ts'
import type { Headers } from './headers.ts'
import type { StreamRecord } from './record.ts'

/** An output that its sink could not write. */
export interface RefusedOutput {
  /** The real name. */
  readonly topic: string
  readonly partition: number
  readonly stage: 'key' | 'value' | 'send'
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly headers: Headers
}

/** Asks the handlers of one task what becomes of what its nodes could not do. */
export interface ErrorGuard {
  /**
   * Processors hand over what they throw. Default: it ends the thread.
   *
   * @param record as the node has got it; null in a punctuator
   * @throws what ends the thread, or is not for a handler
   */
  readonly processingFailed:
    | ((node: string, record: StreamRecord<unknown, unknown> | null, error: unknown) => void)
    | null
  /**
   * Sinks hand over what they cannot write. Default: it ends the thread.
   *
   * @throws what ends the thread
   */
  readonly productionFailed: ((node: string, output: RefusedOutput, error: unknown) => void) | null
  /**
   * For outputs that are refused later: where the task stands now. Default: nobody is asked about them, and they end the thread.
   *
   * @param headers of the record as the node has got it, for when its input record is gone
   */
  readonly contextOf: ((node: string, headers: Headers) => ErrorHandlerContext) | null
  /** A larger record the producer would refuse, in bytes of its key, value and headers. */
  readonly recordBytesMax: number
}
