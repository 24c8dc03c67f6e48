import { Bench } from 'tinybench'

import { ByteWriter } from '../../src/serde/byte-writer.ts'
import { serdes } from '../../src/serde/serdes.ts'

/** 1,000 values a sample: ns are those of a thousand. */
export default async function serdeBench(): Promise<Bench> {
  const bench = new Bench({ name: 'serde', time: 300 })
  const writer = new ByteWriter(1 << 20)
  const keys = Array.from({ length: 1000 }, (_, index) => `user-${String(index * 7919).padStart(10, '0')}`)
  const starts: number[] = []
  const arena = new ByteWriter(1 << 20)
  for (const key of keys) {
    starts.push(arena.position)
    serdes.string.serialize(key, arena)
  }
  let kept: unknown
  bench.add('string: 1,000 keys of 15 bytes read', () => {
    for (const start of starts) kept = serdes.string.deserialize(arena.buffer, start, start + 15)
  })
  bench.add('string: 1,000 keys of 15 bytes written', () => {
    writer.reset()
    for (const key of keys) serdes.string.serialize(key, writer)
  })
  bench.add('int64: 1,000 written and read', () => {
    writer.reset()
    for (let index = 0; index < 1000; index++) serdes.int64.serialize(index, writer)
    for (let index = 0; index < 1000; index++)
      kept = serdes.int64.deserialize(writer.buffer, index * 8, index * 8 + 8)
  })
  const json = serdes.json<{ page: string; durationMs: number }>()
  bench.add('json: 1,000 small objects written and read', () => {
    for (let index = 0; index < 1000; index++) {
      writer.reset()
      json.serialize({ page: '/start', durationMs: index }, writer)
      kept = json.deserialize(writer.buffer, 0, writer.position)
    }
  })
  bench.addEventListener('complete', () => void kept)
  return bench
}
