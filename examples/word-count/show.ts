/** scripts/node examples/word-count/show.ts <bootstrap servers> */
import { readToEnd } from '../support/kafka.ts'

export async function readCounts(bootstrapServers: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { key, value } of await readToEnd(bootstrapServers, 'word-counts')) {
    counts.set(key!.toString(), Number(value!.readBigInt64BE()))
  }
  return counts
}

if (import.meta.main) {
  const counts = await readCounts(process.argv[2] ?? '127.0.0.1:9092')
  for (const [word, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`${count}\t${word}`)
}
