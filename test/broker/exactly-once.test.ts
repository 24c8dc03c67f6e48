/**
 * Exactly-once over what interrupts a transaction: members that join, leave, stand still and come back, time-outs, brokers that are away, slow
 * records. Who reads committed records sees every update of every key once, in order. Kills: kill.test.ts.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, forEachRecord, produceAll, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import {
  areRunning,
  CountApplication,
  type CountApplicationOptions,
  sumOf,
} from '../support/count-application.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const properties = {
  'group.min.session.timeout.ms': 1_000,
  'group.consumer.min.session.timeout.ms': 3_000,
  'group.consumer.session.timeout.ms': 3_000,
  'group.consumer.min.heartbeat.interval.ms': 500,
  'group.consumer.heartbeat.interval.ms': 500,
  // How often the coordinator looks for transactions that have timed out; ten seconds otherwise.
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 200,
}

const environment = {
  WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
  WEIR_NUM_STREAM_THREADS: '2',
  WEIR_COMMIT_INTERVAL_MS: '200',
  WEIR_TRANSACTION_TIMEOUT_MS: '5000',
  WEIR_SESSION_TIMEOUT_MS: '6000',
}

const aborted = /a transaction is aborted: its tasks begin again/

describe('exactly once', () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka({ properties })
  })
  after(() => kafka.stop())

  const make = (test: TestContext, options: CountApplicationOptions): Promise<CountApplication> =>
    CountApplication.make(test, kafka.bootstrapServers, {
      ...options,
      env: { ...environment, ...options.env },
    })

  // Each has an application of its own, and waits for most of its time.
  describe('where a transaction is interrupted', { concurrency: 3 }, () => {
    for (const protocol of ['classic', 'consumer'] as const) {
      test(`members join, stand still for longer than their session, come back and leave: ${protocol}`, async (t) => {
        using application = await make(t, {
          name: `members-${protocol}`,
          records: 80_000,
          keys: 2_000,
          partitions: 4,
          env: {
            WEIR_GROUP_PROTOCOL: protocol,
            WEIR_COMMIT_INTERVAL_MS: '1000',
            // The one time the pause is longer than the transaction, the other time it has to be aborted because its tasks are lost.
            WEIR_TRANSACTION_TIMEOUT_MS: protocol === 'classic' ? '60000' : '3000',
            ...(protocol === 'classic' ? { WEIR_SESSION_TIMEOUT_MS: '3000' } : {}),
          },
        })
        await using one = await application.start()
        await one.ready()
        {
          using _ = application.drip()
          await one.until(async () => (await one.recordsProcessed()) > 1_000, 'processes nothing')
          await using two = await application.start('two')
          await areRunning(2, one, two)
          await sleep(1_500)
          one.pause()
          // To restore them it may have to wait for the transaction of the one before.
          const hasAll = async (): Promise<boolean> => (await sumOf(two, 'weir_process_tasks{')) === 4
          await two.until(hasAll, 'does not get the tasks of the one that stands still', 120_000)
          one.resume()
          await areRunning(2, one, two)
          await sleep(1_500)
          await two.stop()
        }
        await application.consumed(one)
        await one.stop()
        await application.assertExact()
      })
    }

    test('a transaction that the broker has timed out: its tasks begin again on what is on disk', async (t) => {
      const name = 'timed-out'
      using application = await make(t, {
        name,
        records: 100_000,
        keys: 20_000,
        partitions: 2,
        env: {
          WEIR_TRANSACTION_TIMEOUT_MS: '2000',
          // Outlasts the pause: nobody takes the tasks.
          WEIR_SESSION_TIMEOUT_MS: '30000',
          // Committed rows wait in memory for no more than these.
          WEIR_FLUSH_EVERY_RECORDS: '1000',
        },
      })
      const { load } = application
      await using worker = await application.start()
      await worker.ready()
      load.allow(50_000)
      await worker.until(async () => (await worker.recordsProcessed()) > 40_000, 'has not processed 40,000')
      const restored = (): Promise<number> => sumOf(worker, 'weir_restore_records_total')
      const [told, before] = [worker.output.length, await restored()]
      let pauses = 0
      while (!aborted.test(worker.output.slice(told))) {
        assert.ok(++pauses <= 20, 'no pause fell into a transaction')
        load.allow(50_000 + 2_000 * pauses)
        await worker.until(
          async () => (await worker.recordsProcessed()) > 49_000 + 2_000 * (pauses - 1),
          'processes no more',
        )
        worker.pause()
        await sleep(4_000)
        worker.resume()
        await sleep(500)
      }
      await application.consumed(worker)
      const since = (await restored()) - before
      t.diagnostic(`${pauses} pauses, ${since} changelog records restored`)
      assert.equal(await sumOf(worker, 'weir_restore_resets_total'), 0)
      // The changelogs have 40,000 records and more: what is on disk was used.
      assert.ok(since < 4_000, `${since} records restored`)
      const tasks = ['0_0', '0_1'].map((task) => join(application.stateDir(), name, task))
      assert.ok(tasks.every((folder) => existsSync(folder)))
      await worker.stop()
      await application.assertExact()
    })

    test('a record of ten seconds is within a transaction of thirty, and the group waits for it', async () => {
      const slow = await SlowApplication.make(kafka.bootstrapServers, 'slow', {
        WEIR_TRANSACTION_TIMEOUT_MS: '30000',
        WEIR_SESSION_TIMEOUT_MS: '3000',
        WEIR_MAX_POLL_INTERVAL_MS: '40000',
      })
      await using one = await slow.start()
      await one.ready()
      await slow.send([0, 'a'], [1, 'a'], [0, 'wait 10000'], [1, 'wait 10000'], [0, 'b'])
      // It joins while the first stands in one of them.
      await sleep(2_000)
      await using two = await slow.start('two')
      await areRunning(1, one, two)
      await slow.consumed(one)
      for (const { output } of [one, two]) assert.doesNotMatch(output, /partitions lost|is aborted/)
      await one.stop()
      await two.stop()
      assert.deepEqual(await slow.counts(), { k0: [1, 2, 3], k1: [1, 2] })
    })

    test('a record that takes longer than its transaction may is processed all the same', async (t) => {
      const slow = await SlowApplication.make(kafka.bootstrapServers, 'slower', {
        WEIR_TRANSACTION_TIMEOUT_MS: '1000',
        WEIR_COMMIT_INTERVAL_MS: '900',
      })
      await using worker = await slow.start()
      await worker.ready()
      const abortsOf = (): number => worker.output.match(new RegExp(aborted, 'g'))?.length ?? 0
      let rounds = 0
      while (rounds < 3 || abortsOf() === 0) {
        assert.ok(++rounds <= 20, 'no slow record fell into a transaction')
        // The other task's output is in the transaction when the slow record begins, unless that was committed meanwhile.
        const before = await worker.recordsProcessed()
        await slow.send([0, 'a'])
        await worker.until(
          async () => (await worker.recordsProcessed()) > before,
          'processes nothing',
          60_000,
          5,
        )
        await slow.send([1, 'a'], [1, 'wait 3000'], [0, 'b'])
        await slow.consumed(worker)
      }
      await worker.stop()
      const aborts = abortsOf()
      t.diagnostic(`${aborts} aborts for ${rounds} slow records`)
      assert.ok(aborts <= rounds, `${aborts} transactions were aborted for ${rounds} slow records`)
      const all = Array.from({ length: 2 * rounds }, (_, index) => index + 1)
      assert.deepEqual(await slow.counts(), { k0: all, k1: all })
    })

    test('of two processes with copies of one state folder one ends and says why, the other goes on', async (t) => {
      const name = 'copied'
      using application = await make(t, {
        name,
        records: 40_000,
        keys: 2_000,
        partitions: 4,
        env: {
          // They fence each other in turn: with two producers each, both could be the one that was fenced too often.
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '50',
          WEIR_TRANSACTION_TIMEOUT_MS: '10000',
        },
      })
      const { load } = application
      await using one = await application.start()
      await one.ready()
      mkdirSync(join(application.stateDir('two'), name), { recursive: true })
      const [own, copy] = ['one', 'two'].map((process) =>
        join(application.stateDir(process), name, 'weir.json'),
      )
      cpSync(own!, copy!)
      load.allow(10_000)
      await using two = await application.start('two')
      // Both have something to commit, again and again.
      for (let allowed = 10_000; !one.hasEnded && !two.hasEnded && allowed < load.records; allowed += 500) {
        load.allow(allowed)
        await sleep(500)
      }
      assert.ok(one.hasEnded || two.hasEnded, 'both go on')
      const [ended, other] = one.hasEnded ? [one, two] : [two, one]
      const { code, stderr } = await ended.exited
      assert.equal(code, 1)
      assert.match(stderr, /^weir: another process has the same transactional.id.*WEIR_STATE_DIR.*$/m)
      await application.consumed(other)
      await other.stop()
      await application.assertExact()
    })

    test('a time-out that the brokers do not allow is refused in one line', async () => {
      const name = 'refused'
      await createTopics(kafka.bootstrapServers, { [`${name}-input`]: 1, [`${name}-counts`]: 1 })
      const { code, stderr } = await runWeir(['run', 'test/support/topologies/count.ts'], {
        COUNT_PREFIX: `${name}-`,
        WEIR_APPLICATION_ID: name,
        WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
        WEIR_STATE_DIR: makeScratchDir(name),
        WEIR_HTTP_PORT: '-1',
        WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
        WEIR_TRANSACTION_TIMEOUT_MS: '3600000',
        WEIR_MAX_POLL_INTERVAL_MS: '3600000',
      })
      assert.equal(code, 2)
      assert.match(
        stderr,
        /^weir: WEIR_TRANSACTION_TIMEOUT_MS=3600000: at most what the brokers allow \(their transaction.max.timeout.ms\)$/m,
      )
    })
  })

  // After all others: it takes the broker away.
  test('a broker that is away for as long as several commits would be waited for loses and doubles nothing', async (t) => {
    using application = await make(t, {
      name: 'away',
      records: 60_000,
      keys: 2_000,
      partitions: 2,
      env: {
        WEIR_COMMIT_INTERVAL_MS: '0',
        WEIR_TRANSACTION_TIMEOUT_MS: '60000',
        WEIR_SESSION_TIMEOUT_MS: '30000',
      },
    })
    await using worker = await application.start()
    await worker.ready()
    application.load.allow(20_000)
    await worker.until(async () => (await worker.recordsProcessed()) > 2_000, 'processes nothing')
    await kafka.kill9()
    await sleep(13_000)
    assert.equal(worker.hasEnded, false, worker.output)
    await kafka.restart()
    await application.consumed(worker)
    await worker.stop()
    await application.assertExact()
  })
})

/** An application of slow-count.ts with two partitions, of one thread for each process. */
class SlowApplication {
  readonly #bootstrapServers: string
  readonly #name: string
  readonly #env: Readonly<Record<string, string>>
  readonly #folder: string

