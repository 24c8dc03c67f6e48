/** Passes the records of `left` and of `right` on to `both`, in the order of their timestamps. */
import { defineTopology, serdes } from '../../../src/index.ts'

const string = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  builder.stream('left', string).merge(builder.stream('right', string)).to('both', string)
})
