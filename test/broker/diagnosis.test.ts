/** What an operator looks with when an application is behind: weir lag, weir top, and the log of slow records. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import type { LagReport } from '../../src/cli/lag-figures.ts'
import type { TopFigures } from '../../src/cli/top-figures.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { whileTransactionIsOpen } from '../support/transaction.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const topology = 'test/support/topologies/blocking-count.ts'
const SLOW_RECORD_MS = 200

describe('an application that is behind', () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  class CountingApplication {
    readonly id: string
    readonly input: string
    readonly repartition: string
    readonly #env: Readonly<Record<string, string>>

    constructor(guarantee: string) {
      this.id = `behind-${guarantee}`
      this.input = `${this.id}.input`
      this.repartition = `${this.id}-by-value-repartition`
      this.#env = {
        COUNT_PREFIX: `${this.id}.`,
        WEIR_PROCESSING_GUARANTEE: guarantee,
        WEIR_COMMIT_INTERVAL_MS: '100',
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_SLOW_RECORD_MS: String(SLOW_RECORD_MS),
      }
    }

    createTopics(): Promise<void> {
      return createTopics(kafka.bootstrapServers, { [this.input]: 2, [`${this.id}.counts`]: 2 })
    }

    start(): Promise<WeirProcess> {
      return WeirProcess.start({
        module: topology,
        applicationId: this.id,
        bootstrapServers: kafka.bootstrapServers,
        stateDir: makeScratchDir('diagnosis'),
        env: this.#env,
      })
    }

    async produce(partition: number, values: readonly string[], timestamp: number): Promise<void> {
      const records = values.map(
        (value): OutgoingRecord => ({ topic: this.input, partition, key: 'user-17', value, timestamp }),
      )
      await produceAll(kafka.bootstrapServers, records)
    }

    async consumed(): Promise<void> {
      const limit = { timeoutMs: 60_000 }
      for (const topic of [this.input, this.repartition])
        await waitUntilConsumed(kafka.bootstrapServers, this.id, [topic], limit)
    }

    async lag(): Promise<LagReport> {
      const { code, stdout, stderr } = await runWeir(['lag', topology, '--json'], {
        WEIR_APPLICATION_ID: this.id,
        WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
        ...this.#env,
      })
      // A broker that has just started has no coordinator yet, and is asked again.
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as LagReport
    }
  }

  const recordsOf = ({ partitions }: LagReport): unknown[] =>
    partitions.map(({ task, topic, partition, records }) => [task, topic, partition, records])

  const guarantees = ['at_least_once', 'exactly_once_v2'] as const
  test('is seen by weir lag, record by record, under both guarantees', { timeout: 180_000 }, async () => {
    await Promise.all(guarantees.map(checkLag))
  })

  async function checkLag(guarantee: (typeof guarantees)[number]): Promise<void> {
    const application = new CountingApplication(guarantee)
    const { input, repartition } = application
    await application.createTopics()
    const unborn = await application.lag()
    assert.deepEqual([unborn.groupState, unborn.members, unborn.missingTopics], ['Dead', 0, [repartition]])
    await application.produce(0, ['a', 'b', 'a', 'c', 'a'], Date.now())
    {
      await using worker = await application.start()
      await worker.ready()
      await worker.whileRunning(application.consumed())
      const current = await application.lag()
      assert.deepEqual([current.records, current.seconds, current.members], [0, 0, 1])
      if (guarantee === 'at_least_once') await checkWorker(worker, application)
      await worker.stop()
    }

    const timestamp = Date.now() - 60_000
    await application.produce(0, ['a', 'b', 'a', 'c', 'a', 'b', 'c'], timestamp)
    await application.produce(1, ['a', 'b', 'a'], timestamp + 30_000)
    const report = await whileTransactionIsOpen(kafka.bootstrapServers, input, ['x', 'y'], () =>
      application.lag(),
    )
    const ms = Date.now() - timestamp
    // Of the open transaction's two records, in partition 0, only those who read uncommitted ones have anything.
    const open = guarantee === 'at_least_once' ? 2 : 0
    assert.deepEqual(recordsOf(report), [
      ['0_0', input, 0, 7 + open],
      ['0_1', input, 1, 3],
      ['1_0', repartition, 0, 0],
      ['1_1', repartition, 1, 0],
    ])
    assert.equal(report.records, 10 + open)
    assert.equal(report.members, 0)
    assert.equal(report.isolation, open === 0 ? 'read_committed' : 'read_uncommitted')
    const [first, second] = report.partitions.map(({ seconds }) => seconds! * 1_000)
    assert.ok(first! >= 60_000 && first! <= ms, String(first))
    assert.ok(second! >= 30_000 && second! <= ms - 30_000, String(second))
    assert.equal(report.seconds, first! / 1_000)
  }

  async function checkWorker(worker: WeirProcess, application: CountingApplication): Promise<void> {
    const address = `127.0.0.1:${worker.httpPort}`
    await application.produce(1, ['a', `block-${1.5 * SLOW_RECORD_MS}`, 'b'], Date.now())
    await worker.until(() => worker.output.includes('a record took long'), 'logs no slow record')
    const line = worker.output.split('\n').find((one) => one.includes('a record took long'))!
    const { task, processor, topic, partition, offset, keyHash, level } = JSON.parse(line) as Record<
      string,
      unknown
    >
    assert.deepEqual(
      { task, processor, topic, partition, offset, keyHash, level },
      {
        task: '0_1',
        processor: 'KSTREAM-PEEK-0000000001',
        topic: application.input,
        partition: 1,
        offset: 1,
        keyHash: createHash('sha256').update('user-17').digest('hex').slice(0, 16),
        level: 'warn',
      },
    )
    assert.doesNotMatch(line, /user-17/)

    const [json, text] = await Promise.all([
      runWeir(['top', address, '--once', '--json', '--interval', '0.2']),
      runWeir(['top', address, '--once', '--interval', '0.2']),
    ])
    assert.deepEqual([json.code, json.stderr], [0, ''])
    const figures = JSON.parse(json.stdout) as TopFigures
    assert.equal(figures.state, 'running')
    assert.deepEqual(figures.tasks, { running: 4, restoring: 0, waiting: 0 })
    assert.deepEqual(figures.threads.map(({ thread }) => thread).sort(), ['0', '1'])
    assert.equal(figures.slowRecords, 1)
    for (const known of ['recordsPerSecond', 'lagRecords', 'residentBytes', 'cpuCores', 'version'] as const)
      assert.notEqual(figures[known], null, known)
    assert.deepEqual([text.code, text.stderr], [0, ''])
    assert.match(text.stdout, /^Weir at 127\.0\.0\.1:\d+: running$/m)
    for (const one of text.stdout.split('\n')) assert.ok(one.length < 80, one)
  }
})
