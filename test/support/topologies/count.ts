/** Counts the records of each key of `input` into `counts`. */
import { defineTopology, serdes } from '../../../src/index.ts'

export default defineTopology((builder) => {
  builder
    .stream('input', { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to('counts', { key: serdes.string, value: serdes.int64 })
})
