import { defineTopology, serdes } from '../../src/index.ts'
import { wordsOf } from './words.ts'

export default defineTopology((builder) => {
  builder
    .stream('lines', { key: serdes.string, value: serdes.string })
    .flatMapValues(wordsOf)
    // The key changes: records of one word come together through a repartition topic.
    .groupBy(({ value: word }) => word, { key: serdes.string, value: serdes.string })
    .count({ store: 'word-counts' })
    .toStream()
    .to('word-counts')
})
