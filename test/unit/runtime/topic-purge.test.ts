import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { TopicPartitionOffset } from '../../../src/native.ts'
import { TopicPurge } from '../../../src/runtime/topic-purge.ts'

const nothing = (): void => {}

test('what was committed is deleted from repartition topics, each time what has come since', async () => {
  let positions: TopicPartitionOffset[] = []
  const requests: (readonly TopicPartitionOffset[])[] = []
  let failure: Error | null = null
  const warnings: string[] = []
  const purge = new TopicPurge(
    new Set(['app-a-repartition']),
    () => positions,
    {
      async deleteRecords(before) {
        if (failure !== null) throw failure
        requests.push(before)
      },
    },
    { debug: nothing, info: nothing, warn: (_, message) => warnings.push(message), error: nothing },
  )
  const purged = async (): Promise<unknown[]> => {
    await purge.purge()
    return requests
      .splice(0)
      .flat()
      .map(({ topic, partition, offset }) => [topic, partition, offset])
  }
  const at = (topic: string, partition: number, offset: number): TopicPartitionOffset => ({
    topic,
    partition,
    offset,
    metadata: 'time',
  })

  assert.deepEqual(await purged(), [])
  positions = [at('events', 0, 50), at('app-a-repartition', 0, 7), at('app-a-repartition', 1, 0)]
  assert.deepEqual(await purged(), [['app-a-repartition', 0, 7]])
  assert.deepEqual(await purged(), [])
  positions = [at('app-a-repartition', 0, 9), at('app-a-repartition', 1, 3)]
  failure = new Error('brokers are away')
  assert.deepEqual(await purged(), [])
  assert.deepEqual(warnings, ['records that nobody reads any more cannot be deleted from internal topics'])
  failure = null
  assert.deepEqual(await purged(), [
    ['app-a-repartition', 0, 9],
    ['app-a-repartition', 1, 3],
  ])
})
