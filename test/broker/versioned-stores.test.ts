import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { PUT_RETURN_CODE_NOT_PUT } from '../../src/index.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { HISTORY_MS } from '../support/topologies/versioned.ts'
import { VersionedModel } from '../support/versioned-model.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const partitions = 2
const products = ['apple', 'bread', 'cheese', 'dates', 'eggs']
const partitionOf = (product: string): number => products.indexOf(product) % partitions

interface Price {
  readonly product: string
  readonly value: string | null
  readonly timestamp: number
}

test('a versioned store on another disk finds what it found before, and its changelog has every put', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const random = new Random()
  const seed = `seed ${random.seed}`
  t.diagnostic(seed)
  await createTopics(bootstrapServers, { prices: partitions, answers: 1 })
  const models = Array.from({ length: partitions }, () => new VersionedModel(HISTORY_MS))
  const logged: string[][] = models.map(() => [])
  const options = {
    module: 'test/support/topologies/versioned.ts',
    applicationId: 'versioned',
    bootstrapServers,
    stateDir: makeScratchDir('versioned'),
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '200', ...sameMember },
  }
  const consumed = (worker: WeirProcess): Promise<void> =>
    worker.whileRunning(waitUntilConsumed(bootstrapServers, 'versioned', ['prices'], { timeoutMs: 60_000 }))
  // By now, since the broker refuses what lies far ahead.
  let clock = Date.now() - 1_000_000

  /** New prices, often late, some too late; the model and the expected changelog get them too. */
  const send = async (count: number): Promise<void> => {
    const prices = Array.from({ length: count }, (): Price => {
      clock += random.below(400)
      const late = random.below(20) === 0 ? random.below(3 * HISTORY_MS) : random.below(HISTORY_MS / 2)
      return {
        product: random.pick(products),
        value: random.below(5) === 0 ? null : String(random.below(1_000)),
        timestamp: clock - late - ((clock - late) % 1_000),
      }
    })
    for (const { product, value, timestamp } of prices) {
      const partition = partitionOf(product)
      const [changed, validTo] = models[partition]!.put(product, value, timestamp)
      models[partition] = changed
      if (validTo !== PUT_RETURN_CODE_NOT_PUT) logged[partition]!.push(`${product} ${value} ${timestamp}`)
    }
    await produceAll(
      bootstrapServers,
      prices.map(({ product, value, timestamp }) => ({
        topic: 'prices',
        key: product,
        value: value ?? '-',
        timestamp,
        partition: partitionOf(product),
      })),
    )
  }
  let asked = 0
  /** Asks for the history of each product, and compares it with the model's. */
  const check = async (worker: WeirProcess): Promise<void> => {
    const times = Array.from({ length: 120 }, (_, index) => clock - 1.2 * HISTORY_MS + index * 640).map(
      Math.floor,
    )
    await produceAll(
      bootstrapServers,
      products.map((product) => ({
        topic: 'prices',
        key: product,
        value: `tell ${times.join(',')}`,
        timestamp: clock,
        partition: partitionOf(product),
      })),
    )
    await consumed(worker)
    asked += products.length
    const answers = await readToEnd(bootstrapServers, 'answers')
    assert.equal(answers.length, asked)
    for (const { key, value } of answers.slice(-products.length)) {
      const product = key!.toString()
      const model = models[partitionOf(product)]!
      const expected = [model.get(product), ...times.map((time) => model.get(product, time))]
      assert.deepEqual(JSON.parse(value!.toString()), expected, `${product}, ${seed}`)
    }
  }

  await using first = await WeirProcess.start(options)
  await send(3_000)
  await check(first)
  await first.kill9()

  await using second = await WeirProcess.start(options)
  await send(500)
  await check(second)
  await second.kill9()

  rmSync(options.stateDir, { recursive: true })
  await using third = await WeirProcess.start({ ...options, stateDir: makeScratchDir('versioned-again') })
  await check(third)
  await send(500)
  await check(third)
  await third.stop()

  const changelog = await readToEnd(bootstrapServers, 'versioned-prices-changelog')
  for (const [partition, expected] of logged.entries()) {
    const records = changelog.filter((record) => record.partition === partition)
    assert.deepEqual(
      records.map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`),
      expected,
      seed,
    )
  }
})
