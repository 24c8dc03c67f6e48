/**
 * Events of which some cannot be read, processed or written, as they say themselves. EVENTS and RESULTS name the topics; MENDED: those at which the
 * processor threw are processed.
 */
import { randomBytes } from 'node:crypto'

import {
  buildDeadLetter,
  defineTopology,
  type ErrorHandlers,
  RetriableError,
  serdes,
} from '../../../src/index.ts'

export interface FaultyEvent {
  readonly number: number
  readonly do: 'pass' | 'throw' | 'unwritable' | 'large' | 'refused' | 'retry' | 'retry-always'
}

/** Larger than a producer takes, and than the topic of the results does; brokers see what is left after compression. */
const SIZES = { large: 1_500_000, refused: 30_000 } as const

const result = serdes.custom<FaultyEvent>({
  name: 'result',
  serialize(event) {
    if (event.do === 'unwritable') throw new TypeError(`event ${event.number} cannot be written`)
    const bytes = Buffer.from(JSON.stringify(event))
    if (event.do !== 'large' && event.do !== 'refused') return bytes
    const filling = randomBytes(SIZES[event.do] / 2).toString('hex')
    return Buffer.from(JSON.stringify({ ...event, filling }))
  },
  deserialize: (bytes) => JSON.parse(bytes.toString()) as FaultyEvent,
})

const { EVENTS = 'events', RESULTS = 'results', OWN_LETTERS, MENDED } = process.env

/** Failures left, by number. */
const left = new Map<number, number>()

/** OWN_LETTERS: handlers of its own, which write there what they drop. */
const own = (topic: string) =>
  ({
    deadLetterTopics: [topic],
    deserializationExceptionHandler: (context, error) => ({
      result: 'continue',
      deadLetters: [buildDeadLetter(topic, context, error)],
    }),
    processingExceptionHandler: (context, _record, error) => ({
      result: 'continue',
      deadLetters: [buildDeadLetter(topic, context, error)],
    }),
    productionExceptionHandler: (context, _record, error) => ({
      result: 'continue',
      deadLetters: [buildDeadLetter(topic, context, error)],
    }),
  }) satisfies ErrorHandlers

export default defineTopology(
  (builder) => {
    builder
      .stream(EVENTS, { key: serdes.int32, value: serdes.json<FaultyEvent>() })
      .mapValues((event) => {
        if (event.do === 'throw' && MENDED === undefined)
          throw new Error(`event ${event.number} cannot be processed`)
        if (event.do === 'retry-always') throw new RetriableError(`event ${event.number} always waits`)
        if (event.do === 'retry') {
          const failures = left.get(event.number) ?? 2
          left.set(event.number, failures - 1)
          if (failures > 0) throw new RetriableError(`event ${event.number} waits`)
        }
        return event
      })
      .to(RESULTS, { key: serdes.int32, value: result })
  },
  OWN_LETTERS === undefined ? {} : own(OWN_LETTERS),
)
