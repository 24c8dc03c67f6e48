/** Topics that match a source's pattern come and go while processes run. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { deleteTopics } from '../services/kafka-client.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 2
const KEYS = 5
const VALUES = 3

/** What was produced, counted. */
class Load {
  readonly counts = new Map<string, number>()
  readonly valueCounts = new Map<string, number>()
  readonly #bootstrapServers: string
  #number = 0

  constructor(bootstrapServers: string) {
    this.#bootstrapServers = bootstrapServers
  }

  async produce(topics: readonly string[], recordsPerTopic = 40): Promise<void> {
    const records: OutgoingRecord[] = []
    for (let index = 0; index < recordsPerTopic; index++) {
      for (const topic of topics) {
        const number = this.#number++
        const key = `key-${number % KEYS}`
        const value = `value-${number % VALUES}`
        this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
        this.valueCounts.set(value, (this.valueCounts.get(value) ?? 0) + 1)
        records.push({ topic, key, value, timestamp: 1_000 + number })
      }
    }
    await produceAll(this.#bootstrapServers, records)
  }
}

async function lastCounts(bootstrapServers: string, topic: string): Promise<Map<string, number>> {
  const last = new Map<string, number>()
  for (const { key, value } of await readToEnd(bootstrapServers, topic))
    last.set(key!.toString(), Number(value!.readBigInt64BE(0)))
  return last
}

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}

describe('topics that match a pattern', () => {
  for (const protocol of ['classic', 'consumer'] as const) {
    test(`are read as they come, and not missed when they go, group protocol ${protocol}`, async () => {
      await using kafka = await startKafka({
        properties: {
          'group.min.session.timeout.ms': 1_000,
          'group.consumer.min.session.timeout.ms': 3_000,
          'group.consumer.session.timeout.ms': 3_000,
          'group.consumer.min.heartbeat.interval.ms': 500,
          'group.consumer.heartbeat.interval.ms': 500,
        },
      })
      const { bootstrapServers } = kafka
      const applicationId = `patterns-${protocol}`
      const load = new Load(bootstrapServers)
      const create = (...topics: string[]): Promise<void> =>
        createTopics(bootstrapServers, Object.fromEntries(topics.map((topic) => [topic, PARTITIONS])))
      const start = (name: string): Promise<WeirProcess> =>
        WeirProcess.start({
          module: 'test/support/topologies/patterns.ts',
          applicationId,
          bootstrapServers,
          stateDir: stateDirs[name]!,
          env: {
            WEIR_NUM_STREAM_THREADS: '2',
            WEIR_COMMIT_INTERVAL_MS: '200',
            WEIR_GROUP_PROTOCOL: protocol,
            ...(protocol === 'classic' ? { WEIR_SESSION_TIMEOUT_MS: '3000' } : {}),
            WEIR_CONSUMER_TOPIC_METADATA_REFRESH_INTERVAL_MS: '1000',
          },
        })
      const stateDirs: Record<string, string> = {
        one: makeScratchDir('patterns'),
        two: makeScratchDir('patterns'),
      }
      const consumed = async (worker: WeirProcess, topics: readonly string[]): Promise<void> => {
        const all = [...topics, `${applicationId}-by-value-repartition`]
        // What the first has sent on while the second was looked at.
        for (const _ of [1, 2])
          await worker.whileRunning(
            waitUntilConsumed(bootstrapServers, applicationId, all, { timeoutMs: 60_000 }),
          )
        assert.deepEqual(sorted(await lastCounts(bootstrapServers, 'counts')), sorted(load.counts))
        assert.deepEqual(sorted(await lastCounts(bootstrapServers, 'value-counts')), sorted(load.valueCounts))
      }

      await create('in-1', 'in-2', 'other', 'counts', 'value-counts')
      let one = await start('one')
      try {
        await load.produce(['in-1', 'in-2'])
        await one.ready()
        await consumed(one, ['in-1', 'in-2'])

        await create('in-3')
        await load.produce(['in-1', 'in-3'])
        await consumed(one, ['in-1', 'in-2', 'in-3'])

        await using two = await start('two')
        await two.ready()
        await create('in-4')
        await load.produce(['in-4', 'in-3', 'in-1'])
        await consumed(two, ['in-1', 'in-2', 'in-3', 'in-4'])

        await one.kill9()
        one = await start('one')
        await one.ready()
        await load.produce(['in-4', 'in-2'])
        await consumed(one, ['in-1', 'in-2', 'in-3', 'in-4'])

        await deleteTopics(bootstrapServers, ['in-2'])
        await load.produce(['in-1', 'in-3', 'in-4'])
        for (const worker of [one, two]) {
          await worker.until(
            () => /"removed":\["in-2"\]/.test(worker.output),
            'does not notice that a topic is gone',
          )
        }
        await load.produce(['in-1', 'in-3', 'in-4'])
        await consumed(two, ['in-1', 'in-3', 'in-4'])

        await one.stop()
        await two.stop()
      } finally {
        await one[Symbol.asyncDispose]()
      }
    })
  }

  test('may come later than the application', async () => {
    await using kafka = await startKafka()
    const { bootstrapServers } = kafka
    const load = new Load(bootstrapServers)
    await createTopics(bootstrapServers, { counts: 1, 'value-counts': 1 })
    await using worker = await WeirProcess.start({
      module: 'test/support/topologies/patterns.ts',
      applicationId: 'later',
      bootstrapServers,
      stateDir: makeScratchDir('patterns'),
      env: {
        WEIR_COMMIT_INTERVAL_MS: '200',
        WEIR_CONSUMER_TOPIC_METADATA_REFRESH_INTERVAL_MS: '1000',
      },
    })
    await worker.ready()
    await createTopics(bootstrapServers, { 'in-1': PARTITIONS })
    await load.produce(['in-1'])
    for (const topic of ['in-1', 'later-by-value-repartition'])
      await worker.whileRunning(waitUntilConsumed(bootstrapServers, 'later', [topic], { timeoutMs: 60_000 }))
    await worker.until(
      async () => (await lastCounts(bootstrapServers, 'value-counts')).size === VALUES,
      'does not count the values',
    )
    await worker.stop()
    assert.deepEqual(sorted(await lastCounts(bootstrapServers, 'counts')), sorted(load.counts))
    assert.deepEqual(sorted(await lastCounts(bootstrapServers, 'value-counts')), sorted(load.valueCounts))
  })
})
