/** Async processors while their promises are under way: kills, members that join and leave, promises that do not settle. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  createTopics,
  forEachRecord,
  type OutgoingRecord,
  produceAll,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { areRunning, sumOf } from '../support/count-application.ts'
import { Random } from '../support/seed.ts'
import { TopicReader } from '../support/topic-reader.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const PARTITIONS = 4
const KEYS = 200

/** What the topology of async-count.ts should tell of what was sent, by partition. */
class Application {
  readonly name: string
  readonly gate: string
  readonly expected: string[][]
  readonly #bootstrapServers: string
  readonly #folder: string
  readonly #env: Readonly<Record<string, string>>
  readonly #random: Random
  readonly #counts = new Map<string, number>()
  #sent = 0

  private constructor(
    bootstrapServers: string,
    name: string,
    random: Random,
    partitions: number,
    env: Readonly<Record<string, string>>,
  ) {
    this.#bootstrapServers = bootstrapServers
    this.name = name
    this.#random = random
    this.#env = env
    this.#folder = makeScratchDir(name)
    this.gate = join(this.#folder, 'gate')
    this.expected = Array.from({ length: partitions }, () => [])
  }

  static async make(
    t: TestContext,
    bootstrapServers: string,
    name: string,
    env: Readonly<Record<string, string>>,
    partitions = PARTITIONS,
  ): Promise<Application> {
    const random = new Random()
    t.diagnostic(`seed ${random.seed}`)
    await createTopics(bootstrapServers, { [`${name}-input`]: partitions, [`${name}-counts`]: partitions })
    return new Application(bootstrapServers, name, random, partitions, env)
  }

  start(process = 'one', env: Readonly<Record<string, string>> = {}): Promise<WeirProcess> {
    return WeirProcess.start({
      module: 'test/support/topologies/async-count.ts',
      applicationId: this.name,
      bootstrapServers: this.#bootstrapServers,
      stateDir: join(this.#folder, process),
      env: {
        COUNT_PREFIX: `${this.name}-`,
        COUNT_GATE: this.gate,
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_SESSION_TIMEOUT_MS: '6000',
        ...this.#env,
        ...env,
      },
    })
  }

  /** @param value of the first; the others have numbers */
  async send(
    records: number,
    { partition, value }: { partition?: number; value?: string } = {},
  ): Promise<void> {
    const partitions = this.expected.length
    const outgoing: OutgoingRecord[] = []
    for (let index = 0; index < records; index++) {
      const number = this.#random.below(KEYS)
      const to = partition ?? number % partitions
      const key = `key-${number - (number % partitions) + to}`
      const count = (this.#counts.get(key) ?? 0) + 1
      this.#counts.set(key, count)
      const sent = index === 0 && value !== undefined ? value : `v${this.#sent++}`
      this.expected[to]!.push(`${sent} ${count}`)
      outgoing.push({
        topic: `${this.name}-input`,
        partition: to,
        key,
        value: sent,
        timestamp: 1_000 + index,
      })
    }
    await produceAll(this.#bootstrapServers, outgoing)
  }

  async consumed(...workers: readonly WeirProcess[]): Promise<void> {
    const topic = `${this.name}-input`
    const consumed = waitUntilConsumed(this.#bootstrapServers, this.name, [topic], { timeoutMs: 120_000 })
    await workers.reduce((wait, worker) => worker.whileRunning(wait), consumed)
  }

  async committed(): Promise<number[]> {
    await using reader = await TopicReader.open(this.#bootstrapServers, this.name)
    return await reader.committed(`${this.name}-input`, this.expected.length)
  }

  /** What who reads committed records finds, by partition, in order. */
  async told(): Promise<string[][]> {
    const told = this.expected.map((): string[] => [])
    await forEachRecord(this.#bootstrapServers, `${this.name}-counts`, ({ partition, value }) => {
      told[partition]!.push(value!.toString())
    })
    return told
  }

  /** Every record once, in the order of the input. */
  async assertExact(): Promise<void> {
    assert.deepEqual(await this.told(), this.expected, `seed ${this.#random.seed}`)
  }

  /** Every record at least once, in the order of the input, from where something was processed again. @returns how many more than once */
  async assertComplete(): Promise<number> {
    let repeated = 0
    for (const [partition, told] of (await this.told()).entries()) {
      const places = new Map(this.expected[partition]!.map((line, place) => [line.split(' ')[0]!, place]))
      let next = 0
      for (const line of told) {
        const place = places.get(line.split(' ')[0]!)!
        assert.ok(place <= next, `partition ${partition}: ${line} at ${place}, ${next} is missing`)
        if (place < next) repeated++
        next = place + 1
      }
      assert.equal(
        next,
        places.size,
        `seed ${this.#random.seed}: the end of partition ${partition} is missing`,
      )
    }
    return repeated
  }
}

const guarantees = {
  at_least_once: { WEIR_COMMIT_INTERVAL_MS: '500' },
  exactly_once_v2: {
    WEIR_PROCESSING_GUARANTEE: 'exactly_once_v2',
    WEIR_COMMIT_INTERVAL_MS: '100',
    WEIR_TRANSACTION_TIMEOUT_MS: '3000',
  },
}

// Each has an application of its own.
describe('async processors', { concurrency: 2 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka({
      properties: {
        'group.min.session.timeout.ms': 1_000,
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': 200,
      },
    })
  })
  after(() => kafka.stop())

  for (const [guarantee, env] of Object.entries(guarantees)) {
    const isExact = guarantee === 'exactly_once_v2'
    const make = (t: TestContext, what: string, more = {}, partitions = PARTITIONS): Promise<Application> =>
      Application.make(
        t,
        kafka.bootstrapServers,
        `${what}-${guarantee.slice(0, 2)}`,
        { ...env, ...more },
        partitions,
      )

    test(`killed while promises are under way: nothing is lost, ${guarantee}`, async (t) => {
      const application = await make(t, 'killed', sameMember)
      await application.send(4_000)
      for (let kill = 0; kill < 3; kill++) {
        await using worker = await application.start()
        await worker.running()
        const before = await worker.recordsProcessed()
        await worker.until(
          async () => (await worker.recordsProcessed()) > before + 300,
          'processes nothing',
          60_000,
          5,
        )
        await worker.kill9()
        await application.send(1_000)
      }
      await using worker = await application.start()
      await application.consumed(worker)
      assert.ok((await sumOf(worker, 'weir_process_retries_total')) > 0, 'no promise was refused')
      await worker.stop()
      if (isExact) await application.assertExact()
      else t.diagnostic(`${await application.assertComplete()} told again`)
    })

    test(`members join and leave while promises are under way: every record once, ${guarantee}`, async (t) => {
      const application = await make(t, 'members')
      await using one = await application.start()
      await one.ready()
      const sending = new AbortController()
      const sent = (async () => {
        while (!sending.signal.aborted) {
          await application.send(200)
          await sleep(50)
        }
      })()
      try {
        await one.until(async () => (await one.recordsProcessed()) > 500, 'processes nothing')
        await using two = await application.start('two')
        await areRunning(PARTITIONS / 2, one, two)
        await two.until(async () => (await two.recordsProcessed()) > 200, 'processes nothing')
        await two.stop()
        await areRunning(PARTITIONS, one)
      } finally {
        sending.abort()
        await sent
      }
      await application.consumed(one)
      await one.stop()
      await application.assertExact()
    })

    test(`a promise that does not settle holds its partition alone, and its offset; a stop waits for it within a limit: ${guarantee}`, async (t) => {
      const limits = {
        WEIR_ASYNC_TIMEOUT_MS: '60000',
        WEIR_SHUTDOWN_TIMEOUT_MS: '4000',
        WEIR_NUM_STREAM_THREADS: '1',
      }
      const application = await make(t, 'held', limits, 2)
      await application.send(100, { partition: 0 })
      await application.send(2_000, { partition: 0, value: 'hold' })
      await application.send(2_000, { partition: 1 })
      {
        await using worker = await application.start()
        await worker.running()
        const others = application.expected[1]!.length
        await worker.until(
          async () => (await application.committed())[1]! >= others,
          'does not commit the others',
        )
        // Longer than a transaction may be open.
        await sleep(4_000)
        await application.send(1_000, { partition: 1 })
        await worker.until(async () => (await application.committed())[1]! >= others + 1_000, 'stands still')
        assert.equal((await application.committed())[0], 100)
        assert.equal((await application.told())[0]!.length, 100)
        assert.doesNotMatch(worker.output, /is aborted/)
        // 32 promises, and eight records for each.
        assert.equal(await sumOf(worker, 'weir_process_in_flight_records'), 256)
        await worker.stop()
      }
      assert.equal((await application.committed())[0], 100)
      writeFileSync(application.gate, '')
      await using worker = await application.start()
      await application.consumed(worker)
      await worker.stop()
      await application.assertExact()
    })
  }
})
