/** A table that is restored from its own topic. */
import { defineTopology, serdes } from '../../../src/index.ts'

const text = { key: serdes.string, value: serdes.string }

export default defineTopology(
  (builder) => {
    const people = builder.table('people', { ...text, store: 'people' })
    builder
      .stream('visits', text)
      .leftJoin(people, (visit, name) => `${visit} ${name ?? 'nobody'}`)
      .to('greetings', text)
  },
  { optimization: 'all' },
)