  private constructor(bootstrapServers: string, name: string, env: Readonly<Record<string, string>>) {
    this.#bootstrapServers = bootstrapServers
    this.#name = name
    this.#env = env
    this.#folder = makeScratchDir(name)
  }

  static async make(
    bootstrapServers: string,
    name: string,
    env: Readonly<Record<string, string>>,
  ): Promise<SlowApplication> {
    await createTopics(bootstrapServers, { [`${name}-input`]: 2, [`${name}-counts`]: 2 })
    return new SlowApplication(bootstrapServers, name, env)
  }

  start(process = 'one'): Promise<WeirProcess> {
    return WeirProcess.start({
      module: 'test/support/topologies/slow-count.ts',
      applicationId: this.#name,
      bootstrapServers: this.#bootstrapServers,
      stateDir: join(this.#folder, process),
      env: { COUNT_PREFIX: `${this.#name}-`, ...environment, WEIR_NUM_STREAM_THREADS: '1', ...this.#env },
    })
  }

  /** Those of partition n have the key `k<n>`. */
  async send(...records: readonly (readonly [partition: number, value: string])[]): Promise<void> {
    const topic = `${this.#name}-input`
    await produceAll(
      this.#bootstrapServers,
      records.map(([partition, value]) => ({ topic, partition, key: `k${partition}`, value, timestamp: 1 })),
    )
  }

  async consumed(worker: WeirProcess): Promise<void> {
    const consumed = waitUntilConsumed(this.#bootstrapServers, this.#name, [`${this.#name}-input`], {
      timeoutMs: 120_000,
    })
    await worker.whileRunning(consumed)
  }

  /** The counts told of each key, in order. */
  async counts(): Promise<Record<string, number[]>> {
    const counts: Record<string, number[]> = {}
    await forEachRecord(this.#bootstrapServers, `${this.#name}-counts`, ({ key, value }) => {
      const name = key!.toString()
      counts[name] = [...(counts[name] ?? []), Number(value!.readBigInt64BE(0))]
    })
    return counts
  }
}
