import { integer, oneOf } from '../value-type.ts'
import { fixed, optional, variable } from '../variable.ts'
import { DAY_MS, name } from './common.ts'

const handler = oneOf('fail', 'continue')

/** What becomes of records that cannot be read, processed or written. */
export const errorVariables = {
  deserializationExceptionHandler: variable(
    {
      env: 'WEIR_DESERIALIZATION_EXCEPTION_HANDLER',
      kafka: 'deserialization.exception.handler',
      group: 'Errors',
      type: handler,
      meaning:
        'A record whose key or value its serde cannot read ends the thread, or is dropped. A handler in the topology comes before it.',
    },
    fixed('fail' as const),
  ),
  processingExceptionHandler: variable(
    {
      env: 'WEIR_PROCESSING_EXCEPTION_HANDLER',
      kafka: 'processing.exception.handler',
      group: 'Errors',
      type: handler,
      meaning:
        'A record at which a processor throws ends the thread, or is dropped at that processor. A handler in the topology comes before it.',
    },
    fixed('fail' as const),
  ),
  productionExceptionHandler: variable(
    {
      env: 'WEIR_PRODUCTION_EXCEPTION_HANDLER',
      kafka: 'production.exception.handler',
      group: 'Errors',
      type: handler,
      meaning:
        'An output record that cannot be serialised, is too large or is refused ends the thread, or is dropped. A handler in the topology comes before ' +
        'it. Under exactly_once_v2 one that a broker refuses always aborts the transaction.',
    },
    fixed('fail' as const),
  ),
  errorsDeadLetterQueueTopicName: optional({
    env: 'WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME',
    kafka: 'errors.dead.letter.queue.topic.name',
    group: 'Errors',
    type: name,
    meaning:
      'Where the three settings above also write the input record of a failure, whichever of the two they say. The topic must exist.',
  }),
  taskTimeoutMs: variable(
    {
      env: 'WEIR_TASK_TIMEOUT_MS',
      kafka: 'task.timeout.ms',
      group: 'Errors',
      type: integer({ min: 0, max: DAY_MS }),
      unit: 'ms',
      meaning:
        'How long a record is tried again at which a processor throws a RetriableError; then the processing handler decides.',
    },
    fixed(300_000),
  ),
} as const
