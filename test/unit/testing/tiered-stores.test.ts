import assert from 'node:assert/strict'
import { test } from 'node:test'

import { serdes } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import topology, { type Count, type NumberedRecord } from '../../support/topologies/tiered-count.ts'

test('a topology with a tiered store is tested without Cassandra', async () => {
  await using driver = await TopologyTestDriver.open(topology)
  const input = driver.createInputTopic('numbers', {
    key: serdes.string,
    value: serdes.json<NumberedRecord>(),
  })
  await input.pipeInput('a', { number: 1 })
  await input.pipeInput('a', { number: 2 })
  await input.pipeInput('b', { number: 1 })
  await input.pipeInput('b', { number: 2, deletes: true })
  const store = driver.tieredKeyValueStore<string, Count>('counts')
  assert.deepEqual(
    [store.get('a'), store.get('b'), await store.load('c')],
    [{ count: 2, last: 2 }, null, null],
  )
  assert.throws(() => driver.keyValueStore('counts'), /store counts is a tiered-key-value store/)
})
