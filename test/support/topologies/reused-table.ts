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
    // Tasks that have a store of the table and none of its partitions.
    builder.stream('pets', text).process(() => ({ process() {} }), { stores: ['people'] })
  },
  { optimization: 'all' },
)
