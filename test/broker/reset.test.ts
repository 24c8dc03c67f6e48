/** `weir reset`: what it plans is what it does, to the application's own offsets, topics and state, and to nothing else. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  lagOf,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { Admin } from '../../src/native.ts'
import { StateDirectory } from '../../src/runtime/state-directory.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { type ExitResult, runWeir, WeirProcess } from '../support/weir-process.ts'

const topology = 'test/support/topologies/rekeyed-count.ts'
const TIMEOUT_MS = 30_000

interface Plan {
  readonly groupState: string
  readonly offsets: readonly { topic: string; partition: number; committed: number | null; target: number }[]
  readonly missingTopics: readonly string[]
  readonly deletedTopics: readonly string[]
  readonly leftAloneTopics: readonly string[]
  readonly localState: { path: string; exists: boolean; isDeleted: boolean }
  readonly isExecuted: boolean
}

/** An application with its topics, counting the values of its input. */
class CountingApplication {
  readonly #kafka: KafkaService
  readonly id: string
  readonly #prefix: string
  readonly stateDir: string
  readonly #env: Readonly<Record<string, string>>

  constructor(kafka: KafkaService, id: string, stateDir: string, env: Readonly<Record<string, string>> = {}) {
    this.#kafka = kafka
    this.id = id
    this.#prefix = `${id}.`
    this.stateDir = stateDir
    this.#env = { COUNT_PREFIX: this.#prefix, ...env }
  }

  get input(): string {
    return `${this.#prefix}input`
  }

