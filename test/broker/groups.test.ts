/** What a group does to a process, and the cluster to a group: each is survived, or named. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  createTopics,
  forEachRecord,
  lagOf,
  type OutgoingRecord,
  produceAll,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { adminConfig } from '../../src/config/clients.ts'
import { configFrom } from '../../src/config/load.ts'
import { Admin } from '../../src/native.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { areRunning, CountApplication, runningTasks } from '../support/count-application.ts'
import { type CountLoad, verifyCounts } from '../support/count-load.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const counts = 'test/support/topologies/count.ts'
const misbehaving = 'test/support/topologies/misbehaving.ts'
const resets = 'test/support/topologies/resets.ts'

function start(
  kafka: KafkaService,
  applicationId: string,
  module: string,
  env: Readonly<Record<string, string>> = {},
  stateDir = makeScratchDir('groups'),
): Promise<WeirProcess> {
  return WeirProcess.start({
    module,
    applicationId,
    bootstrapServers: kafka.bootstrapServers,
    stateDir,
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '500', ...env },
  })
}

async function commitsOf(worker: WeirProcess): Promise<number> {
  let commits = 0
  for (const [name, value] of await worker.metrics()) {
    if (name.startsWith('weir_commit_seconds_count')) commits += value
  }
  return commits
}

/**
 * Keys whose highest count is below the true one: an update is lost. The last count of a key may be an old one, sent before a process stood
 * still and delivered when it went on.
 */
async function highestBelow(bootstrapServers: string, load: CountLoad): Promise<string[]> {
  const highest = new Float64Array(load.trueCounts.length)
  await forEachRecord(bootstrapServers, load.output, ({ key, value }) => {
    const index = Number(key!.toString().slice('key-'.length))
    highest[index] = Math.max(highest[index]!, Number(value!.readBigInt64BE(0)))
  })
  return [...load.trueCounts.entries()]
    .filter(([index, should]) => highest[index]! < should)
    .map(([index, should]) => `key-${index}: ${highest[index]} of ${should}`)
}

function values(topic: string, texts: readonly string[]): OutgoingRecord[] {
  return texts.map((value) => ({ topic, partition: 0, key: null, value, timestamp: 1 }))
}

async function readValues(kafka: KafkaService, topic: string): Promise<string[]> {
  return (await readToEnd(kafka.bootstrapServers, topic)).map(({ value }) => value!.toString())
}

function adminOf(kafka: KafkaService): Admin {
  return new Admin(
    adminConfig(configFrom({ applicationId: 'test', bootstrapServers: kafka.bootstrapServers })),
  )
}

/** Resolves when the broker tells of them, too: it takes the request before. */
async function addPartitions(kafka: KafkaService, topic: string, partitions: number): Promise<void> {
  const client = await import('node-rdkafka')
  const creator = client.default.AdminClient.create({ 'bootstrap.servers': kafka.bootstrapServers })
  const admin = adminOf(kafka)
  try {
    await new Promise<void>((resolve, reject) =>
      creator.createPartitions(topic, partitions, 10_000, (error) => (error ? reject(error) : resolve())),
    )
    while ((await admin.describeTopics([topic], 10_000))[0]?.partitions !== partitions) await sleep(20)
  } finally {
    creator.disconnect()
    await admin.close()
  }
}

