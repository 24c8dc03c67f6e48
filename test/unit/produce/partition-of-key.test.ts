import assert from 'node:assert/strict'
import test from 'node:test'

import { partitionOfKey } from '../../../src/produce/partition-of-key.ts'

/** What Kafka's own murmur2 gives. */
const HASHES: Readonly<Record<string, number>> = {
  '21': -973932308,
  foobar: -790332482,
  'a-little-bit-long-string': -985981536,
  'a-little-bit-longer-string': -1486304829,
  lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
  abc: 479470107,
}

test("a key's partition is that of Kafka's producer", () => {
  for (const [text, hash] of Object.entries(HASHES)) {
    const bytes = Buffer.from(`${text}and what is not the key`)
    for (const partitions of [1, 7, 2 ** 31 - 1])
      assert.equal(partitionOfKey(bytes, text.length, partitions), (hash & 0x7fffffff) % partitions, text)
  }
})
