/**
 * A counting worker on a real broker, killed again and again while records keep coming. At-least-once says:
 * no key's count may end below the true one. A worker that was only ever stopped by SIGTERM has to be exact; exactly-once says that every worker
 * has to be.
 *
 * `npm run test:kill` is the long form: ten kills in a load of a million records.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { lagOf, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, type CountVerdict, verifyCounts } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const full = process.env.WEIR_TEST_KILL === 'full'
const records = full ? 1_000_000 : 150_000
const ends = full ? 10 : 3
const keys = full ? 50_000 : 10_000
const partitions = 4

type End = 'kill' | 'kill-and-delete-state' | 'stop'
type Guarantee = 'at_least_once' | 'exactly_once_v2'

describe('ending a worker in the middle of a load', { concurrency: full ? 1 : 2 }, () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('kill')
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  /** Loads and ends workers in turn; every worker gets to a random place in its share of the load. */
  async function run(guarantee: Guarantee, end: End, random: Random): Promise<CountVerdict> {
    const { bootstrapServers } = kafka
    const name = `${guarantee}-${end}`
    const stateDir = join(scratch, name)
    const load = new CountLoad(records, keys, random, `${name}-`)
    using producing = await load.start(bootstrapServers, partitions)
    const options = {
      module: 'test/support/topologies/count.ts',
      applicationId: name,
      bootstrapServers,
      stateDir,
      env: {
        COUNT_PREFIX: `${name}-`,
        WEIR_PROCESSING_GUARANTEE: guarantee,
        // A worker without the state folder of the one before waits for that one's last transaction.
        WEIR_TRANSACTION_TIMEOUT_MS: '2000',
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_COMMIT_INTERVAL_MS: '300',
        ...sameMember,
        // Small, so that RocksDB flushes and the changelog is replayed from the middle.
        WEIR_FLUSH_EVERY_RECORDS: '20000',
      },
    }
    const share = records / (ends + 1)
    for (let life = 0; life < ends; life++) {
      // From one commit after another, so that most ends come in the middle of one, to one that hardly ever comes.
      const env = { ...options.env, WEIR_COMMIT_INTERVAL_MS: random.pick(['0', '20', '500']) }
      await using worker = await WeirProcess.start({ ...options, env })
      load.allow(share * (life + 1))
      // Before its share is used up: an idle worker has nothing to lose.
      const target = random.below(share * 0.7)
      await worker.running()
      await worker.until(
        async () => (await worker.recordsProcessed()) >= target,
        `has not processed ${target} records`,
        60_000,
        1,
      )
      if (end === 'stop') await worker.stop()
      else await worker.kill9()
      if (end === 'kill-and-delete-state') rmSync(join(stateDir, name), { recursive: true, force: true })
    }
    await using worker = await WeirProcess.start(options)
    load.allow(records)
    await producing.done
    await worker.whileRunning(waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 240_000 }))
    await worker.stop()
    assert.deepEqual(await lagOf(bootstrapServers, name, [load.input]), { committed: records, remaining: 0 })
    return await verifyCounts(bootstrapServers, load)
  }

  for (const [guarantee, end] of [
    ['at_least_once', 'kill'],
    ['at_least_once', 'kill-and-delete-state'],
    ['at_least_once', 'stop'],
    ['exactly_once_v2', 'kill'],
    ['exactly_once_v2', 'kill-and-delete-state'],
  ] as const) {
    test(`${guarantee}: ${end}, ${ends} times, ${records} records`, async (t) => {
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const { updates, lost, doubled, notByOne, surplus } = await run(guarantee, end, random)
      t.diagnostic(`${updates} updates, ${surplus} too many in all, ${lost.length} keys lost`)
      assert.deepEqual(lost, [], `seed ${random.seed}: counts below the true ones`)
      if (end !== 'stop' && guarantee === 'at_least_once') return
      assert.deepEqual(
        { doubled, notByOne, updates },
        { doubled: [], notByOne: 0, updates: records },
        `seed ${random.seed}`,
      )
    })
  }
})
