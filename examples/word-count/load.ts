/** scripts/node examples/word-count/load.ts <bootstrap servers> */
import { createTopics, produceAll } from '../support/kafka.ts'

const lines = [
  'the stream goes where the table stays',
  'a table is a stream that was counted',
  'count the stream and the table knows',
]

export async function load(bootstrapServers: string): Promise<number> {
  await createTopics(bootstrapServers, { lines: 2, words: 2, 'word-counts': 2 })
  return await produceAll(
    bootstrapServers,
    lines.map((value, index) => ({ topic: 'lines', key: null, value, timestamp: Date.now() + index })),
  )
}

if (import.meta.main) {
  const bootstrapServers = process.argv[2] ?? '127.0.0.1:9092'
  console.log(`${bootstrapServers}: ${await load(bootstrapServers)} lines`)
}
