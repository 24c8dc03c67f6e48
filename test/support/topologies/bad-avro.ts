/**
 * Events of Avro from `<prefix>events`, as JSON to `<prefix>told`: how deep one is nested, and the bytes that it has. One that says so is written as what its schema
 * does not have. Numbers of 64 bits from `<prefix>longs`, as they are, to `<prefix>copies`.
 */
import { defineTopology, serdes } from '../../../src/index.ts'
import { badAvroSchemas } from '../bad-avro.ts'

interface Event {
  readonly id: string
  readonly at: number
  readonly blob: Buffer
  readonly next: Event | null
}

interface Told {
  readonly id: string
  readonly at: number
  readonly depth: number
  readonly bytes: number
}

function depthOf(event: Event): number {
  let depth = 0
  for (let inner = event.next; inner !== null; inner = inner.next) depth++
  return depth
}

const { AVRO_PREFIX: prefix = '' } = process.env
const events = serdes.avro<Event>(badAvroSchemas.event)
const longs = serdes.avro<{ value: bigint }>(badAvroSchemas.long, { longs: 'bigint' })

export default defineTopology((builder) => {
  const read = builder.stream(`${prefix}events`, { key: serdes.avro<string>('string'), value: events })
  read
    .mapValues((event) => ({ id: event.id, at: event.at, depth: depthOf(event), bytes: event.blob.length }))
    .to(`${prefix}told`, { value: serdes.json<Told>() })
  read
    .filter(({ value }) => value.id === 'unwritable')
    .mapValues((event) => ({ ...event, at: 2 ** 53 }))
    .to(`${prefix}rounded`, { value: events })
  const numbers = { key: serdes.string, value: longs }
  builder.stream(`${prefix}longs`, numbers).to(`${prefix}copies`, numbers)
})
