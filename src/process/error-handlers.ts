/**
 * Who decides what becomes of a record that cannot be read, processed or written, and what goes to a dead-letter topic. Kafka Streams'
 * DeserializationExceptionHandler, ProcessingExceptionHandler and ProductionExceptionHandler (KIP-161, KIP-210, KIP-1033, KIP-1034).
 */
import { Headers } from './headers.ts'
import type { StreamRecord } from './record.ts'

/**
 * Where an error arose: at which input record, in which node. Kafka Streams' ErrorHandlerContext.
 *
 * Outside of an input record (in a punctuator, or for what a caching store or a suppression forwards later) there are no bytes; in a punctuator,
 * and for an output that a broker refused, there is no topic either.
 */
export interface ErrorHandlerContext {
  /** Of the input record; a repartition topic's where that is what the sub-topology reads. null: there is none. */
  readonly topic: string | null
  /** -1: there is none. */
  readonly partition: number
  /** -1: there is none. */
  readonly offset: number
  /** Of the input record, as they came. */
  readonly headers: Headers
  /** The node that failed; of a record that cannot be read its source. */
  readonly processorNode: string
  /** `<sub-topology>_<partition>`. null: a broker refused an output when its task had gone on. */
  readonly taskId: string | null
  /** Of the record that the failing node has got, ms since 1970; of one that cannot be read its own. */
  readonly timestamp: number
  /** The input record's bytes; null for a null key, and where there is no input record. */
  readonly sourceRawKey: Buffer | null
  readonly sourceRawValue: Buffer | null
  /** WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME; null when it is not set. */
  readonly deadLetterTopic: string | null
}

/** A record for a dead-letter topic, as bytes. */
export interface DeadLetter {
  /** WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME, or one of the topology's `deadLetterTopics`. */
  readonly topic: string
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** Default: none. */
  readonly headers?: Headers
  /** ms since 1970. Default: the context's. */
  readonly timestamp?: number
}

/** `fail` ends the thread with the error (then see WEIR_UNCAUGHT_ERROR), `continue` drops the record. */
export type HandlerResult = 'fail' | 'continue'

/** A result with records for dead-letter topics, which are written whatever the result is. */
export interface HandlerResponse<R extends string = HandlerResult> {
  readonly result: R
  readonly deadLetters?: readonly DeadLetter[]
}

/** @param error what the serde threw is its `cause` */
export type DeserializationExceptionHandler = (
  context: ErrorHandlerContext,
  error: Error,
) => HandlerResult | HandlerResponse

/** @param record as the failing node has got it; null in a punctuator */
export type ProcessingExceptionHandler = (
  context: ErrorHandlerContext,
  record: StreamRecord<unknown, unknown> | null,
  error: Error,
) => HandlerResult | HandlerResponse

/**
 * `retry` is for what a broker refused and may take later: the record is sent again. For what cannot be serialised or is too large it means
 * `fail`, as in Kafka Streams.
 */
export type ProductionResult = HandlerResult | 'retry'

/** A record that could not be written. */
export interface FailedOutput {
  /** Of a row `cassandra:<table>`. */
  readonly topic: string
  /** -1: none was chosen. */
  readonly partition: number
  /**
   * - `key`, `value`: that part cannot be serialised; both are as the sink has got them.
   * - `send`: it is too large, or was refused by a broker; both are bytes.
   * - `row`: it cannot be a row of a table in Cassandra, or is refused there; both are as the sink has got them.
   */
  readonly stage: 'key' | 'value' | 'send' | 'row'
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly headers: Headers
}

export type ProductionExceptionHandler = (
  context: ErrorHandlerContext,
  record: FailedOutput,
  error: Error,
) => ProductionResult | HandlerResponse<ProductionResult>

/** A topology's own handlers: where there is one, the setting of its name does not count. */
export interface ErrorHandlers {
  readonly deserializationExceptionHandler?: DeserializationExceptionHandler
  readonly processingExceptionHandler?: ProcessingExceptionHandler
  readonly productionExceptionHandler?: ProductionExceptionHandler
  /** Where they may write besides WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME. The topics must exist. */
  readonly deadLetterTopics?: readonly string[]
}

/** Kafka Streams' names, in its order (KIP-1034). */
export const DEAD_LETTER_HEADERS = {
  exception: '__streams.errors.exception',
  message: '__streams.errors.message',
  stacktrace: '__streams.errors.stacktrace',
  topic: '__streams.errors.topic',
  partition: '__streams.errors.partition',
  offset: '__streams.errors.offset',
} as const

/**
 * What a default handler writes to the dead-letter topic: the input record's key, value and headers as they came, and behind those what Kafka Streams
 * adds: `__streams.errors.exception`, `.message`, `.stacktrace`, `.topic`, `.partition` and `.offset`, each as text.
 */
export function buildDeadLetter(topic: string, context: ErrorHandlerContext, error: Error): DeadLetter {
  const text = (value: string): Buffer => Buffer.from(value)
  return {
    topic,
    key: context.sourceRawKey,
    value: context.sourceRawValue,
    timestamp: context.timestamp,
    headers: new Headers([
      ...context.headers,
      { key: DEAD_LETTER_HEADERS.exception, value: text(error.name) },
      { key: DEAD_LETTER_HEADERS.message, value: text(error.message) },
      { key: DEAD_LETTER_HEADERS.stacktrace, value: text(stackOf(error)) },
      { key: DEAD_LETTER_HEADERS.topic, value: context.topic === null ? null : text(context.topic) },
      { key: DEAD_LETTER_HEADERS.partition, value: text(String(context.partition)) },
      { key: DEAD_LETTER_HEADERS.offset, value: text(String(context.offset)) },
    ]),
  }
}

/**
 * As `buildDeadLetter`. Of an output that has no input record (a broker refused it later, or a punctuator made it) it is the output itself, with
 * where it should have gone in the place of where its input came from.
 */
export function buildDeadLetterOfOutput(
  topic: string,
  context: ErrorHandlerContext,
  output: FailedOutput,
  error: Error,
): DeadLetter {
  if (context.topic !== null || output.stage !== 'send') return buildDeadLetter(topic, context, error)
  const { topic: goal, partition, headers, key, value } = output
  const bytes = { sourceRawKey: key as Buffer | null, sourceRawValue: value as Buffer | null }
  return buildDeadLetter(topic, { ...context, topic: goal, partition, headers, ...bytes }, error)
}

const CAUSES_MAX = 5

/** With its causes, as Java's printStackTrace. */
function stackOf(error: Error): string {
  const parts = [error.stack ?? String(error)]
  let { cause } = error
  while (cause !== undefined && parts.length <= CAUSES_MAX) {
    parts.push(`Caused by: ${cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause)}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return parts.join('\n')
}
