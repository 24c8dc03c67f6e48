import type { ErrorHandlers } from '../process/error-handlers.ts'
import { checkFunction, checkName, checkNames } from './options.ts'

const HANDLERS = [
  'deserializationExceptionHandler',
  'processingExceptionHandler',
  'productionExceptionHandler',
] as const

/** The options of a topology that are about errors. */
export const ERROR_HANDLER_OPTIONS = [...HANDLERS, 'deadLetterTopics'] as const

/**
 * The handlers among a topology's options.
 *
 * @returns undefined when there are none
 * @throws TopologyError for what is no handler, or no topic
 */
export function errorHandlers(where: string, options: ErrorHandlers): ErrorHandlers | undefined {
  for (const name of HANDLERS) if (options[name] !== undefined) checkFunction(where, name, options[name])
  const { deadLetterTopics } = options
  if (deadLetterTopics !== undefined) {
    checkNames(where, 'deadLetterTopics', deadLetterTopics)
    for (const topic of deadLetterTopics) checkName(where, 'a dead-letter topic', topic)
  }
  const given = Object.fromEntries(
    ERROR_HANDLER_OPTIONS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  )
  return Object.keys(given).length === 0 ? undefined : given
}
