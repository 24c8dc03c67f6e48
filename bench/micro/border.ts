import { Bench } from 'tinybench'

import { MockCluster, murmur2, Producer } from '../../src/native.ts'
import { Headers } from '../../src/process/headers.ts'
import { OutputBatch } from '../../src/produce/output-batch.ts'
import { serdes } from '../../src/serde/serdes.ts'

/** What it costs to cross into the addon: once with nothing to do, and with a batch of 1,000 records. */
export default async function borderBench(): Promise<Bench> {
  const bench = new Bench({ name: 'border', time: 500 })
  const key = Buffer.from('user-0000000001')
  bench.add('one crossing: murmur2 of 15 bytes', () => {
    murmur2(key, 0, key.length)
  })
  const cluster = new MockCluster({ brokers: 1 })
  cluster.createTopic('out', 8)
  const producer = new Producer({
    'bootstrap.servers': cluster.bootstrapServers,
    'linger.ms': '50',
    'compression.codec': 'lz4',
  })
  const topic = producer.topic('out', 8)
  const output = new OutputBatch(producer, 10_000, 1 << 24)
  bench.add(
    '1,000 records serialised and handed to librdkafka',
    () => {
      for (let index = 0; index < 1000; index++) {
        output.add(
          topic,
          -1,
          serdes.string,
          'user-0000000001',
          serdes.int64,
          index,
          1_700_000_000_000,
          Headers.empty,
        )
      }
      output.send()
    },
    {
      afterEach: async () => {
        await producer.flush(10_000)
      },
    },
  )
  bench.addEventListener('complete', () => {
    void producer.close().then(() => cluster.close())
  })
  return bench
}
