/**
 * Exactly-once over what interrupts a transaction: members that join, leave, stand still and come back, time-outs, brokers that are away, slow
 * records. Who reads committed records sees every update of every key once, in order. Kills: kill.test.ts.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, forEachRecord, produceAll, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, verifyCounts } from '../support/count-load.ts'
import { Random } from '../support/seed.ts'
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

const aborted = /a transaction is aborted: its tasks begin again/
const slowCount = 'test/support/topologies/slow-count.ts'

async function sumOf(worker: WeirProcess, prefix: string): Promise<number> {
  let sum = 0
  for (const [name, value] of await worker.metrics()) if (name.startsWith(prefix)) sum += value
  return sum
}

/** Records keep coming, so that whatever happens falls into a transaction. */
function drip(load: CountLoad): Disposable {
  let allowed = 0
  const timer = setInterval(() => {
    allowed += 50
    load.allow(allowed)
  }, 20)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

async function runningTasks(worker: WeirProcess): Promise<number> {
  let running = 0
  for (const [name, value] of await worker.metrics())
    if (name.startsWith('weir_process_tasks{') && name.includes('state="running"')) running += value
  return running
}

describe('exactly once', () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('exactly-once')
  before(async () => {
    kafka = await startKafka({ properties })
  })
  after(() => kafka.stop())

  function start(
    name: string,
    env: Readonly<Record<string, string>> = {},
    { module = 'test/support/topologies/count.ts', stateDir = join(scratch, name) } = {},
  ): Promise<WeirProcess> {
    return WeirProcess.start({
      module,
      applicationId: name,
      bootstrapServers: kafka.bootstrapServers,
      stateDir,
      env: {
        COUNT_PREFIX: `${name}-`,
        WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_COMMIT_INTERVAL_MS: '200',
        WEIR_TRANSACTION_TIMEOUT_MS: '5000',
        WEIR_SESSION_TIMEOUT_MS: '6000',
        ...env,
      },
    })
  }

  async function isExact(load: CountLoad, seed: unknown): Promise<void> {
    const { updates, lost, doubled, notByOne } = await verifyCounts(kafka.bootstrapServers, load)
    assert.deepEqual(
      { lost, doubled, notByOne, updates },
      { lost: [], doubled: [], notByOne: 0, updates: load.records },
      `seed ${seed}`,
    )
  }

  for (const protocol of ['classic', 'consumer'] as const) {
    test(`members join, stand still for longer than their session, come back and leave: ${protocol}`, async (t) => {
      const { bootstrapServers } = kafka
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const name = `members-${protocol}`
      const load = new CountLoad(80_000, 2_000, random, `${name}-`)
      using producing = await load.start(bootstrapServers, 4)
      const env = {
        WEIR_GROUP_PROTOCOL: protocol,
        WEIR_COMMIT_INTERVAL_MS: '1000',
        // The one time the pause is longer than the transaction, the other time it has to be aborted because its tasks are lost.
        WEIR_TRANSACTION_TIMEOUT_MS: protocol === 'classic' ? '60000' : '3000',
        ...(protocol === 'classic' ? { WEIR_SESSION_TIMEOUT_MS: '3000' } : {}),
      }
      await using one = await start(name, env)
      await one.ready()
      {
        using _ = drip(load)
        await one.until(async () => (await one.recordsProcessed()) > 1_000, 'processes nothing')
        await using two = await start(name, env, { stateDir: join(scratch, `${name}-2`) })
        const areShared = async (): Promise<boolean> =>
          (await runningTasks(one)) === 2 && (await runningTasks(two)) === 2
        await one.until(areShared, 'does not get half of the tasks', 120_000)
        await sleep(1_500)
        process.kill(one.pid, 'SIGSTOP')
        // To restore them it may have to wait for the transaction of the one before.
        const hasAll = async (): Promise<boolean> => (await sumOf(two, 'weir_process_tasks{')) === 4
        await two.until(hasAll, 'does not get the tasks of the one that stands still', 120_000)
        process.kill(one.pid, 'SIGCONT')
        await one.until(areShared, 'does not get half of the tasks again', 120_000)
        await sleep(1_500)
        await two.stop()
      }
      load.allow(load.records)
      await producing.done
      await one.whileRunning(waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 120_000 }))
      await one.stop()
      await isExact(load, random.seed)
    })
  }

  test('a transaction that the broker has timed out: its tasks begin again on what is on disk', async (t) => {
    const { bootstrapServers } = kafka
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    const name = 'timed-out'
    const load = new CountLoad(100_000, 20_000, random, `${name}-`)
    using producing = await load.start(bootstrapServers, 2)
    // A session that outlasts the pause: nobody takes the tasks.
    await using worker = await start(name, {
      WEIR_TRANSACTION_TIMEOUT_MS: '2000',
      WEIR_SESSION_TIMEOUT_MS: '30000',
    })
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
      process.kill(worker.pid, 'SIGSTOP')
      await sleep(4_000)
      process.kill(worker.pid, 'SIGCONT')
      await sleep(500)
    }
    load.allow(load.records)
    await producing.done
    await worker.whileRunning(waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 120_000 }))
    const since = (await restored()) - before
    t.diagnostic(`${pauses} pauses, ${since} changelog records restored`)
    assert.equal(await sumOf(worker, 'weir_restore_resets_total'), 0)
    // The stores had 8,000 keys and more: what the last commit wrote was used.
    assert.ok(since < 4_000, `${since} records restored`)
    assert.ok(existsSync(join(scratch, name, name, '0_0')) && existsSync(join(scratch, name, name, '0_1')))
    await worker.stop()
    await isExact(load, random.seed)
  })

  test('a record of ten seconds is within a transaction of thirty, and the group waits for it', async () => {
    const { bootstrapServers } = kafka
    const name = 'slow'
    const input = `${name}-input`
    await createTopics(bootstrapServers, { [input]: 2, [`${name}-counts`]: 2 })
    const env = {
      WEIR_NUM_STREAM_THREADS: '1',
      WEIR_TRANSACTION_TIMEOUT_MS: '30000',
      WEIR_SESSION_TIMEOUT_MS: '3000',
      WEIR_MAX_POLL_INTERVAL_MS: '40000',
    }
    const slow = { module: slowCount }
    await using one = await start(name, env, slow)
    await one.ready()
    const record = (partition: number, value: string) => ({
      topic: input,
      partition,
      key: `k${partition}`,
      value,
      timestamp: 1,
    })
    await produceAll(bootstrapServers, [
      record(0, 'a'),
      record(1, 'a'),
      record(0, 'wait 10000'),
      record(1, 'wait 10000'),
      record(0, 'b'),
    ])
    // It joins while the first stands in one of them.
    await sleep(2_000)
    await using two = await start(name, env, { ...slow, stateDir: join(scratch, `${name}-2`) })
    await one.until(
      async () => (await runningTasks(one)) === 1 && (await runningTasks(two)) === 1,
      'does not share the tasks',
      120_000,
    )
    await one.whileRunning(waitUntilConsumed(bootstrapServers, name, [input], { timeoutMs: 60_000 }))
    for (const { output } of [one, two]) assert.doesNotMatch(output, /partitions lost|is aborted/)
    await one.stop()
    await two.stop()
    assert.deepEqual(await countsOf(name), { k0: [1, 2, 3], k1: [1, 2] })
  })

  test('a record that takes longer than its transaction may is processed all the same', async (t) => {
    const { bootstrapServers } = kafka
    const rounds = 4
    const name = 'slower'
    const input = `${name}-input`
    await createTopics(bootstrapServers, { [input]: 2, [`${name}-counts`]: 2 })
    await using worker = await start(
      name,
      { WEIR_NUM_STREAM_THREADS: '1', WEIR_TRANSACTION_TIMEOUT_MS: '1000', WEIR_COMMIT_INTERVAL_MS: '900' },
      { module: slowCount },
    )
    await worker.ready()
    const record = (partition: number, value: string) => ({
      topic: input,
      partition,
      key: `k${partition}`,
      value,
      timestamp: 1,
    })
    // The other task's outputs are in the transaction when the slow record begins.
    for (let round = 0; round < rounds; round++)
      await produceAll(bootstrapServers, [
        record(0, 'a'),
        record(1, 'a'),
        record(1, 'wait 3000'),
        record(0, 'b'),
      ])
    await worker.whileRunning(waitUntilConsumed(bootstrapServers, name, [input], { timeoutMs: 120_000 }))
    await worker.stop()
    const aborts = worker.output.match(new RegExp(aborted, 'g'))?.length ?? 0
    t.diagnostic(`${aborts} aborts`)
    assert.ok(
      aborts >= 1 && aborts <= rounds,
      `${aborts} transactions were aborted for ${rounds} slow records`,
    )
    assert.deepEqual(await countsOf(name), { k0: [1, 2, 3, 4, 5, 6, 7, 8], k1: [1, 2, 3, 4, 5, 6, 7, 8] })
  })

  test('of two processes with copies of one state folder one ends and says why, the other goes on', async (t) => {
    const { bootstrapServers } = kafka
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    const name = 'copied'
    const load = new CountLoad(40_000, 2_000, random, `${name}-`)
    using producing = await load.start(bootstrapServers, 4)
    const env = { WEIR_COMMIT_INTERVAL_MS: '50', WEIR_TRANSACTION_TIMEOUT_MS: '10000' }
    await using one = await start(name, env)
    await one.ready()
    const copy = join(scratch, `${name}-2`)
    mkdirSync(join(copy, name), { recursive: true })
    cpSync(join(scratch, name, name, 'weir.json'), join(copy, name, 'weir.json'))
    load.allow(10_000)
    await using two = await start(name, env, { stateDir: copy })
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
    load.allow(load.records)
    await producing.done
    await other.whileRunning(waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 120_000 }))
    await other.stop()
    await isExact(load, random.seed)
  })

  test('a time-out that the brokers do not allow is refused in one line', async () => {
    const name = 'refused'
    await createTopics(kafka.bootstrapServers, { [`${name}-input`]: 1, [`${name}-counts`]: 1 })
    const { code, stderr } = await runWeir(['run', 'test/support/topologies/count.ts'], {
      COUNT_PREFIX: `${name}-`,
      WEIR_APPLICATION_ID: name,
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: join(scratch, name),
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

  // The last one: it takes the broker away.
  test('a broker that is away for as long as several commits would be waited for loses and doubles nothing', async (t) => {
    const { bootstrapServers } = kafka
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    const name = 'away'
    const load = new CountLoad(60_000, 2_000, random, `${name}-`)
    using producing = await load.start(bootstrapServers, 2)
    await using worker = await start(name, {
      WEIR_COMMIT_INTERVAL_MS: '0',
      WEIR_TRANSACTION_TIMEOUT_MS: '60000',
      WEIR_SESSION_TIMEOUT_MS: '30000',
    })
    await worker.ready()
    load.allow(20_000)
    await worker.until(async () => (await worker.recordsProcessed()) > 2_000, 'processes nothing')
    await kafka.kill9()
    await sleep(13_000)
    assert.equal(worker.hasEnded, false, worker.output)
    await kafka.restart()
    load.allow(load.records)
    await producing.done
    await worker.whileRunning(waitUntilConsumed(bootstrapServers, name, [load.input], { timeoutMs: 120_000 }))
    await worker.stop()
    await isExact(load, random.seed)
  })

  /** The counts told of each key, in order. */
  async function countsOf(prefix: string): Promise<Record<string, number[]>> {
    const counts: Record<string, number[]> = {}
    await forEachRecord(kafka.bootstrapServers, `${prefix}-counts`, ({ key, value }) => {
      const name = key!.toString()
      counts[name] = [...(counts[name] ?? []), Number(value!.readBigInt64BE(0))]
    })
    return counts
  }
})
