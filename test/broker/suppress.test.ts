/** Windows that are told when they have closed, on a real broker: what waits comes back after a restart, from its changelog too. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { serdes } from '../../src/serde/serdes.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { WINDOW_MS } from '../support/topologies/suppressed-count.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const partitions = 2
const users = Array.from({ length: 20 }, (_, index) => `user-${index}`)
const windowedKey = serdes.timeWindowed(serdes.string, WINDOW_MS)

describe('counts of closed windows', { concurrency: 2 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  for (const { end, keepsDisk } of [
    { end: 'stop', keepsDisk: true },
    { end: 'stop', keepsDisk: false },
    { end: 'kill', keepsDisk: true },
    { end: 'kill', keepsDisk: false },
  ] as const) {
    const name = `${end}-${keepsDisk ? 'same' : 'other'}-disk`
    test(`${end}, then ${keepsDisk ? 'the same' : 'another'} disk`, async (t) => {
      const { bootstrapServers } = kafka
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const topics = { input: `${name}-visits`, output: `${name}-closed` }
      await createTopics(bootstrapServers, { [topics.input]: partitions, [topics.output]: partitions })
      // By now, so that the broker's own retention leaves the changelogs alone.
      const startMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - 600_000
      const expected = new Map<string, number>()
      /** Visits within the grace, each window of them open when the next visits come. */
      const send = async (fromMs: number, lengthMs: number, count: number): Promise<void> => {
        const visits = Array.from({ length: count }, (_, index) => ({
          user: users.indexOf(random.pick(users)),
          timestamp: Math.floor(fromMs + (index / count) * lengthMs) - random.below(400),
        }))
        for (const { user, timestamp } of visits) {
          const key = `${users[user]} ${timestamp - (timestamp % WINDOW_MS)}`
          expected.set(key, (expected.get(key) ?? 0) + 1)
        }
        await produceAll(
          bootstrapServers,
          visits.map(({ user, timestamp }) => ({
            topic: topics.input,
            key: users[user]!,
            value: 'v',
            timestamp,
            partition: user % partitions,
          })),
        )
      }
      const options = {
        module: 'test/support/topologies/suppressed-count.ts',
        applicationId: name,
        bootstrapServers,
        stateDir: makeScratchDir(name),
        env: {
          COUNT_PREFIX: `${name}-`,
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '100',
          ...sameMember,
        },
      }
      const consumed = (worker: WeirProcess): Promise<void> =>
        worker.whileRunning(waitUntilConsumed(bootstrapServers, name, [topics.input], { timeoutMs: 120_000 }))
      await send(startMs, 10_000, 2_000)
      {
        await using first = await WeirProcess.start(options)
        await consumed(first)
        if (end === 'stop') await first.stop()
        else await first.kill9()
      }
      if (!keepsDisk) rmSync(options.stateDir, { recursive: true })
      await using second = await WeirProcess.start(options)
      await send(startMs + 10_000, 5_000, 1_000)
      // Closes all windows of both partitions, and waits itself.
      const last = startMs + 60_000
      await produceAll(
        bootstrapServers,
        users.slice(0, partitions).map((key, partition) => ({
          topic: topics.input,
          key,
          value: 'v',
          timestamp: last,
          partition,
        })),
      )
      await consumed(second)
      await second.stop()

      const told = (await readToEnd(bootstrapServers, topics.output)).map(({ key, value }) => {
        const windowed = windowedKey.deserialize(key!, 0, key!.length)
        return [`${windowed.key} ${windowed.window.start}`, Number(value!.readBigInt64BE())] as const
      })
      assert.deepEqual(new Map([...told].sort()), new Map([...expected].sort()))
      // What was consumed had been committed: nothing is told twice.
      assert.equal(told.length, expected.size)
    })
  }
})