  async createTopics(): Promise<void> {
    await createTopics(this.#kafka.bootstrapServers, { [this.input]: 2, [`${this.#prefix}counts`]: 2 })
  }

  async produce(values: readonly string[]): Promise<void> {
    await produceAll(
      this.#kafka.bootstrapServers,
      values.map((value, index) => ({
        topic: this.input,
        partition: index % 2,
        key: null,
        value,
        timestamp: 1_000 * (index + 1),
      })),
    )
  }

  start(): Promise<WeirProcess> {
    return WeirProcess.start({
      module: topology,
      applicationId: this.id,
      bootstrapServers: this.#kafka.bootstrapServers,
      stateDir: this.stateDir,
      env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '100', ...this.#env },
    })
  }

  /** Until everything is processed. */
  async run(): Promise<void> {
    const topics = [this.input, `${this.id}-by-value-repartition`]
    await using worker = await this.start()
    await worker.ready()
    for (const topic of topics)
      await worker.whileRunning(
        waitUntilConsumed(this.#kafka.bootstrapServers, this.id, [topic], { timeoutMs: 60_000 }),
      )
    await worker.stop()
  }

  reset(args: readonly string[], module: string | null = topology): Promise<ExitResult> {
    return runWeir(['reset', ...(module === null ? [] : [module]), ...args], {
      WEIR_APPLICATION_ID: this.id,
      WEIR_BOOTSTRAP_SERVERS: this.#kafka.bootstrapServers,
      WEIR_STATE_DIR: this.stateDir,
      ...this.#env,
    })
  }

  async plan(args: readonly string[], module: string | null = topology): Promise<Plan> {
    const { code, stdout, stderr } = await this.reset(['--json', ...args], module)
    assert.deepEqual([code, stderr], [0, ''])
    return JSON.parse(stdout) as Plan
  }

  /** What was written for each value, in order. */
  async counts(): Promise<Record<string, number[]>> {
    const records = await readToEnd(this.#kafka.bootstrapServers, `${this.#prefix}counts`)
    const byKey = Map.groupBy(records, ({ key }) => key!.toString())
    return Object.fromEntries(
      [...byKey].map(([key, counts]) => [key, counts.map(({ value }) => Number(value!.readBigInt64BE(0)))]),
    )
  }

  async committed(): Promise<number> {
    return (await lagOf(this.#kafka.bootstrapServers, this.id, [this.input])).committed
  }
}

describe('weir reset', () => {
  let kafka: KafkaService
  let admin: Admin
  before(async () => {
    kafka = await startKafka({ properties: { 'group.min.session.timeout.ms': 1_000 } })
    admin = new Admin({ 'bootstrap.servers': kafka.bootstrapServers })
  })
  after(async () => {
    await admin.close()
    await kafka.stop()
  })

  const topicNames = async (): Promise<string[]> =>
    (await admin.listTopics(TIMEOUT_MS)).map(({ name }) => name).sort()

  for (const [protocol, guarantee] of [
    ['classic', 'at_least_once'],
    ['consumer', 'exactly_once_v2'],
  ] as const) {
    test(`an application begins anew, and its neighbour goes on (${protocol}, ${guarantee})`, async () => {
      const stateDir = makeScratchDir('reset')
      const env = { WEIR_GROUP_PROTOCOL: protocol, WEIR_PROCESSING_GUARANTEE: guarantee }
      const id = `shop-${protocol}-${guarantee}`
      const shop = new CountingApplication(kafka, id, stateDir, env)
      // Every name of its internal topics begins with the other's prefix.
      const neighbour = new CountingApplication(kafka, `${id}-2`, stateDir, env)
      const values = ['a', 'b', 'a', 'c', 'a', 'b']
      for (const application of [shop, neighbour]) {
        await application.createTopics()
        await application.produce(values)
        await application.run()
      }
      const once = { a: [1, 2, 3], b: [1, 2], c: [1] }
      assert.deepEqual(await shop.counts(), once)
      const topicsBefore = await topicNames()

      const own = [`${id}-by-value-repartition`, `${id}-counts-changelog`]
      const others = [`${id}-2-by-value-repartition`, `${id}-2-counts-changelog`]
      const looked = await shop.reset(['--local-state'])
      assert.deepEqual([looked.code, looked.stderr], [0, ''])
      assert.match(looked.stdout, /Nothing was changed; --execute does it\.\n$/)
      for (const name of own) assert.match(looked.stdout, new RegExp(`^ {2}${name}$`, 'm'))
      assert.deepEqual(await topicNames(), topicsBefore)
      assert.equal(await shop.committed(), values.length)

      const { offsets, ...plan } = await shop.plan(['--local-state', '--execute'])
      assert.deepEqual(plan, {
        applicationId: id,
        groupState: 'Empty',
        missingTopics: [],
        deletedTopics: own,
        leftAloneTopics: others,
        emptiedTables: [],
        localState: { path: path.join(stateDir, id), exists: true, isDeleted: true },
        isExecuted: true,
      })
      assert.deepEqual(
        offsets.map(({ topic, partition, committed, target }) => [topic, partition, committed, target]),
        [
          [shop.input, 0, 3, 0],
          [shop.input, 1, 3, 0],
        ],
      )
      assert.deepEqual(
        await topicNames(),
        topicsBefore.filter((name) => !own.includes(name)),
      )
      assert.deepEqual(await readdir(path.join(stateDir, id)), ['weir.json'])
      assert.ok((await readdir(path.join(stateDir, `${id}-2`))).includes('1_0'))
      assert.equal(await neighbour.committed(), values.length)

      await shop.run()
      assert.deepEqual(await shop.counts(), { a: [1, 2, 3, 1, 2, 3], b: [1, 2, 1, 2], c: [1, 1] })
      await neighbour.produce(['a', 'c'])
      await neighbour.run()
      assert.deepEqual(await neighbour.counts(), { a: [1, 2, 3, 4], b: [1, 2], c: [1, 2] })
    })
  }

  test('refused while the group has members, and while a process has the folder; nothing is changed', async () => {
    const shop = new CountingApplication(kafka, 'busy', makeScratchDir('reset'), {
      WEIR_GROUP_INSTANCE_ID: 'till-1',
      WEIR_SESSION_TIMEOUT_MS: '2000',
    })
    await shop.createTopics()
    await shop.produce(['a', 'b'])
    const isUnchanged = async (): Promise<void> => {
      assert.equal(await shop.committed(), 2)
      const topics = await topicNames()
      for (const name of ['busy-by-value-repartition', 'busy-counts-changelog'])
        assert.ok(topics.includes(name))
    }
    {
      await using worker = await shop.start()
      await worker.ready()
      await worker.whileRunning(
        waitUntilConsumed(kafka.bootstrapServers, shop.id, [shop.input], { timeoutMs: 60_000 }),
      )
      const { code, stdout, stderr } = await shop.reset(['--execute', '--local-state'])
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(
        stderr,
        /^weir: group busy has an active member: \S+ \(client busy-consumer, instance till-1, host 127\.0\.0\.1\)\. Stop every process/,
      )
      await isUnchanged()
      await worker.stop()
    }
    // A static member does not leave.
    const left = async (): Promise<boolean> =>
      (await admin.describeGroup(shop.id, TIMEOUT_MS)).members.length === 0
    const deadlineMs = Date.now() + 60_000
    while (!(await left())) {
      assert.ok(Date.now() < deadlineMs, 'the static member stays')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const directory = await StateDirectory.open(shop.stateDir, shop.id)
    const { code, stderr } = await shop.reset(['--execute', '--local-state'])
    await directory.close()
    assert.equal(code, 1)
    assert.match(stderr, /^weir: process \d+ on \S+ uses this state folder/)
    await isUnchanged()
    assert.equal((await shop.plan(['--execute'])).isExecuted, true)
    assert.equal(await shop.committed(), 0)
  })

  test('without a topology: offsets of what the group has read, and only the internal topics that are named', async () => {
    const shop = new CountingApplication(kafka, 'bare', makeScratchDir('reset'))
    await shop.createTopics()
    await shop.produce(['a', 'b', 'a', 'b'])
    await shop.run()
    const internal = ['bare-by-value-repartition', 'bare-counts-changelog']
    const plan = await shop.plan([], null)
    assert.deepEqual([plan.deletedTopics, plan.leftAloneTopics, plan.isExecuted], [[], internal, false])
    assert.deepEqual(
      plan.offsets.map(({ topic, target }) => [topic, target]),
      [
        [shop.input, 0],
        [shop.input, 0],
      ],
    )
    const wrong = await shop.reset(['--internal-topics', shop.input, '--execute'], null)
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /^weir: --internal-topics bare\.input: no internal topic of bare: /)
    const done = await shop.plan(['--internal-topics', internal.join(','), '--execute'], null)
    assert.deepEqual([done.deletedTopics, done.leftAloneTopics], [internal, []])
    // Their offsets went with them: nothing else is left of the group than the source topic's.
    const offsets = await admin.groupOffsets(shop.id, TIMEOUT_MS)
    assert.deepEqual(offsets.map(({ topic, partition, offset }) => [topic, partition, offset]).sort(), [
      [shop.input, 0, 0],
      [shop.input, 1, 0],
    ])
  })

  test('offsets are set where they are to be, within what the topic holds', async () => {
    const shop = new CountingApplication(kafka, 'targets', makeScratchDir('reset'))
    await shop.createTopics()
    // Partition 0 has the odd seconds from 1 to 9, partition 1 the even ones from 2 to 10.
    await shop.produce(Array.from({ length: 10 }, (_, index) => `${index}`))
    await admin.deleteRecords([{ topic: shop.input, partition: 0, offset: 1 }], TIMEOUT_MS)
    await admin.alterGroupOffsets(shop.id, [{ topic: shop.input, partition: 1, offset: 3 }], TIMEOUT_MS)
    const targets = async (args: readonly string[]): Promise<(number | null)[]> =>
      (await shop.plan(['--execute', ...args])).offsets.map(({ target }) => target)
    assert.deepEqual(await targets(['--shift-by', '-2']), [null, 1])
    assert.deepEqual(await targets(['--to-latest']), [5, 5])
    assert.deepEqual(await targets(['--shift-by', '-2']), [3, 3])
    assert.deepEqual(await targets(['--to-offset', '2']), [2, 2])
    assert.deepEqual(await targets(['--to-offset', '0']), [1, 0])
    assert.deepEqual(await targets(['--to-datetime', '1970-01-01T00:00:06']), [3, 2])
    assert.deepEqual(await targets(['--to-datetime', '1970-01-01T01:00:09.500+01:00']), [5, 4])
    assert.deepEqual(await targets(['--by-duration', 'P1D']), [5, 5])
    assert.deepEqual(await targets([]), [1, 0])
    assert.deepEqual(
      (await admin.groupOffsets(shop.id, TIMEOUT_MS))
        .map(({ partition, offset }) => [partition, offset])
        .sort(),
      [
        [0, 1],
        [1, 0],
      ],
    )
  })
})
