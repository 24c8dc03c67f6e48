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
    // As in Kafka Streams, the answer to a deletion is out of date when the row is there again by then: its result would stay.
    const gone = new Set<string>()
    const records = Array.from({ length: count }, () => {
      const topic = random.pick(['orders', 'orders', 'customers'] as const)
      const key = random.pick((topic === 'orders' ? orders : customers).filter((one) => !gone.has(one)))
      const refersTo = random.below(20) === 0 ? '' : random.pick(customers)
      const value = random.below(20) === 0 ? null : topic === 'orders' ? `${refersTo}|${sent}` : `c${sent}`
      if (topic === 'orders' && (value === null || customerOf(value) === null)) gone.add(key)
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
