/** Events of which some cannot be read, processed or written, as they say themselves. EVENTS and RESULTS name the topics. */
import { defineTopology, serdes } from '../../../src/index.ts'

export interface FaultyEvent {
  readonly number: number
  readonly do: 'pass' | 'throw' | 'unwritable' | 'large' | 'refused'
}

/** Larger than a producer takes, and than the topic of the results does. */
const SIZES = { large: 1_500_000, refused: 30_000 } as const

const result = serdes.custom<FaultyEvent>({
  name: 'result',
  serialize(event) {
    if (event.do === 'unwritable') throw new TypeError(`event ${event.number} cannot be written`)
    const bytes = Buffer.from(JSON.stringify(event))
    if (event.do !== 'large' && event.do !== 'refused') return bytes
    return Buffer.concat([bytes, Buffer.alloc(SIZES[event.do], ' ')])
  },
  deserialize: (bytes) => JSON.parse(bytes.toString()) as FaultyEvent,
})

const { EVENTS = 'events', RESULTS = 'results' } = process.env

export default defineTopology((builder) => {
  builder
    .stream(EVENTS, { key: serdes.int32, value: serdes.json<FaultyEvent>() })
    .mapValues((event) => {
      if (event.do === 'throw') throw new Error(`event ${event.number} cannot be processed`)
      return event
    })
    .to(RESULTS, { key: serdes.int32, value: result })
})
