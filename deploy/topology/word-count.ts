// What compose.yaml and scripts/verify-image.sh run: the words of the topic `lines` are counted into the topic `word-counts`. In its place comes your own
// topology; it is mounted below /app, where 'weir' is found.
import { defineTopology, serdes } from 'weir'

export default defineTopology((builder) => {
  builder
    .stream('lines', { key: serdes.string, value: serdes.string })
    .flatMapValues((line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .groupBy(({ value: word }) => word, { key: serdes.string, value: serdes.string })
    .count({ store: 'word-counts' })
    .toStream()
    .to('word-counts')
})