describe('a process in its group', () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka({
      properties: {
        'group.consumer.min.session.timeout.ms': 3_000,
        // Short for who waits until a member is missed, long for those that are kept from their heartbeats by others.
        'group.consumer.session.timeout.ms': 8_000,
      },
    })
  })
  after(() => kafka.stop())

  // Each has topics of its own, and waits for most of its time. The longest come first.
  describe('while brokers are there', { concurrency: 4 }, () => {
    for (const [value, env, message] of [
      [
        'hang',
        // A thread that starts gives no sign of life yet, and on a machine with much else to do it starts slowly.
        { WEIR_THREAD_STUCK_TIMEOUT_MS: '20000' },
        /^weir: stream thread \d has stood still for \d+ ms \(WEIR_THREAD_STUCK_TIMEOUT_MS=20000\)$/m,
      ],
      ['exit', {}, /^weir: stream thread \d: worker exited with code: 0$/m],
      ['reject', {}, /^weir: stream thread \d: nobody awaits this$/m],
    ] as const) {
      test(`a thread that does what it must not, ${value}: the process ends and says so, and the other thread has committed`, async () => {
        const { bootstrapServers } = kafka
        const input = `${value}-input`
        await createTopics(bootstrapServers, { [input]: 2, [`${value}-output`]: 2 })
        await using worker = await start(kafka, value, misbehaving, {
          TOPIC_PREFIX: `${value}-`,
          WEIR_COMMIT_INTERVAL_MS: '600000',
          ...env,
        })
        await worker.ready()
        await produceAll(bootstrapServers, [
          ...Array.from({ length: 100 }, (_, n) => ({
            topic: input,
            partition: 1,
            key: null,
            value: `${n}`,
            timestamp: 1,
          })),
        ])
        await worker.until(
          async () => (await worker.recordsProcessed()) === 100,
          'does not process the good partition',
        )
        await produceAll(bootstrapServers, values(input, [value]))
        const { code, stderr } = await worker.exited
        assert.equal(code, 1)
        assert.match(stderr, message)
        assert.deepEqual(await lagOf(bootstrapServers, value, [input]), {
          committed: 100,
          remaining: 1,
        })
      })
    }

    for (const protocol of ['classic', 'consumer'] as const) {
      test(`a process that stands still loses its tasks, and goes on later, group protocol ${protocol}`, async (t) => {
        using application = await CountApplication.make(t, kafka.bootstrapServers, {
          name: `frozen-${protocol}`,
          records: 60_000,
          keys: 2_000,
          partitions: 4,
          env: {
            WEIR_GROUP_PROTOCOL: protocol,
            WEIR_NUM_STREAM_THREADS: '2',
            WEIR_COMMIT_INTERVAL_MS: '3000',
            ...(protocol === 'classic' ? { WEIR_SESSION_TIMEOUT_MS: '3000' } : {}),
          },
        })
        const { load } = application
        await using frozen = await application.start()
        await using other = await application.start('two')
        await areRunning(2, frozen, other)
        load.allow(20_000)
        await frozen.until(async () => (await frozen.recordsProcessed()) > 1_000, 'processes nothing')
        // In the middle of the load, and not of a commit: what is in librdkafka's queue then cannot be called back.
        const commits = await commitsOf(frozen)
        await frozen.until(async () => (await commitsOf(frozen)) > commits, 'does not commit')
        frozen.pause()
        load.allow(40_000)
        await other.until(
          async () => (await runningTasks(other)) === 4,
          'does not get the tasks of the one that stands still',
        )
        frozen.resume()
        await frozen.until(
          () => /partitions lost|tasks were lost/.test(frozen.output),
          'does not notice that its tasks are lost',
        )
        load.allow(load.records)
        await areRunning(2, frozen, other)
        await application.consumed(other)
        await frozen.stop()
        await other.stop()
        assert.deepEqual(await highestBelow(kafka.bootstrapServers, load), [], application.seed)
      })
    }

    for (const protocol of ['classic', 'consumer']) {
      test(`a source topic that gets more partitions is followed where no internal topic would have to grow, group protocol ${protocol}`, async () => {
        const { bootstrapServers } = kafka
        const name = `grows-${protocol}`
        const [input, output] = [`${name}-input`, `${name}-output`]
        await createTopics(bootstrapServers, { [input]: 2, [output]: 1 })
        const env = {
          TOPIC_PREFIX: `${name}-`,
          WEIR_GROUP_PROTOCOL: protocol,
          WEIR_CONSUMER_TOPIC_METADATA_REFRESH_INTERVAL_MS: '1000',
        }
        await using first = await start(kafka, name, misbehaving, env)
        await using second = await start(kafka, name, misbehaving, env)
        const running = async (): Promise<number> =>
          (await runningTasks(first)) + (await runningTasks(second))
        await first.until(async () => (await running()) === 2, 'does not get its task')
        await addPartitions(kafka, input, 5)
        const texts = Array.from({ length: 50 }, (_, index) => `${index}`)
        await produceAll(
          bootstrapServers,
          texts.map((value, index) => ({
            topic: input,
            partition: index % 5,
            key: null,
            value,
            timestamp: 1,
          })),
        )
        await first.until(async () => (await running()) === 5, 'does not get tasks of the new partitions')
        await first.whileRunning(
          second.whileRunning(waitUntilConsumed(bootstrapServers, name, [input], { timeoutMs: 60_000 })),
        )
        await first.stop()
        await second.stop()
        const values = await readValues(kafka, output)
        // Under the classic protocol each member hears of it by itself, so one rebalance may follow on another: what was not committed by then is processed again.
        assert.deepEqual((protocol === 'classic' ? [...new Set(values)] : values).sort(), texts.sort())
      })
    }

    test('a source topic that gets more partitions than a changelog has stops the application', async () => {
      await createTopics(kafka.bootstrapServers, { 'outgrown-input': 2, 'outgrown-counts': 2 })
      await using worker = await start(kafka, 'outgrown', counts, {
        COUNT_PREFIX: 'outgrown-',
        WEIR_CONSUMER_TOPIC_METADATA_REFRESH_INTERVAL_MS: '1000',
      })
      await worker.ready()
      await addPartitions(kafka, 'outgrown-input', 3)
      const { code, stderr } = await worker.exited
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^weir: internal topic outgrown-counts-changelog has 2 partitions, but needs 3, its store has as many tasks: .*; reset the application/m,
      )
    })

    test('latest: from the end at the first start, from there also after a restart', async () => {
      const { bootstrapServers } = kafka
      await createTopics(bootstrapServers, { 'latest-input': 1, 'latest-output': 1 })
      await produceAll(bootstrapServers, values('latest-input', ['before']))
      const settings = { RESET: 'latest', TOPIC_PREFIX: 'latest-', WEIR_SESSION_TIMEOUT_MS: '6000' }
      const stateDir = makeScratchDir('groups')
      {
        await using worker = await start(kafka, 'latest', resets, settings, stateDir)
        await worker.ready()
        await worker.kill9()
      }
      // Nothing was processed by then, but the group began before this.
      await produceAll(bootstrapServers, values('latest-input', ['between']))
      await using worker = await start(kafka, 'latest', resets, settings, stateDir)
      await worker.ready()
      await produceAll(bootstrapServers, values('latest-input', ['after']))
      await worker.whileRunning(
        waitUntilConsumed(bootstrapServers, 'latest', ['latest-input'], { timeoutMs: 60_000 }),
      )
      await worker.stop()
      assert.deepEqual(await readValues(kafka, 'latest-output'), ['between', 'after'])
    })

    test('none: a group without an offset does not start, and says which partition', async () => {
      await createTopics(kafka.bootstrapServers, { 'none-input': 1, 'none-output': 1 })
      const { code, stderr } = await runWeir(['run', resets], {
        WEIR_APPLICATION_ID: 'none',
        WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
        WEIR_STATE_DIR: makeScratchDir('groups'),
        WEIR_HTTP_PORT: '-1',
        RESET: 'none',
        TOPIC_PREFIX: 'none-',
      })
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^weir: none-input partition 0: the group has no committed offset, and the offset reset is none$/m,
      )
    })

    test('records deleted below the committed offset: the rest is read, with a line', async () => {
      const { bootstrapServers } = kafka
      await createTopics(bootstrapServers, { 'deleted-input': 1, 'deleted-output': 1 })
      await produceAll(bootstrapServers, values('deleted-input', ['a']))
      const settings = { RESET: 'earliest', TOPIC_PREFIX: 'deleted-' }
      const stateDir = makeScratchDir('groups')
      {
        await using worker = await start(kafka, 'deleted', resets, settings, stateDir)
        await worker.ready()
        await worker.whileRunning(
          waitUntilConsumed(bootstrapServers, 'deleted', ['deleted-input'], { timeoutMs: 60_000 }),
        )
        await worker.stop()
      }
      await produceAll(bootstrapServers, values('deleted-input', ['b', 'c', 'd']))
      const admin = adminOf(kafka)
      await admin.deleteRecords([{ topic: 'deleted-input', partition: 0, offset: 3 }], 10_000)
      await admin.close()
      await using worker = await start(kafka, 'deleted', resets, settings, stateDir)
      await worker.ready()
      await worker.whileRunning(
        waitUntilConsumed(bootstrapServers, 'deleted', ['deleted-input'], { timeoutMs: 60_000 }),
      )
      await worker.stop()
      assert.deepEqual(await readValues(kafka, 'deleted-output'), ['a', 'd'])
      assert.match(
        worker.output,
        /"topic":"deleted-input","partition":0,"offset":3,"message":"the committed offset was deleted/,
      )
    })

    test('internal topics have the settings of the contract, and a changelog with another partition count is refused', async () => {
      const { bootstrapServers } = kafka
      await createTopics(bootstrapServers, { 'internal-input': 3, 'internal-counts': 3 })
      {
        await using worker = await start(kafka, 'internal', counts, { COUNT_PREFIX: 'internal-' })
        await worker.ready()
        await worker.stop()
      }
      const admin = adminOf(kafka)
      const changelog = 'internal-counts-changelog'
      const [description] = await admin.describeTopics([changelog], 10_000)
      assert.equal(description?.partitions, 3)
      const settings = await admin.topicConfigs(changelog, 10_000)
      assert.deepEqual(
        [settings['cleanup.policy'], settings['message.timestamp.type']],
        ['compact', 'CreateTime'],
      )
      await admin.close()
    })
  })

  // After all others: it takes the broker away.
  test('a broker that is restarted, and one that is killed, lose nothing', async (t) => {
    using application = await CountApplication.make(t, kafka.bootstrapServers, {
      name: 'restarts',
      records: 60_000,
      keys: 2_000,
      partitions: 4,
      env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '500' },
    })
    const { load } = application
    await using worker = await application.start()
    await worker.ready()
    load.allow(20_000)
    await worker.until(async () => (await worker.recordsProcessed()) > 5_000, 'processes nothing')
    await kafka.restart()
    load.allow(40_000)
    await worker.until(async () => (await worker.recordsProcessed()) > 25_000, 'does not go on')
    await kafka.kill9()
    await kafka.restart()
    await application.consumed(worker)
    await worker.stop()
    const { lost, surplus } = await verifyCounts(kafka.bootstrapServers, load)
    t.diagnostic(`${surplus} counted twice`)
    assert.deepEqual(lost, [], application.seed)
  })
})
