import { defineTopology, serdes } from '../../src/index.ts'

/** Records counted by key, every update to the output topic: the workload `count` of the benches. */
export default defineTopology((builder) => {
  builder
    .stream(topic('WEIR_BENCH_INPUT_TOPIC'), { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(topic('WEIR_BENCH_OUTPUT_TOPIC'), { key: serdes.string, value: serdes.int64 })
})

function topic(variable: string): string {
  const name = process.env[variable]
  if (!name) throw new Error(`${variable} is not set`)
  return name
}
