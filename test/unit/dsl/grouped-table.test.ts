import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { TopologyError } from '../../../src/topology/topology-error.ts'

interface Order {
  readonly customer: string
  readonly euros: number
}

const text = { key: serdes.string, value: serdes.string }
const orders = { key: serdes.string, value: serdes.json<Order>() }
const byCustomer = ({ customer, euros }: Order) => ({ key: customer, value: euros })
const euros = { key: serdes.string, value: serdes.float64 }

describe('rows grouped by another key', () => {
  test('a group has exactly the rows that the table has', async () => {
    const topology = defineTopology((builder) => {
      const groups = builder.table('orders', orders).groupBy(byCustomer, euros)
      groups.count({ store: 'counts' })
      groups.aggregate({
        initializer: () => ({ sum: 0 }),
        // Aggregates may be changed in place.
        adder: (total, value) => Object.assign(total, { sum: total.sum + value }),
        subtractor: (total, value) => Object.assign(total, { sum: total.sum - value }),
        value: serdes.json<{ sum: number }>(),
        store: 'sums',
      })
    })
    await using driver = await TopologyTestDriver.open(topology)
    const input = driver.createInputTopic('orders', orders)
    const rows = new Map<string, Order>()
    let step = 17
    for (let index = 0; index < 300; index++) {
      step = (step * 1103515245 + 12345) % 2 ** 31
      const id = `o${(step >> 8) % 12}`
      if ((step >> 12) % 5 === 0) {
        rows.delete(id)
        await input.pipeInput(id, null as never)
      } else {
        const order = { customer: `c${(step >> 16) % 4}`, euros: (step >> 20) % 50 }
        rows.set(id, order)
        await input.pipeInput(id, order)
      }
      for (const customer of ['c0', 'c1', 'c2', 'c3']) {
        const own = [...rows.values()].filter((order) => order.customer === customer)
        const sum = own.reduce((total, order) => total + order.euros, 0)
        assert.equal(driver.keyValueStore('counts').get(customer) ?? 0, own.length)
        assert.deepEqual(driver.keyValueStore('sums').get(customer) ?? { sum: 0 }, { sum })
      }
    }
  })

  test('keys that are objects are the same when their bytes are', async () => {
    const topology = defineTopology((builder) => {
      builder
        .table('orders', orders)
        .groupBy((order) => ({ key: { id: order.customer }, value: order.euros }), {
          key: serdes.json<{ id: string }>(),
          value: serdes.float64,
        })
        .count({ store: 'counts' })
    })
    await using driver = await TopologyTestDriver.open(topology)
    const input = driver.createInputTopic('orders', orders)
    await input.pipeInput('o', { customer: 'c', euros: 1 })
    await input.pipeInput('o', { customer: 'c', euros: 2 })
    const [repartition] = [...driver.producedTopicNames()].filter((name) => name.endsWith('-repartition'))
    const bytes = { key: serdes.bytes, value: serdes.bytes }
    const changes = driver.createOutputTopic(repartition!, bytes).readRecordsToList()
    // The second one is a single record with both values.
    assert.deepEqual(
      changes.map(({ value }) => value!.at(-1)),
      [1, 2],
    )
  })

  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'no selector': [
      (b) => b.table('a', text).groupBy(null as never, text),
      'groupBy: the selector must be a function, not null',
    ],
    'no options': [
      (b) => b.table('a', text).groupBy(() => ({ key: '', value: '' }), undefined as never),
      'groupBy: the options must be an object with key, value, name',
    ],
    'no serde': [
      (b) => b.table('a', text).groupBy(() => ({ key: '', value: '' }), { key: serdes.string } as never),
      'groupBy: no value serde is known here, because the values have changed: give { value }',
    ],
    'no subtractor': [
      (b) =>
        b
          .table('a', text)
          .groupBy((value) => ({ key: value, value }), text)
          .reduce((one) => one, undefined as never),
      'reduce: the subtractor must be a function, not undefined',
    ],
    'no adder': [
      (b) =>
        b
          .table('a', text)
          .groupBy((value) => ({ key: value, value }), text)
          .aggregate({ initializer: () => '', value: serdes.string } as never),
      'aggregate: adder must be a function, not undefined',
    ],
    'a misspelled option': [
      (b) =>
        b
          .table('a', text)
          .groupBy((value) => ({ key: value, value }), text)
          .count({ sotre: 'x' } as never),
      'count: unknown option sotre; allowed: key, value, name, store, logging, inMemory, caching, changelogConfig, rocksdb, historyRetentionMs, segmentIntervalMs',
    ],
  }
  for (const [name, [define, message]] of Object.entries(refused)) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => defineTopology((builder) => void define(builder)).build(),
        (error: Error) => {
          assert.ok(error instanceof TopologyError)
          assert.equal(error.message, message)
          return true
        },
      )
    })
  }

  test('a selector that returns nothing is told of', async () => {
    const topology = defineTopology((builder) => {
      builder
        .table('a', text)
        .groupBy((() => undefined) as never, text)
        .count()
    })
    await using driver = await TopologyTestDriver.open(topology)
    const piped = driver.createInputTopic('a', text).pipeInput('k', 'v')
    await assert.rejects(piped, /groupBy: the selector must return \{ key, value \}/)
  })
})
