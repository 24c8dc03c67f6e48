/** Static membership (WEIR_GROUP_INSTANCE_ID): a process that comes back in time has its tasks again, and the others do not notice. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, verifyCounts } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
import { WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 4

/** The tasks that a worker was given last, as its log tells. */
function tasksOf(worker: WeirProcess): string[] {
  const line = worker.output.split('\n').findLast((text) => text.includes('"message":"tasks handed out"'))
  if (line === undefined) return []
  const { threads } = JSON.parse(line) as { threads: Record<string, string[]> }
  return Object.values(threads).flat().sort()
}

async function runningTasks(worker: WeirProcess): Promise<number> {
  for (const [name, value] of await worker.metrics())
    if (name.startsWith('weir_process_tasks{') && name.includes('state="running"')) return value
  return 0
}

const rebalances = (worker: WeirProcess): number =>
  worker.output.split('\n').filter((line) => /partitions (assigned|revoked|lost)/.test(line)).length

describe('static members', () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka({
      properties: {
        'group.min.session.timeout.ms': 1_000,
        'group.consumer.min.session.timeout.ms': 30_000,
        'group.consumer.session.timeout.ms': 30_000,
        'group.consumer.min.heartbeat.interval.ms': 500,
        'group.consumer.heartbeat.interval.ms': 500,
      },
    })
  })
  after(() => kafka.stop())

  /** An application whose processes are numbered: each has a folder and an instance id of its own. */
  async function setUp(name: string, env: Readonly<Record<string, string>>) {
    const random = new Random()
    const load = new CountLoad(30_000, 2_000, random, `${name}-`)
    const { bootstrapServers } = kafka
    const scratch = makeScratchDir('static-members')
    return {
      load,
      producing: await load.start(bootstrapServers, PARTITIONS),
      seed: `seed ${random.seed}`,
      start: (number: number, folder = number) =>
        WeirProcess.start({
          module: 'test/support/topologies/count.ts',
          applicationId: name,
          bootstrapServers,
          stateDir: path.join(scratch, String(folder)),
          env: {
            COUNT_PREFIX: `${name}-`,
            WEIR_NUM_STREAM_THREADS: '1',
            WEIR_COMMIT_INTERVAL_MS: '200',
            WEIR_GROUP_INSTANCE_ID: `worker-${number}`,
            ...env,
          },
        }),
      consumed: () => waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 60_000 }),
    }
  }

  async function half(workers: readonly WeirProcess[]): Promise<void> {
    for (const worker of workers) {
      await worker.until(
        async () => (await runningTasks(worker)) === PARTITIONS / 2,
        'does not get half of the tasks',
      )
    }
  }

  for (const [protocol, end, guarantee] of [
    ['classic', 'kill9', 'at_least_once'],
    ['classic', 'stop', 'at_least_once'],
    ['classic', 'kill9', 'exactly_once_v2'],
    ['consumer', 'stop', 'at_least_once'],
  ] as const) {
    test(`one that comes back has its tasks again, and nobody else is disturbed (${protocol}, ${end}, ${guarantee})`, async (t) => {
      const application = await setUp(`${protocol}-${end}-${guarantee}`, {
        WEIR_GROUP_PROTOCOL: protocol,
        WEIR_PROCESSING_GUARANTEE: guarantee,
      })
      const { load, producing, seed } = application
      t.diagnostic(seed)
      using _producing = producing
      await using first = await application.start(1)
      await first.ready()
      await using second = await application.start(2)
      await half([first, second])
      const tasks = tasksOf(second)
      load.allow(10_000)
      await second.until(async () => (await second.recordsProcessed()) > 1_000, 'processes nothing')
      const before = rebalances(first)
      await second[end]()
      load.allow(load.records)
      await producing.done
      await using again = await application.start(2)
      await again.ready()
      await again.whileRunning(first.whileRunning(application.consumed()))
      assert.deepEqual(tasksOf(again), tasks)
      assert.equal(rebalances(first), before)
      await first.stop()
      await again.stop()
      const { lost, doubled } = await verifyCounts(kafka.bootstrapServers, load)
      assert.deepEqual(lost, [], seed)
      if (end === 'stop' || guarantee === 'exactly_once_v2') assert.deepEqual(doubled, [], seed)
    })
  }

  test('one that does not come back is missed when its session times out', async (t) => {
    const application = await setUp('missed', { WEIR_SESSION_TIMEOUT_MS: '2000' })
    const { load, producing, seed } = application
    t.diagnostic(seed)
    using _producing = producing
    await using first = await application.start(1)
    {
      await using second = await application.start(2)
      await half([first, second])
      await second.stop()
    }
    load.allow(load.records)
    await producing.done
    await first.until(
      async () => (await runningTasks(first)) === PARTITIONS,
      'does not get the tasks of the other',
    )
    await first.whileRunning(application.consumed())
    await first.stop()
    const { lost, doubled } = await verifyCounts(kafka.bootstrapServers, load)
    assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] }, seed)
  })

  test('of two processes with one instance id the older one stops (classic)', async () => {
    const application = await setUp('twice-classic', {})
    using _producing = application.producing
    await using older = await application.start(1)
    await older.ready()
    await using younger = await application.start(1, 2)
    await younger.until(() => older.hasEnded, 'does not take the place of the older one')
    const { code, stderr } = await older.exited
    assert.equal(code, 1)
    assert.match(stderr, /^weir: the group: .*fenced/im)
    await younger.until(async () => (await runningTasks(younger)) === PARTITIONS, 'does not get the tasks')
    await younger.stop()
  })

  test('the younger one stops (consumer), as after a kill until the session has timed out', async () => {
    const application = await setUp('twice-consumer', { WEIR_GROUP_PROTOCOL: 'consumer' })
    using _producing = application.producing
    await using older = await application.start(1)
    await older.ready()
    await using younger = await application.start(1, 2)
    await older.until(() => younger.hasEnded, 'does not keep the younger one out')
    const { code, stderr } = await younger.exited
    assert.equal(code, 1)
    assert.match(stderr, /^weir: the group: .*instance/im)
    await older.kill9()
    const deadlineMs = Date.now() + 120_000
    for (;;) {
      await using next = await application.start(1)
      const isThere = await Promise.race([next.ready().then(() => true), next.exited.then(() => false)])
      if (isThere) break
      assert.match(next.output, /weir: the group: .*instance/i)
      assert.ok(Date.now() < deadlineMs, 'is refused for good')
    }
  })
})
