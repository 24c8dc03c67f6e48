/** As count.ts, in a store in memory that forwards each key's last count at a commit. */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.COUNT_PREFIX ?? ''

export default defineTopology((builder) => {
  builder
    .stream(`${prefix}input`, { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .count({ store: 'counts', inMemory: true, caching: true })
    .toStream()
    .to(`${prefix}counts`)
})
