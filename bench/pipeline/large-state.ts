import { defineTopology, serdes } from '../../src/index.ts'
import { topic } from './topic.ts'

/**
 * A row for each key: how many records it had (8 bytes, big-endian), and the last one's value. Every count is put out. The workload
 * `large-state` of the benches.
 */
export default defineTopology((builder) => {
  builder
    .stream(topic('input'), { key: serdes.string, value: serdes.bytes })
    .groupByKey()
    .aggregate({
      initializer: () => Buffer.alloc(8),
      aggregator: (row, value: Buffer) => {
        const next = Buffer.allocUnsafe(8 + value.length)
        next.writeBigInt64BE(row.readBigInt64BE() + 1n)
        next.set(value, 8)
        return next
      },
      store: 'rows',
      value: serdes.bytes,
    })
    .toStream()
    .mapValues((row) => Number(row.readBigInt64BE()))
    .to(topic('output'), { key: serdes.string, value: serdes.int64 })
})
