import assert from 'node:assert/strict'
import { test } from 'node:test'

import { serdes } from '../../../src/index.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import topology, { type CustomerEvent, type Visit } from '../../support/topologies/tiered-join.ts'

test('a topology with a tiered store by prefix is tested without Cassandra', async () => {
  await using driver = await TopologyTestDriver.open(topology)
  const input = driver.createInputTopic('events', { key: serdes.string, value: serdes.json<CustomerEvent>() })
  const output = driver.createOutputTopic('visited', { key: serdes.string, value: serdes.json<Visit>() })
  for (const [customer, event] of [
    ['ann', { order: 2, amount: 20 }],
    ['ann', { order: 1, amount: 10 }],
    ['ann', { order: 3, amount: 30 }],
    ['ben', { order: 4, amount: 40 }],
    ['ann', { order: 3, amount: null }],
    ['ann', { visit: 0 }],
    ['eve', { visit: 1 }],
  ] as const)
    await input.pipeInput(customer, event)
  assert.deepEqual(output.readValuesToList(), [
    {
      visit: 0,
      orders: [
        [1, 10],
        [2, 20],
      ],
    },
    { visit: 1, orders: [] },
  ])
  const store = driver.tieredPrefixStore<string, number, number>('orders')
  assert.deepEqual([store.get('ann', 1), store.get('ann', 3), await store.load('eve')], [10, null, []])
  assert.throws(() => driver.keyValueStore('orders'), /store orders is a tiered-by-prefix store/)
})
