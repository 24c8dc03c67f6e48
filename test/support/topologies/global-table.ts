/** A stream joined to a global table. */
import { defineTopology, serdes } from '../../../src/index.ts'

const text = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  const rows = builder.globalTable('rows', { ...text, store: 'global-rows' })
  builder
    .stream('a', text)
    .join(rows, (left, right) => left + right, { keySelector: ({ value }) => value })
    .to('out', text)
})
