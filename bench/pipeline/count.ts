import { defineTopology, serdes } from '../../src/index.ts'
import { topic } from './topic.ts'

/** Records counted by key, every update to the output topic: the workload `count` of the benches. */
export default defineTopology((builder) => {
  builder
    .stream(topic('input'), { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(topic('output'), { key: serdes.string, value: serdes.int64 })
})
