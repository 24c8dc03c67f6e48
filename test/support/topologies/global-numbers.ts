/** A global table whose values are numbers of eight bytes. */
import { defineTopology, serdes } from '../../../src/index.ts'

export default defineTopology((builder) => {
  const rows = builder.globalTable('rows', { key: serdes.string, value: serdes.int64, store: 'rows' })
  builder
    .stream('a', { key: serdes.string, value: serdes.string })
    .join(rows, (left, right) => `${left}${right}`, { keySelector: ({ key }) => key })
    .to('out', { key: serdes.string, value: serdes.string })
})
