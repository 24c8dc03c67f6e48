/** As count.ts, COUNT_PREFIX included; a value `wait 500` holds its thread up for 500 ms. */
import { defineTopology, serdes } from '../../../src/index.ts'

const prefix = process.env.COUNT_PREFIX ?? ''
const never = new Int32Array(new SharedArrayBuffer(4))

export default defineTopology((builder) => {
  builder
    .stream(`${prefix}input`, { key: serdes.string, value: serdes.string })
    .mapValues((value) => {
      const ms = /^wait (\d+)$/.exec(value)?.[1]
      if (ms !== undefined) Atomics.wait(never, 0, 0, Number(ms))
      return value
    })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(`${prefix}counts`)
})
