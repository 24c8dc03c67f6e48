/** Counts the records of each key of `input` into `counts`; COUNT_PREFIX comes before both names. */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.COUNT_PREFIX ?? ''

export default defineTopology((builder) => {
  builder
    .stream(`${prefix}input`, { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(`${prefix}counts`)
})
