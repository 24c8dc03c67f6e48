/** The topics that an application makes for itself: several processes make them at once, and what was read of them is deleted. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { Admin } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 6
const TIMEOUT_MS = 30_000

// Each has an application of its own, and waits for most of its time.
describe('internal topics', { concurrency: 2 }, () => {
  let kafka: KafkaService
  let admin: Admin
  before(async () => {
    kafka = await startKafka()
    admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
  })
  after(async () => {
    await admin.close()
    await kafka.stop()
  })

  /** Topics and processes of one application that counts values. */
  async function setUp(name: string, env: Readonly<Record<string, string>> = {}) {
    const { bootstrapServers } = kafka
    const [input, output] = [`${name}.input`, `${name}.counts`]
    const repartition = `${name}-by-value-repartition`
    await createTopics(bootstrapServers, { [input]: PARTITIONS, [output]: PARTITIONS })
    const scratch = makeScratchDir('internal-topics')
    return {
      repartition,
      changelog: `${name}-counts-changelog`,
      start: (process: string) =>
        WeirProcess.start({
          module: 'test/support/topologies/rekeyed-count.ts',
          applicationId: name,
          bootstrapServers,
          stateDir: path.join(scratch, process),
          env: {
            COUNT_PREFIX: `${name}.`,
            WEIR_NUM_STREAM_THREADS: '1',
            WEIR_COMMIT_INTERVAL_MS: '100',
            WEIR_MEMORY_BYTES: String(512 * 2 ** 20),
            ...env,
          },
        }),
      /** So many records of each of 50 values. */
      produce: (each: number) =>
        produceAll(
          bootstrapServers,
          Array.from({ length: 50 * each }, (_, index) => ({
            topic: input,
            partition: index % PARTITIONS,
            key: null,
            value: `value-${index % 50}`,
            timestamp: 1_000,
          })),
        ),
      async consumed(): Promise<void> {
        for (const topic of [input, repartition])
          await waitUntilConsumed(bootstrapServers, name, [topic], { timeoutMs: 60_000 })
      },
      /** Whether each value's counts go from 1 to `each`, by one. */
      async verify(each: number): Promise<void> {
        const counts = new Map<string, number[]>()
        for (const { key, value } of await readToEnd(bootstrapServers, output)) {
          const ofKey = counts.get(key!.toString()) ?? []
          counts.set(key!.toString(), [...ofKey, Number(value!.readBigInt64BE(0))])
        }
        assert.equal(counts.size, 50)
        const expected = Array.from({ length: each }, (_, index) => index + 1)
        for (const [key, ofKey] of counts) assert.deepEqual(ofKey, expected, key)
      },
    }
  }

  test('three processes that start at once make them once', async () => {
    const application = await setUp('together')
    await application.produce(20)
    const workers = await Promise.all(['one', 'two', 'three'].map((process) => application.start(process)))
    await using stack = new AsyncDisposableStack()
    for (const worker of workers) stack.use(worker)
    await Promise.all(workers.map((worker) => worker.ready()))
    await Promise.race(workers.map((worker) => worker.whileRunning(application.consumed())))
    const topics = await admin.describeTopics([application.repartition, application.changelog], TIMEOUT_MS)
    assert.deepEqual(
      topics.map(({ name, partitions }) => [name, partitions]).sort(),
      [
        [application.repartition, PARTITIONS],
        [application.changelog, PARTITIONS],
      ].sort(),
    )
    for (const worker of workers) await worker.stop()
    await application.verify(20)
  })

  for (const guarantee of ['at_least_once', 'exactly_once_v2']) {
    test(`what was committed is deleted from repartition topics, and nothing else (${guarantee})`, async () => {
      const application = await setUp(guarantee, {
        WEIR_PROCESSING_GUARANTEE: guarantee,
        WEIR_REPARTITION_PURGE_INTERVAL_MS: '50',
      })
      await using worker = await application.start('one')
      await worker.ready()
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
        topic: application.repartition,
        partition,
      }))
      const offsets = async (): Promise<{ first: number[]; committed: number[] }> => {
        const byPartition = (found: readonly { topic: string; partition: number; offset: number }[]) =>
          partitions.map(
            ({ topic, partition }) =>
              found.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0,
          )
        const first = await admin.listOffsets(partitions, 'earliest', 'read_uncommitted', TIMEOUT_MS)
        const committed = await admin.groupOffsets(guarantee, TIMEOUT_MS)
        return { first: byPartition(first), committed: byPartition(committed) }
      }
      for (let round = 1; round <= 5; round++) {
        await application.produce(20)
        const { first, committed } = await offsets()
        for (const [partition, offset] of first.entries())
          assert.ok(offset <= committed[partition]!, `partition ${partition} begins at ${offset}`)
      }
      await worker.whileRunning(application.consumed())
      await worker.until(async () => {
        const { first, committed } = await offsets()
        return first.every((offset, partition) => offset === committed[partition]) && Math.max(...first) > 0
      }, 'does not delete what it has processed')
      await worker.stop()
      await application.verify(100)
    })
  }
})
