/** Counts the records of each value of `input` into `counts`, by way of a repartition topic; COUNT_PREFIX comes before both names. */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.COUNT_PREFIX ?? ''

export default defineTopology((builder) => {
  builder
    .stream(`${prefix}input`, { key: serdes.string, value: serdes.string })
    .groupBy((record) => record.value, { key: serdes.string, value: serdes.string, name: 'by-value' })
    .count({ store: 'counts' })
    .toStream()
    .to(`${prefix}counts`)
})
