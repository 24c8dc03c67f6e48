/** Topologies that must not run, or not for long; BAD names which. */
import { defineTopology, serdes } from '../../../src/index.ts'

const string = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  switch (process.env.BAD) {
    case 'store-twice':
      builder.stream('input', string).groupByKey().count({ store: 'same' })
      builder.stream('other', string).groupByKey().count({ store: 'same' })
      break
    case 'missing-source':
      builder.stream('nowhere', string).to('output', string)
      break
    case 'missing-sink':
      builder.stream('input', string).to('nowhere', string)
      break
    case 'copartition':
      builder
        .stream('input', string)
        .join(builder.table('other', string), (left, right) => left + right)
        .to('output', string)
      break
    case 'poison':
      builder
        .stream('poison', string)
        .mapValues((value) => {
          if (value === 'poison') throw new Error('cannot stand poison')
          return value
        })
        .to('poison-output', string)
      break
    case 'torn':
      builder
        .stream('torn', { key: serdes.string, value: serdes.json<string>() })
        .mapValues((value) => value)
        .to('torn-output', string)
      break
    case 'fills-disk':
      builder
        .stream('large', string)
        .groupByKey()
        .reduce((_, value) => value, { store: 'latest' })
        .toStream()
        .to('output', string)
      break
    default:
      builder
        .stream('input', string)
        .groupByKey()
        .count({ store: 'counts' })
        .toStream()
        .to('output', { key: serdes.string, value: serdes.int64 })
  }
})
