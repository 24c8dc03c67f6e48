import { readInt64 } from '../serde/byte-writer.ts'
import type { LocalRecord } from './local-topics.ts'

/** The records in what LocalProducer.take gives, each with the id of its topic. */
export function* producedRecords(bytes: Buffer): Generator<{ topic: number; record: LocalRecord }, void> {
  let position = 0
  const part = (): Buffer | null => {
    const length = bytes.readInt32BE(position)
    position += 4
    if (length < 0) return null
    position += length
    return bytes.subarray(position - length, position)
  }
  while (position < bytes.length) {
    const topic = bytes.readInt32BE(position)
    const timestamp = readInt64(bytes, position + 4)
    position += 12
    yield { topic, record: { timestamp, key: part(), value: part(), headers: part() } }
  }
}
