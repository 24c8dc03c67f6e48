/** A topic for each pair of serdes, from `fuzzed-<pair>`; everything that can be read goes to `read`, and some of it through a store. */
import { defineTopology, type Serde, serdes } from '../../../src/index.ts'
import { fuzzedSchemas } from '../fuzzed-records.ts'

const events = serdes.avro<object>(fuzzedSchemas.own)
const names = serdes.avro<string>(fuzzedSchemas.key)

export const pairs: Readonly<
  Record<string, { readonly key: Serde<unknown>; readonly value: Serde<unknown> }>
> = {
  numbers: { key: serdes.int32, value: serdes.int64 },
  texts: { key: serdes.string, value: serdes.string },
  json: { key: serdes.string, value: serdes.json() },
  windows: { key: serdes.timeWindowed(serdes.string, 60_000), value: serdes.float64 },
  bytes: { key: serdes.bytes, value: serdes.bigint64 },
  avro: { key: names, value: events },
} as Record<string, { key: Serde<unknown>; value: Serde<unknown> }>

export default defineTopology((builder) => {
  for (const [name, pair] of Object.entries(pairs)) builder.stream(`fuzzed-${name}`, pair).to('read', pair)
  // Its keys are looked up ahead, those that cannot be read among them.
  builder
    .stream('fuzzed-counted', { key: serdes.string, value: serdes.json() })
    .filter(({ key }) => key !== null)
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to('read', { key: serdes.string, value: serdes.int64 })
  builder
    .stream('fuzzed-avro-counted', { key: names, value: events })
    .filter(({ key }) => key !== null)
    .groupByKey()
    .count({ store: 'avro-counts' })
    .toStream()
    .to('read', { key: names, value: serdes.int64 })
})
