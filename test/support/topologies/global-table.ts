/** A stream joined to a global table, and one that asks a global store with a processor of its own. */
import { defineTopology, type KeyValueStore, serdes, stores } from '../../../src/index.ts'

const text = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  const rows = builder.globalTable('rows', { ...text, store: 'global-rows' })
  builder
    .stream('a', text)
    .leftJoin(rows, (left, right) => `${left}=${right}`, { keySelector: ({ value }) => value })
    .to('out', text)

  const cities = stores.keyValue({ name: 'cities', key: serdes.string, value: serdes.int64, inMemory: true })
  builder.addGlobalStore(cities, 'people', text, () => {
    let counts: KeyValueStore<string, number>
    return {
      init(context) {
        counts = context.stateStore('cities')
      },
      process({ value: city }) {
        counts.put(city, (counts.get(city) ?? 0) + 1)
      },
    }
  })
  builder
    .stream('questions', text)
    .process<string, string>(() => ({
      process({ key, timestamp, headers }, context) {
        using all = context.stateStore<KeyValueStore<string, number>>('cities').all()
        const value = [...all].map((row) => `${row.key}:${row.value}`).join()
        context.forward({ key, value, timestamp, headers })
      },
    }))
    .to('answers', text)
})
