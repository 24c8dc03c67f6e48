/**
 * Counts records, in the shape that CHANGING_SHAPE names: `by-value`, by way of a repartition topic; `by-key`, without one; `both`; `shifted`, with another
 * sub-topology before it.
 */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.CHANGING_PREFIX ?? ''
const shape = process.env.CHANGING_SHAPE ?? 'by-value'
const strings = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  if (shape === 'shifted') builder.stream(`${prefix}other`, strings).to(`${prefix}others`)
  const input = builder.stream(`${prefix}input`, strings)
  if (shape === 'by-key') {
    input.groupByKey().count({ store: 'counts' }).toStream().to(`${prefix}counts`)
    return
  }
  input
    .groupBy((record) => record.value, { ...strings, name: 'by-value' })
    .count({ store: 'counts' })
    .toStream()
    .to(`${prefix}counts`)
  if (shape === 'both') input.groupByKey().count({ store: 'counts-by-key' }).toStream().to(`${prefix}others`)
})
