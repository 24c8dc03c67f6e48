/** What becomes of records that cannot be read, processed or written: the topology's own handlers, or what the settings say. */
import type { Config } from '../config/config.ts'
import {
  buildDeadLetter,
  buildDeadLetterOfOutput,
  type DeserializationExceptionHandler,
  type ErrorHandlerContext,
  type ErrorHandlers,
  type HandlerResponse,
  type ProcessingExceptionHandler,
  type ProductionExceptionHandler,
} from '../process/error-handlers.ts'

export type ErrorSettings = Pick<
  Config,
  | 'deserializationExceptionHandler'
  | 'processingExceptionHandler'
  | 'productionExceptionHandler'
  | 'errorsDeadLetterQueueTopicName'
>

/** null where every error of a kind ends the thread and nothing else is to be done: nobody is asked then. */
export interface ErrorPolicy {
  readonly deserialization: DeserializationExceptionHandler | null
  readonly processing: ProcessingExceptionHandler | null
  readonly production: ProductionExceptionHandler | null
  /** Where dead letters may go. */
  readonly deadLetterTopics: readonly string[]
  /** Of the settings. */
  readonly deadLetterTopic: string | null
}

/** A handler in the topology comes before the setting of its name; the dead-letter topic belongs to the settings' handlers alone, as in Kafka Streams. */
export function errorPolicy(settings: ErrorSettings, handlers: ErrorHandlers = {}): ErrorPolicy {
  const topic = settings.errorsDeadLetterQueueTopicName
  const answer = (
    result: 'fail' | 'continue',
  ): ((context: ErrorHandlerContext, error: Error) => HandlerResponse) | null => {
    if (result === 'fail' && topic === null) return null
    return (context, error) => ({
      result,
      deadLetters: topic === null ? [] : [buildDeadLetter(topic, context, error)],
    })
  }
  const processing = answer(settings.processingExceptionHandler)
  const production: ProductionExceptionHandler | null =
    settings.productionExceptionHandler === 'fail' && topic === null
      ? null
      : (context, record, error) => ({
          result: settings.productionExceptionHandler,
          deadLetters: topic === null ? [] : [buildDeadLetterOfOutput(topic, context, record, error)],
        })
  return {
    deserialization:
      handlers.deserializationExceptionHandler ?? answer(settings.deserializationExceptionHandler),
    processing:
      handlers.processingExceptionHandler ??
      (processing === null ? null : (context, _record, error) => processing(context, error)),
    production: handlers.productionExceptionHandler ?? production,
    deadLetterTopics: deadLetterTopics(settings, handlers),
    deadLetterTopic: topic,
  }
}

/** Where dead letters of an application may go: topics that somebody else has made. */
export function deadLetterTopics(
  { errorsDeadLetterQueueTopicName: topic }: Pick<ErrorSettings, 'errorsDeadLetterQueueTopicName'>,
  { deadLetterTopics = [] }: ErrorHandlers = {},
): string[] {
  return [...new Set([...(topic === null ? [] : [topic]), ...deadLetterTopics])]
}
