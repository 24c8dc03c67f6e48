/** Topics that match a source's pattern come and go while processes run. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
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

// Most of the time is spent waiting for groups.
describe('topics that match a pattern', { concurrency: 2 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka({
      properties: {
        'group.min.session.timeout.ms': 1_000,
        'group.consumer.min.session.timeout.ms': 3_000,
        'group.consumer.session.timeout.ms': 3_000,
        'group.consumer.min.heartbeat.interval.ms': 500,
        'group.consumer.heartbeat.interval.ms': 500,
      },
    })
  })
  after(() => kafka.stop())

  for (const protocol of ['classic', 'consumer'] as const) {
    test(`are read as they come, and not missed when they go, group protocol ${protocol}`, async () => {
      const { bootstrapServers } = kafka
      const [first, second, third, fourth] = [1, 2, 3, 4].map((number) => `${protocol}-${number}`) as [
        string,
        string,
        string,
        string,
      ]
      const load = new Load(bootstrapServers)
      const create = (...topics: string[]): Promise<void> =>
        createTopics(bootstrapServers, Object.fromEntries(topics.map((topic) => [topic, PARTITIONS])))
      const start = (stateDir: string): Promise<WeirProcess> =>
        WeirProcess.start({
          module: 'test/support/topologies/patterns.ts',
          applicationId: protocol,
          bootstrapServers,
          stateDir,
          env: {
            TEST_TOPICS: protocol,
            WEIR_NUM_STREAM_THREADS: '2',
            WEIR_COMMIT_INTERVAL_MS: '200',
            WEIR_GROUP_PROTOCOL: protocol,
            ...(protocol === 'classic' ? { WEIR_SESSION_TIMEOUT_MS: '3000' } : {}),
            WEIR_CONSUMER_TOPIC_METADATA_REFRESH_INTERVAL_MS: '1000',
          },
        })
      const consumed = async (worker: WeirProcess, ...topics: string[]): Promise<void> => {
        const committed = (...names: string[]): Promise<void> =>
          worker.whileRunning(waitUntilConsumed(bootstrapServers, protocol, names, { timeoutMs: 60_000 }))
        await committed(...topics)
        // What the topics' tasks have sent on before they committed.
        await committed(`${protocol}-by-value-repartition`)
        assert.deepEqual(
          sorted(await lastCounts(bootstrapServers, `${protocol}-counts`)),
          sorted(load.counts),
        )
        assert.deepEqual(
          sorted(await lastCounts(bootstrapServers, `${protocol}-value-counts`)),
          sorted(load.valueCounts),
        )
      }

      await create(`${protocol}-other`, `${protocol}-counts`, `${protocol}-value-counts`)
      const stateDir = makeScratchDir('patterns')
      let one = await start(stateDir)
      try {
        // There is none yet.
        await one.ready()
        await create(first, second)
        await load.produce([first, second])
        await consumed(one, first, second)

        await using two = await start(makeScratchDir('patterns'))
        await two.ready()
        await create(third)
        await load.produce([third, first])
        await consumed(two, first, second, third)

        await one.kill9()
        await deleteTopics(bootstrapServers, [second])
        one = await start(stateDir)
        await load.produce([first, third])
        await two.until(
          () => two.output.includes(`"removed":["${second}"]`),
          'does not notice that a topic is gone',
        )
        await create(fourth, second)
        await load.produce([first, third, fourth, second])
        await consumed(two, first, second, third, fourth)
        await one.ready()

        await Promise.all([one.stop(), two.stop()])
      } finally {
        await one[Symbol.asyncDispose]()
      }
    })
  }
})
