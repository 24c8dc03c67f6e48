import { defineTopology, type KeyValueStore, type Processor, serdes, stores } from '../../src/index.ts'
import { topic } from './topic.ts'

/**
 * A 1:N join by range scan: the workload `range-join` of the benches. A row's value begins with its time and its amount, a left record's with
 * the first and the last time of its neighbours (4 bytes each, big-endian). Put out are the neighbours' number and the sum of their amounts.
 */
type Rows = KeyValueStore<string, Buffer>

function keeper(): Processor<string, Buffer, never, never> {
  let rows: Rows
  return {
    init(context) {
      rows = context.stateStore('rows')
    },
    process({ key, value }) {
      rows.put(rowKey(key, value.readInt32BE(0)), value)
    },
  }
}

function joiner(): Processor<string, Buffer, string, string> {
  let rows: Rows
  return {
    init(context) {
      rows = context.stateStore('rows')
    },
    process({ key, value, timestamp, headers }, context) {
      let count = 0
      let sum = 0
      using neighbours = rows.range(rowKey(key, value.readInt32BE(0)), rowKey(key, value.readInt32BE(4)))
      for (const row of neighbours.values()) {
        count++
        sum += row.readInt32BE(4)
      }
      context.forward({ key, value: `${count} ${sum}`, timestamp, headers })
    },
  }
}

function rowKey(key: string, time: number): string {
  return `${key}/${String(time).padStart(10, '0')}`
}

export default defineTopology((builder) => {
  builder.addStateStore(stores.keyValue({ name: 'rows', key: serdes.string, value: serdes.bytes }))
  builder
    .stream(topic('rows'), { key: serdes.string, value: serdes.bytes })
    .process(keeper, { stores: ['rows'] })
  builder
    .stream(topic('input'), { key: serdes.string, value: serdes.bytes })
    .process(joiner, { stores: ['rows'] })
    .to(topic('output'), { key: serdes.string, value: serdes.string })
})
