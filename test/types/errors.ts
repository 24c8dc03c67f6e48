import {
  buildDeadLetter,
  type DeadLetter,
  defineTopology,
  type FailedOutput,
  RetriableError,
  type StreamRecord,
  Topology,
} from '../../src/index.ts'
import { check, type Equal } from './check.ts'

export const handled = defineTopology(() => {}, {
  deadLetterTopics: ['letters'],
  deserializationExceptionHandler: (context, error) => {
    check<Equal<typeof context.topic, string | null>>()
    check<Equal<typeof context.sourceRawKey, Buffer | null>>()
    const letter = buildDeadLetter('letters', context, error)
    check<Equal<typeof letter, DeadLetter>>()
    return { result: 'continue', deadLetters: [letter] }
  },
  processingExceptionHandler: (_context, record, error) => {
    check<Equal<typeof record, StreamRecord<unknown, unknown> | null>>()
    return error instanceof RetriableError ? 'fail' : 'continue'
  },
  productionExceptionHandler: (_context, record) => {
    check<Equal<typeof record, FailedOutput>>()
    return record.stage === 'send' ? 'retry' : { result: 'fail' }
  },
})

export const topology = new Topology({ processingExceptionHandler: () => 'continue' })

// @ts-expect-error only a production handler may ask for another attempt
defineTopology(() => {}, { processingExceptionHandler: () => 'retry' })
// @ts-expect-error a dead letter has a topic
defineTopology(() => {}, { deserializationExceptionHandler: () => ({ result: 'fail', deadLetters: [{}] }) })
