/** A table in memory, with caching, on a real broker: its rows come back from the changelog, and no key's last count is lost. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, verifyCounts } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const records = 60_000
const keys = 2_000

describe('a count in memory with caching', { concurrency: 2 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  for (const end of ['stop', 'kill'] as const) {
    test(`${end} in the middle`, async (t) => {
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const { bootstrapServers } = kafka
      const load = new CountLoad(records, keys, random, `memory-${end}-`)
      using producing = await load.start(bootstrapServers, 4)
      const options = {
        module: 'test/support/topologies/cached-count.ts',
        applicationId: `memory-${end}`,
        bootstrapServers,
        stateDir: makeScratchDir(`memory-${end}`),
        env: {
          COUNT_PREFIX: `memory-${end}-`,
          WEIR_NUM_STREAM_THREADS: '2',
          WEIR_COMMIT_INTERVAL_MS: '200',
          ...sameMember,
        },
      }
      load.allow(records / 2)
      {
        await using worker = await WeirProcess.start(options)
        const target = random.below(records / 3)
        await worker.running()
        await worker.until(
          async () => (await worker.recordsProcessed()) >= target,
          `has not processed ${target} records`,
          60_000,
          1,
        )
        if (end === 'stop') await worker.stop()
        else await worker.kill9()
      }
      await using worker = await WeirProcess.start(options)
      load.allow(records)
      await producing.done
      await worker.whileRunning(
        waitUntilConsumed(bootstrapServers, options.applicationId, [load.input], { timeoutMs: 120_000 }),
      )
      await worker.stop()
      const { updates, lost, doubled } = await verifyCounts(bootstrapServers, load)
      t.diagnostic(`${updates} updates for ${records} records`)
      assert.deepEqual(lost, [])
      assert.ok(updates < records, 'caching forwards fewer updates than there are records')
      if (end === 'stop') assert.deepEqual(doubled, [])
    })
  }
})
