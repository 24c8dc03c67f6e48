import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { planTopics } from '../../../src/runtime/topic-plan.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import type { TopologyDefinition } from '../../../src/topology/definition.ts'

const text = { key: serdes.string, value: serdes.string }
const joiner = (left: unknown, right: unknown): string => `${left}${right}`
const foreignKey = (value: string): string => value

function build(define: (builder: StreamsBuilder) => unknown): TopologyDefinition {
  return defineTopology((builder) => void define(builder)).build()
}

describe('a foreign-key join that cannot be is refused with one line', () => {
  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'no function': [
      (b) => b.table('a', text).join(b.table('b', text), joiner, { foreignKey: 'id' as never }),
      'join with a foreign key: foreignKey must be a function, not a string',
    ],
    'no joiner': [
      (b) => b.table('a', text).join(b.table('b', text), null as never, { foreignKey }),
      'join with a foreign key: the joiner must be a function, not null',
    ],
    'no table': [
      (b) => b.table('a', text).leftJoin('b' as never, joiner, { foreignKey }),
      'leftJoin: a table is expected, not a string',
    ],
    'a misspelled option': [
      (b) => b.table('a', text).leftJoin(b.table('b', text), joiner, { foreignKey, partition: 1 } as never),
      'leftJoin with a foreign key: unknown option partition; allowed: key, value, name, store, logging, inMemory, caching, changelogConfig, rocksdb, historyRetentionMs, segmentIntervalMs, foreignKey, partitioner, otherPartitioner',
    ],
    'a partitioner that is none': [
      (b) =>
        b.table('a', text).join(b.table('b', text), joiner, { foreignKey, otherPartitioner: 1 as never }),
      'join with a foreign key: otherPartitioner must be a function, not a number',
    ],
    'values without a serde': [
      (b) => {
        const mapped = b.table('a', text).mapValues((value) => value) as never as ReturnType<typeof b.table>
        return mapped.join(b.table('b', text) as never, joiner, { foreignKey: foreignKey as never })
      },
      'join with a foreign key: no value serde of this table is known here, because the values have changed: give { value } where they do',
    ],
    'a store without a serde': [
      (b) => b.table('a', text).join(b.table('b', text), joiner, { foreignKey, store: 'rows' } as never),
      'join with a foreign key rows: no value serde is known here, because the values have changed: give { value }',
    ],
    'an outer join': [
      (b) => b.table('a', text).outerJoin(b.table('b', text), joiner, { foreignKey } as never),
      'outerJoin: unknown option foreignKey; allowed: key, value, name, store, logging, inMemory, caching, changelogConfig, rocksdb, historyRetentionMs, segmentIntervalMs',
    ],
  }
  for (const [name, [define, message]] of Object.entries(refused)) {
    test(name, () => {
      assert.throws(() => build(define), { name: 'TopologyError', message })
    })
  }
})

test('the two topics have as many partitions as the tables that read them, though each depends on the other', () => {
  const topology = build((b) =>
    b.table('orders', text).join(b.table('customers', text), joiner, { foreignKey, name: 'named' }),
  )
  const settings = { applicationId: 'app', replicationFactor: -1 }
  const plan = planTopics(
    topology,
    settings,
    new Map([
      ['orders', 3],
      ['customers', 5],
    ]),
  )
  const partitions = new Map(plan.internalTopics.map((topic) => [topic.name, topic.partitions]))
  assert.equal(partitions.get('app-named-subscription-registration-topic'), 5)
  assert.equal(partitions.get('app-named-subscription-response-topic'), 3)
  assert.equal(partitions.get('app-named-subscription-store-changelog'), 5)
  assert.equal(partitions.get('app-orders-STATE-STORE-0000000000-changelog'), 3)
})

test('a partitioner that chooses several partitions stops the join', async () => {
  const topology = defineTopology((b) => {
    const options = { foreignKey, otherPartitioner: () => [0, 1] }
    b.table('a', text).join(b.table('b', text), joiner, options)
  })
  await using driver = await TopologyTestDriver.open(topology)
  await assert.rejects(driver.createInputTopic('a', text).pipeInput('k', 'v'), /must choose one/)
})

test('an empty foreign value comes as null, as in Kafka Streams: it has no bytes', async () => {
  const topology = defineTopology((b) => {
    b.table('a', text)
      .leftJoin(b.table('b', text), (left, right) => `${left}+${right}`, { foreignKey })
      .toStream()
      .to('out', text)
  })
  await using driver = await TopologyTestDriver.open(topology)
  await driver.createInputTopic('b', text).pipeInput('v', '')
  await driver.createInputTopic('a', text).pipeInput('k', 'v')
  const out = driver.createOutputTopic('out', text)
  assert.deepEqual(out.readKeyValue(), { key: 'k', value: 'v+null' })
})

describe('a foreign-key join whose records are processed again, on rows that are newer', () => {
  interface Put {
    readonly topic: 'orders' | 'customers'
    readonly key: string
    readonly value: string | null
  }
  const put = (topic: Put['topic'], key: fc.Arbitrary<string>, value: fc.Arbitrary<string>) =>
    fc.record({ topic: fc.constant(topic), key, value: fc.option(value, { freq: 3, nil: null }) })
  const customer = fc.constantFrom('c1', 'c2', 'c3')
  const puts: fc.Arbitrary<Put[]> = fc.array(
    fc.oneof(
      put(
        'orders',
        fc.constantFrom('o1', 'o2'),
        fc.tuple(customer, fc.nat(2)).map(([name, n]) => `${name}-${n}`),
      ),
      put(
        'customers',
        customer,
        fc.nat(3).map((n) => `v${n}`),
      ),
    ),
    { minLength: 1, maxLength: 15 },
  )

  for (const method of ['join', 'leftJoin'] as const) {
    test(`${method}: the last results are those of the last rows`, async () => {
      await fc.assert(
        fc.asyncProperty(puts, fc.nat(), async (given, from) => {
          const topology = defineTopology((builder) => {
            const orders = builder.table('orders', text)
            const customers = builder.table('customers', text)
            const foreignKey = (order: string): string => order.slice(0, 2)
            const joined =
              method === 'join'
                ? orders.join(customers, (order, name) => `${order}:${name}`, { foreignKey })
                : orders.leftJoin(customers, (order, name) => `${order}:${name}`, { foreignKey })
            joined.toStream().to('out', { value: serdes.string })
          })
          await using driver = await TopologyTestDriver.open(topology)
          const rows = {
            orders: new Map<string, string | null>(),
            customers: new Map<string, string | null>(),
          }
          // After a crash the records since the last commit come again; the rows are those that they have made.
          for (const { topic, key, value } of [...given, ...given.slice(from % given.length)]) {
            rows[topic].set(key, value)
            await driver.createInputTopic(topic, text).pipeInput(key, value as string)
          }
          const results = new Map<string, string | null>()
          for (const { key, value } of driver.createOutputTopic('out', text).readRecordsToList())
            results.set(key!, value)
          for (const [key, order] of rows.orders) {
            const name = order === null ? null : (rows.customers.get(order.slice(0, 2)) ?? null)
            const isIn = order !== null && (method === 'leftJoin' || name !== null)
            assert.equal(results.get(key) ?? null, isIn ? `${order}:${name}` : null)
          }
        }),
        { numRuns: 60 },
      )
    })
  }
})
