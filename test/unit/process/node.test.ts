import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { MockCluster, murmur2, Producer } from '../../../src/native.ts'
import { Headers } from '../../../src/process/headers.ts'
import { SinkNode } from '../../../src/process/node.ts'
import { TaskClock } from '../../../src/process/task-clock.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { SinkDefinition } from '../../../src/topology/definition.ts'

const PARTITIONS = 4
const text = serdes.string as Serde<unknown>
const base: SinkDefinition = {
  kind: 'sink',
  name: 'sink',
  parents: [],
  topic: 'even',
  key: text,
  value: text,
}

describe('a sink', () => {
  /** @returns how many records came to each partition of both topics, by what was processed */
  async function delivered(definition: SinkDefinition, keys: readonly string[]) {
    const cluster = new MockCluster({ brokers: 1 })
    for (const name of ['even', 'odd']) cluster.createTopic(name, PARTITIONS)
    const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        await producer.close()
        cluster.close()
      },
    }
    const ids = ['even', 'odd'].map((name) => producer.topic(name, PARTITIONS))
    const produced = ids.map(() => ({ records: 0, bytes: 0 }))
    const topics = (definition.topics ?? [definition.topic]).map((name) => {
      const index = name === 'even' ? 0 : 1
      return { id: ids[index]!, name, partitions: PARTITIONS, produced: produced[index]! }
    })
    const dropped: string[] = []
    const clock = new TaskClock(() => 0)
    Object.assign(clock, { topic: 'in', partition: 1, offset: 7 })
    const output = new OutputBatch(producer, 1_000, 1 << 20)
    const sink = new SinkNode(definition, topics, output, {
      clock,
      recordDropped: (node, reason) => dropped.push(`${node}: ${reason}`),
    })
    for (const key of keys) sink.process({ key, value: key, timestamp: 1, headers: Headers.empty })
    await output.sendAll()
    await producer.flush(10_000)
    const counts = ids.map((id) =>
      Array.from({ length: PARTITIONS }, (_, partition) =>
        Math.max(0, producer.deliveredOffset(id, partition)),
      ),
    )
    return { even: counts[0]!, odd: counts[1]!, produced: produced.map(({ records }) => records), dropped }
  }

  const byKey = (key: string): number =>
    (murmur2(Buffer.from(key), 0, Buffer.byteLength(key)) & 0x7fffffff) % PARTITIONS

  function spread(partitions: readonly number[]): number[] {
    const counts = new Array<number>(PARTITIONS).fill(0)
    for (const partition of partitions) counts[partition]!++
    return counts
  }

  test('a chooser says the topic of each record, by the record and by where its input came from', async () => {
    const seen: unknown[] = []
    const { even, odd, produced } = await delivered(
      {
        ...base,
        topics: ['even', 'odd'],
        chooser: ({ key, value, timestamp }, metadata) => {
          seen.push([key, value, timestamp, metadata])
          return Number(key) % 2 === 0 ? 'even' : 'odd'
        },
      },
      ['1', '2', '3'],
    )
    assert.deepEqual(even, spread([byKey('2')]))
    assert.deepEqual(odd, spread(['1', '3'].map(byKey)))
    assert.deepEqual(produced, [1, 2])
    assert.deepEqual(seen[0], ['1', '1', 1, { topic: 'in', partition: 1, offset: 7 }])
  })

  test('a partitioner says one partition, several, none, or leaves it to the key', async () => {
    const answers: Record<string, number | readonly number[] | null> = { a: 3, b: [0, 2, 0], c: [], d: null }
    const { even, produced, dropped } = await delivered(
      { ...base, partitioner: (_topic, key) => answers[key as string]! },
      Object.keys(answers),
    )
    assert.deepEqual(even, spread([3, 0, 2, byKey('d')]))
    assert.equal(produced[0], 4)
    assert.deepEqual(dropped, ['sink: no partition chosen'])
  })

  for (const [what, definition, message] of [
    [
      'a topic that is none of its own',
      { ...base, topics: ['even'], chooser: () => 'odd' },
      'the topic chooser of sink chose odd; its topics are even',
    ],
    [
      'a partition that there is not',
      { ...base, partitioner: () => 4 },
      'the partitioner of sink chose partition 4; even has 0 to 3',
    ],
    [
      'a partition among several',
      { ...base, partitioner: () => [1, -1] },
      'the partitioner of sink chose partition -1; even has 0 to 3',
    ],
    [
      'nothing at all',
      { ...base, partitioner: () => undefined as never },
      'the partitioner of sink chose partition undefined; even has 0 to 3',
    ],
  ] as const)
    test(`${what} is refused, and nothing is written`, async () => {
      await assert.rejects(delivered(definition, ['a']), { name: 'RangeError', message })
    })
})
