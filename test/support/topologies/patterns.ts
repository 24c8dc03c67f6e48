/** Counts the keys and the values of every topic in-<number>, the values over a repartition topic. */
import { defineTopology, serdes } from '../../../src/index.ts'

const text = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  const records = builder.stream(/in-\d+/, text)
  records.groupByKey().count({ store: 'counts' }).toStream().to('counts')
  records
    .selectKey(({ value }) => value)
    .groupByKey({ ...text, name: 'by-value' })
    .count({ store: 'value-counts' })
    .toStream()
    .to('value-counts')
})
