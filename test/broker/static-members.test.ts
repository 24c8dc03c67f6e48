/** Static membership (WEIR_GROUP_INSTANCE_ID): a process that comes back in time has its tasks again, and the others do not notice. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'

import { type KafkaService, startKafka } from '../services/kafka.ts'
import { runKafkaTool } from '../services/kafka-tools.ts'
import { areRunning, CountApplication, runningTasks } from '../support/count-application.ts'
import { verifyCounts } from '../support/count-load.ts'
import type { WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 4

/** The tasks that a worker was given last, as its log tells. */
function tasksOf(worker: WeirProcess): string[] {
  const line = worker.output.split('\n').findLast((text) => text.includes('"message":"tasks handed out"'))
  if (line === undefined) return []
  const { threads } = JSON.parse(line) as { threads: Record<string, string[]> }
  return Object.values(threads).flat().sort()
}

const rebalances = (worker: WeirProcess): number =>
  worker.output.split('\n').filter((line) => /partitions (assigned|revoked|lost)/.test(line)).length

// Each has an application of its own, and waits for most of its time.
describe('static members', { concurrency: 3 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka({
      properties: {
        'group.consumer.min.session.timeout.ms': 3_000,
        // Long enough to come back on a machine with much else to do.
        'group.consumer.session.timeout.ms': 30_000,
      },
    })
  })
  after(() => kafka.stop())

  const make = (
    test: TestContext,
    name: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<CountApplication> =>
    CountApplication.make(test, kafka.bootstrapServers, {
      name,
      records: 30_000,
      keys: 2_000,
      partitions: PARTITIONS,
      env: { WEIR_NUM_STREAM_THREADS: '1', WEIR_COMMIT_INTERVAL_MS: '200', ...env },
    })

  /** @param number of the member: its instance id, and its folder unless it is said */
  const start = (application: CountApplication, number: number, folder = number): Promise<WeirProcess> =>
    application.start(String(folder), { WEIR_GROUP_INSTANCE_ID: `worker-${number}` })

  for (const [protocol, end, guarantee] of [
    ['classic', 'kill9', 'at_least_once'],
    ['classic', 'stop', 'at_least_once'],
    ['classic', 'kill9', 'exactly_once_v2'],
    ['consumer', 'stop', 'at_least_once'],
  ] as const) {
    test(`one that comes back has its tasks again, and nobody else is disturbed (${protocol}, ${end}, ${guarantee})`, async (t) => {
      using application = await make(t, `${protocol}-${end}-${guarantee}`, {
        WEIR_GROUP_PROTOCOL: protocol,
        WEIR_PROCESSING_GUARANTEE: guarantee,
      })
      const { load, seed } = application
      await using first = await start(application, 1)
      await first.ready()
      await using second = await start(application, 2)
      await areRunning(PARTITIONS / 2, first, second)
      const tasks = tasksOf(second)
      load.allow(10_000)
      await second.until(async () => (await second.recordsProcessed()) > 1_000, 'processes nothing')
      const before = rebalances(first)
      await second[end]()
      load.allow(load.records)
      await using again = await start(application, 2)
      await again.ready()
      await application.consumed(first, again)
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
    using application = await make(t, 'missed', { WEIR_SESSION_TIMEOUT_MS: '3000' })
    const { load, seed } = application
    await using first = await start(application, 1)
    {
      await using second = await start(application, 2)
      await areRunning(PARTITIONS / 2, first, second)
      await second.stop()
    }
    load.allow(load.records)
    await first.until(
      async () => (await runningTasks(first)) === PARTITIONS,
      'does not get the tasks of the other',
    )
    await application.consumed(first)
    await first.stop()
    const { lost, doubled } = await verifyCounts(kafka.bootstrapServers, load)
    assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] }, seed)
  })

  test('of two processes with one instance id the older one stops (classic)', async (t) => {
    using application = await make(t, 'twice-classic')
    await using older = await start(application, 1)
    await older.ready()
    await using younger = await start(application, 1, 2)
    await younger.until(() => older.hasEnded, 'does not take the place of the older one')
    const { code, stderr } = await older.exited
    assert.equal(code, 1)
    assert.match(stderr, /^weir: the group: .*fenced/im)
    await younger.until(async () => (await runningTasks(younger)) === PARTITIONS, 'does not get the tasks')
    await younger.stop()
  })

  test('the younger one stops (consumer), as after a kill until the session has timed out', async (t) => {
    const name = 'twice-consumer'
    using application = await make(t, name, { WEIR_GROUP_PROTOCOL: 'consumer' })
    await runKafkaTool('kafka.admin.ConfigCommand', [
      ...['--bootstrap-server', kafka.bootstrapServers, '--alter', '--entity-type', 'groups'],
      ...['--entity-name', name, '--add-config', 'consumer.session.timeout.ms=6000'],
    ])
    await using older = await start(application, 1)
    await older.ready()
    await using younger = await start(application, 1, 2)
    await older.until(() => younger.hasEnded, 'does not keep the younger one out')
    const { code, stderr } = await younger.exited
    assert.equal(code, 1)
    assert.match(stderr, /^weir: the group: .*instance/im)
    await older.kill9()
    const deadlineMs = Date.now() + 120_000
    for (;;) {
      await using next = await start(application, 1)
      const isThere = await Promise.race([next.ready().then(() => true), next.exited.then(() => false)])
      if (isThere) break
      assert.match(next.output, /weir: the group: .*instance/i)
      assert.ok(Date.now() < deadlineMs, 'is refused for good')
    }
  })
})
