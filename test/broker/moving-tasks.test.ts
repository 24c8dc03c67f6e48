/** What becomes of a task's state when the task stays, leaves and comes back: no more is opened and restored than has to be. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { lagOf, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, verifyCounts } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
import { WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 4
const KEYS = 8_000
/** Until the second process comes, while both are there, and after that. */
const STAGES = [40_000, 40_400, 41_000] as const

/** The sum of a metric's samples, over threads and the labels that do not contain `label`. */
async function sumOf(worker: WeirProcess, name: string, label = ''): Promise<number> {
  let sum = 0
  for (const [series, value] of await worker.metrics())
    if (series.startsWith(`${name}{`) && series.includes(label)) sum += value
  return sum
}

const running = (worker: WeirProcess): Promise<number> =>
  sumOf(worker, 'weir_process_tasks', 'state="running"')

// Each has an application of its own, and waits for most of its time.
describe('tasks that move', { concurrency: 2 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  /** An application whose processes count one load together. */
  async function setUp(name: string, env: Readonly<Record<string, string>>) {
    const random = new Random()
    const load = new CountLoad(STAGES[2], KEYS, random, `${name}-`)
    const { bootstrapServers } = kafka
    const producing = await load.start(bootstrapServers, PARTITIONS)
    const scratch = makeScratchDir('moving-tasks')
    return {
      load,
      producing,
      seed: `seed ${random.seed}`,
      start: (process: string) =>
        WeirProcess.start({
          module: 'test/support/topologies/count.ts',
          applicationId: name,
          bootstrapServers,
          stateDir: path.join(scratch, process),
          env: {
            COUNT_PREFIX: `${name}-`,
            WEIR_NUM_STREAM_THREADS: '2',
            WEIR_COMMIT_INTERVAL_MS: '200',
            ...env,
          },
        }),
      /** The tasks that a process has state of. */
      tasksOnDisk: async (process: string): Promise<string[]> =>
        (await readdir(path.join(scratch, process, name))).filter((file) => /^0_\d$/.test(file)).sort(),
      /** Lets the next records come, and waits until they are counted. */
      async count(records: number, worker: WeirProcess): Promise<void> {
        load.allow(records)
        if (records === load.records) await producing.done
        await worker.until(
          async () => (await writtenTo(load.input)) >= records,
          `is given fewer than ${records} records`,
        )
        await worker.whileRunning(
          waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 60_000 }),
        )
      },
    }
  }

  async function writtenTo(topic: string): Promise<number> {
    const { committed, remaining } = await lagOf(kafka.bootstrapServers, 'nobody', [topic])
    return committed + remaining
  }

  for (const [protocol, guarantee] of [
    ['classic', 'at_least_once'],
    ['classic', 'exactly_once_v2'],
    ['consumer', 'at_least_once'],
    ['consumer', 'exactly_once_v2'],
  ] as const) {
    test(`those that stay go on, those that come back restore what has changed (${protocol}, ${guarantee})`, async (t) => {
      const application = await setUp(`${protocol}-${guarantee}`, {
        WEIR_GROUP_PROTOCOL: protocol,
        WEIR_PROCESSING_GUARANTEE: guarantee,
      })
      const { load, seed } = application
      t.diagnostic(seed)
      using _producing = application.producing
      await using first = await application.start('first')
      await first.until(async () => (await running(first)) === PARTITIONS, 'does not run every task')
      await application.count(STAGES[0], first)
      const restoredAtFirst = await sumOf(first, 'weir_restore_records_total')
      {
        await using second = await application.start('second')
        await second.until(
          async () => (await running(second)) === PARTITIONS / 2 && (await running(first)) === PARTITIONS / 2,
          'does not get half of the tasks',
        )
        // Those that the first process keeps were suspended, at the most: none was opened again.
        assert.equal(await sumOf(first, 'weir_process_tasks_created_total'), PARTITIONS)
        await application.count(STAGES[1], second)
        await second.stop()
      }
      await first.until(async () => (await running(first)) === PARTITIONS, 'does not get every task back')
      assert.equal(await sumOf(first, 'weir_process_tasks_created_total'), PARTITIONS + PARTITIONS / 2)
      // A record changes one row, so there are no more changes than the other process was given records.
      const restored = (await sumOf(first, 'weir_restore_records_total')) - restoredAtFirst
      t.diagnostic(`restored ${restored}`)
      assert.ok(restored > 0 && restored <= STAGES[1] - STAGES[0], `restored ${restored}, ${seed}`)
      await application.count(STAGES[2], first)
      await first.stop()
      const { lost, doubled, updates } = await verifyCounts(kafka.bootstrapServers, load)
      assert.deepEqual({ lost, doubled, updates }, { lost: [], doubled: [], updates: load.records }, seed)
    })
  }

  test('state that is not asked for again is removed, here only, and restored when the task comes back all the same', async (t) => {
    const application = await setUp('removed', { WEIR_STATE_CLEANUP_DELAY_MS: '1000' })
    const { load, seed } = application
    t.diagnostic(seed)
    using _producing = application.producing
    await using first = await application.start('first')
    await first.until(async () => (await running(first)) === PARTITIONS, 'does not run every task')
    await application.count(STAGES[0], first)
    assert.equal((await application.tasksOnDisk('first')).length, PARTITIONS)
    {
      await using second = await application.start('second')
      await first.until(
        async () => (await application.tasksOnDisk('first')).length < PARTITIONS,
        'keeps the state of tasks that left',
      )
      await first.until(
        async () =>
          (await running(first)) === PARTITIONS / 2 &&
          (await application.tasksOnDisk('first')).length === PARTITIONS / 2,
        'has other state than that of its tasks',
      )
      assert.equal((await application.tasksOnDisk('second')).length, PARTITIONS / 2)
      await application.count(STAGES[1], second)
      await second.stop()
    }
    await first.until(async () => (await running(first)) === PARTITIONS, 'does not get every task back')
    await application.count(STAGES[2], first)
    await first.stop()
    const { lost, doubled, updates } = await verifyCounts(kafka.bootstrapServers, load)
    assert.deepEqual({ lost, doubled, updates }, { lost: [], doubled: [], updates: load.records }, seed)
  })
})
