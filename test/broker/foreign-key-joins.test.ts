import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { customerOf } from '../support/topologies/foreign-keys.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const orders = Array.from({ length: 40 }, (_, index) => `order-${index}`)
const customers = Array.from({ length: 12 }, (_, index) => `customer-${index}`)

test('tables of different partition counts are joined by foreign key, over a kill that loses the disk', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  await createTopics(bootstrapServers, { orders: 3, customers: 2, inner: 1, left: 1 })
  const tables = { orders: new Map<string, string | null>(), customers: new Map<string, string | null>() }
  let sent = 0
  const send = async (count: number): Promise<void> => {
    // As in Kafka Streams, an answer is dropped whose order has changed meanwhile, and none comes in its place when what it told was that nothing is joined any more: then the
    // result before it would stay. So an order that was deleted or has another customer, or whose customer was deleted, does not change again before all is at rest.
    const settles = new Set<string>()
    const changed = new Set<string>()
    const records = Array.from({ length: count }, () => {
      const free = orders.filter((one) => !settles.has(one))
      const topic = free.length === 0 ? 'customers' : random.pick(['orders', 'orders', 'customers'] as const)
      const key = random.pick(topic === 'orders' ? free : customers)
      const before = customerOf(tables.orders.get(key) ?? '')
      const refersTo =
        before !== null && random.below(2) === 0
          ? before
          : random.below(20) === 0
            ? ''
            : random.pick(customers)
      const its = orders.filter((one) => customerOf(tables.orders.get(one) ?? '') === key)
      const isDeleted = random.below(20) === 0 && !its.some((one) => changed.has(one))
      const value = isDeleted ? null : topic === 'orders' ? `${refersTo}|${sent}` : `c${sent}`
      if (topic === 'orders') changed.add(key)
      if (topic === 'orders' && (value === null || customerOf(value) !== before)) settles.add(key)
      if (topic === 'customers' && value === null) for (const one of its) settles.add(one)
      tables[topic].set(key, value)
      return { topic, key, value, timestamp: Date.now() - 100_000 + sent++ }
    })
    await produceAll(bootstrapServers, records)
  }
  const options = {
    module: 'test/support/topologies/foreign-keys.ts',
    applicationId: 'foreign-keys',
    bootstrapServers,
    stateDir: makeScratchDir('foreign-keys'),
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '200', ...sameMember },
  }
  const consumed = (worker: WeirProcess): Promise<void> =>
    worker.whileRunning(
      waitUntilConsumed(bootstrapServers, 'foreign-keys', ['orders', 'customers'], { timeoutMs: 60_000 }),
    )
  /** Computed from the tables as they are. */
  const expected = (isLeft: boolean): string[] =>
    orders.flatMap((key) => {
      const order = tables.orders.get(key) ?? null
      if (order === null) return []
      const customer = tables.customers.get(customerOf(order) ?? '') ?? null
      return customer === null && !isLeft ? [] : [`${key} ${order}+${customer}`]
    })
  /** The last word on each key. */
  const rows = async (topic: string): Promise<string[]> => {
    const records = await readToEnd(bootstrapServers, topic)
    const last = new Map(records.map(({ key, value }) => [String(key), value]))
    return orders.flatMap((key) => {
      const value = last.get(key) ?? null
      return value === null ? [] : [`${key} ${String(value)}`]
    })
  }
  const settled = async (worker: WeirProcess): Promise<void> => {
    await consumed(worker)
    // Answers come by way of two more topics.
    for (let round = 0; round < 100; round++) {
      const [inner, left] = [await rows('inner'), await rows('left')]
      if (inner.join() === expected(false).join() && left.join() === expected(true).join()) break
      await worker.whileRunning(sleep(100))
    }
    assert.deepEqual(await rows('inner'), expected(false), `seed ${random.seed}`)
    assert.deepEqual(await rows('left'), expected(true), `seed ${random.seed}`)
  }

  await using first = await WeirProcess.start(options)
  await send(300)
  await settled(first)
  // At rest: what is under way at a kill is processed again on newer rows, where a deletion's answer may no longer be asked for.
  await first.kill9()

  rmSync(options.stateDir, { recursive: true })
  await using second = await WeirProcess.start({ ...options, stateDir: makeScratchDir('foreign-keys-again') })
  await send(300)
  await settled(second)
  await second.stop()
})
