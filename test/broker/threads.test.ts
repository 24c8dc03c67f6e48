/** Tasks are spread over stream threads and processes, and no record is lost while they move. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { lagOf, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, verifyCounts } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
import { WeirProcess } from '../support/weir-process.ts'

const partitions = 8

/** Running tasks by thread. */
async function tasksByThread(worker: WeirProcess): Promise<number[]> {
  const counts: number[] = []
  for (const [name, value] of await worker.metrics()) {
    if (!name.startsWith('weir_process_tasks{') || !name.includes('state="running"')) continue
    counts.push(value)
  }
  return counts
}

async function runningTasks(worker: WeirProcess): Promise<number> {
  return (await tasksByThread(worker)).reduce((sum, count) => sum + count, 0)
}

/** A worker's databases that are open, and its tasks that were opened and closed since it began. */
async function databases(worker: WeirProcess): Promise<{ open: number; created: number; closed: number }> {
  const metrics = await worker.metrics()
  const sum = (name: string): number =>
    [...metrics].reduce(
      (total, [series, value]) => total + (series.replace(/\{.*/, '') === name ? value : 0),
      0,
    )
  return {
    open: sum('weir_rocksdb_databases'),
    created: sum('weir_process_tasks_created_total'),
    closed: sum('weir_process_tasks_closed_total'),
  }
}

// Each has an application of its own.
describe('stream threads and processes', { concurrency: 2 }, () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('threads')
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  /** @param name of the application; its topics begin with it, its processes have folders of their own */
  function start(
    name: string,
    process: string,
    threads: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<WeirProcess> {
    return WeirProcess.start({
      module: 'test/support/topologies/count.ts',
      applicationId: name,
      bootstrapServers: kafka.bootstrapServers,
      stateDir: join(scratch, process),
      env: {
        COUNT_PREFIX: `${name}-`,
        WEIR_NUM_STREAM_THREADS: String(threads),
        WEIR_COMMIT_INTERVAL_MS: '500',
        ...env,
      },
    })
  }

  for (const threads of [2, 4]) {
    test(`${threads} threads share ${partitions} partitions evenly`, async (t) => {
      const { bootstrapServers } = kafka
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const name = `threads-${threads}`
      const load = new CountLoad(40_000, 2_000, random, `${name}-`)
      using producing = await load.start(bootstrapServers, partitions)
      await using worker = await start(name, 'one', threads)
      await worker.until(
        async () => (await runningTasks(worker)) === partitions,
        `does not run ${partitions} tasks`,
      )
      assert.deepEqual(await tasksByThread(worker), Array(threads).fill(partitions / threads))
      load.allow(load.records)
      await producing.done
      await worker.whileRunning(
        waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 60_000 }),
      )
      await worker.stop()
      const { lost, doubled, updates } = await verifyCounts(bootstrapServers, load)
      assert.deepEqual(
        { lost, doubled, updates },
        { lost: [], doubled: [], updates: load.records },
        `seed ${random.seed}`,
      )
    })
  }

  for (const protocol of ['classic', 'consumer'] as const) {
    test(`a second process joins and leaves, group protocol ${protocol}: no record is lost`, async (t) => {
      const { bootstrapServers } = kafka
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const name = `two-${protocol}`
      const load = new CountLoad(150_000, 5_000, random, `${name}-`)
      using producing = await load.start(bootstrapServers, partitions)
      const env = { WEIR_GROUP_PROTOCOL: protocol }
      await using first = await start(name, 'first', 2, env)
      await first.until(
        async () => (await runningTasks(first)) === partitions,
        `does not run ${partitions} tasks`,
      )
      load.allow(50_000)
      await first.until(
        async () => (await first.recordsProcessed()) > 10_000,
        'has not processed 10,000 records',
      )

      await using second = await start(name, 'second', 2, env)
      // Records keep coming while tasks move.
      load.allow(100_000)
      await second.until(
        async () =>
          (await runningTasks(first)) === partitions / 2 && (await runningTasks(second)) === partitions / 2,
        'does not get half of the tasks',
      )
      assert.deepEqual(
        [await tasksByThread(first), await tasksByThread(second)],
        [
          [2, 2],
          [2, 2],
        ],
      )
      await first.until(
        async () => (await databases(first)).open === partitions / 2,
        'does not close the databases of tasks that went',
      )
      load.allow(load.records)
      await second.until(
        async () => (await second.recordsProcessed()) > 1_000,
        'has not processed 1,000 records',
      )
      await second.stop()
      await producing.done
      await first.until(
        async () => (await runningTasks(first)) === partitions,
        `does not run ${partitions} tasks again`,
      )
      await first.whileRunning(waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 60_000 }))
      // Each task that went was closed once, and none that is here.
      const { open, created, closed } = await databases(first)
      assert.deepEqual([open, created - closed], [partitions, partitions])
      assert.ok(closed >= partitions / 2, `${closed} tasks closed`)
      await first.stop()
      assert.deepEqual(await lagOf(bootstrapServers, name, [load.input]), {
        committed: load.records,
        remaining: 0,
      })
      const { lost, surplus } = await verifyCounts(bootstrapServers, load)
      t.diagnostic(`${surplus} counted twice`)
      assert.deepEqual(lost, [], `seed ${random.seed}`)
      // Tasks are handed over after a commit: nothing is processed again either.
      assert.equal(surplus, 0, `seed ${random.seed}`)
    })
  }
})
