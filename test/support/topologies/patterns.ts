/** Counts the keys and the values of every topic <TEST_TOPICS>-<number>, the values over a repartition topic. */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.TEST_TOPICS!
const text = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  const records = builder.stream(new RegExp(`${prefix}-\\d+`), text)
  records.groupByKey().count({ store: 'counts' }).toStream().to(`${prefix}-counts`)
  records
    .selectKey(({ value }) => value)
    .groupByKey({ ...text, name: 'by-value' })
    .count({ store: 'value-counts' })
    .toStream()
    .to(`${prefix}-value-counts`)
})
