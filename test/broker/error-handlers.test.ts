/**
 * Records that cannot be read, processed or written, under each guarantee and each answer of the handlers: every record is in the results, in the
 * dead-letter topic or dropped by choice, and nothing is in two of them.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import {
  assertDeadLetter,
  assertRefused,
  CAUSES,
  createRun,
  event,
  FAULTY_MODULE,
  type Fault,
  type FaultyRun,
  faultyEnvironment,
  header,
  numbersOf,
  PARTITIONS,
  processAll,
} from '../support/faulty-load.ts'
import { Random } from '../support/seed.ts'
import { runWeir, sameMember, WeirProcess } from '../support/weir-process.ts'

const RECORDS = 400
const KILLED_RECORDS = 8_000
const KILLS = 3

/** What is wrong with a record, by the remainder of its number. */
const FAULTS = new Map([
  [3, 'torn-value'],
  [5, 'torn-key'],
  [7, 'throw'],
  [11, 'unwritable'],
  [13, 'large'],
])
/** In a transaction it cannot be dropped. */
const FAULTS_AT_LEAST_ONCE = new Map([...FAULTS, [17, 'refused']])
const CYCLE = 20

function faultOf(number: number, guarantee: string): Fault {
  const faults = guarantee === 'at_least_once' ? FAULTS_AT_LEAST_ONCE : FAULTS
  return faults.get(number % CYCLE)
}

const continues = {
  WEIR_DESERIALIZATION_EXCEPTION_HANDLER: 'continue',
  WEIR_PROCESSING_EXCEPTION_HANDLER: 'continue',
  WEIR_PRODUCTION_EXCEPTION_HANDLER: 'continue',
}

describe('error handlers', { concurrency: 2 }, () => {
  let kafka: KafkaService
  let applications = 0
  const scratch = makeScratchDir('error-handlers')
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  /** Topics of its own for each test. */
  const begin = (resultBytesMax?: number): Promise<FaultyRun> =>
    createRun(kafka.bootstrapServers, `faulty-${++applications}`, resultBytesMax)

  for (const guarantee of ['at_least_once', 'exactly_once_v2']) {
    for (const answer of ['continue, dead letters', 'continue', 'own handlers, dead letters'] as const) {
      test(`${guarantee}: ${answer}`, async () => {
        const run = await begin()
        const numbers = Array.from({ length: RECORDS }, (_, number) => number)
        const sources = numbers.map((number) => event(run.events, number, faultOf(number, guarantee)))
        await produceAll(kafka.bootstrapServers, sources)
        const hasDeadLetters = answer !== 'continue'
        const sum = await processAll(run, kafka.bootstrapServers, scratch, {
          ...faultyEnvironment(run, guarantee),
          ...(answer === 'own handlers, dead letters' ? { OWN_LETTERS: run.letters } : continues),
          ...(answer === 'continue, dead letters' && {
            WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: run.letters,
          }),
        })

        const faulty = numbers.filter((number) => faultOf(number, guarantee) !== undefined)
        const good = numbers.filter((number) => faultOf(number, guarantee) === undefined)
        assert.deepEqual(await numbersOf(kafka.bootstrapServers, run.results), good)
        assert.equal(sum('weir_process_records_dropped_total'), faulty.length)
        assert.equal(sum('weir_errors_handled_total'), faulty.length)

        const dead = await readToEnd(kafka.bootstrapServers, run.letters)
        assert.equal(sum('weir_errors_dead_letters_total'), dead.length)
        assert.equal(dead.length, hasDeadLetters ? faulty.length : 0)
        const byNumber = new Map(dead.map((letter) => [Number(header(letter, 'number')), letter]))
        for (const number of hasDeadLetters ? faulty : []) {
          const fault = faultOf(number, guarantee)!
          const letter = byNumber.get(number)
          if (fault === 'refused') {
            if (answer === 'continue, dead letters') assertRefused(letter!, run.results, number)
            continue
          }
          assertDeadLetter(letter!, sources[number]!, number % PARTITIONS, CAUSES[fault]!)
          // Of its partition every second number.
          assert.equal(header(letter!, '__streams.errors.offset'), String(Math.floor(number / PARTITIONS)))
        }
      })
    }

    test(`${guarantee}: records that are tried again hold up their own partition alone`, async () => {
      const run = await begin()
      const faults = new Map([
        [4, 'retry'],
        [20, 'retry-always'],
      ])
      const numbers = Array.from({ length: 40 }, (_, number) => number)
      await produceAll(
        kafka.bootstrapServers,
        numbers.map((number) => event(run.events, number, faults.get(number))),
      )
      const sum = await processAll(run, kafka.bootstrapServers, scratch, {
        ...faultyEnvironment(run, guarantee),
        ...continues,
        WEIR_NUM_STREAM_THREADS: '1',
        WEIR_TASK_TIMEOUT_MS: '2000',
        WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: run.letters,
      })
      const results = await readToEnd(kafka.bootstrapServers, run.results)
      assert.deepEqual(
        results.map(({ key }) => key!.readInt32BE()).sort((a, b) => a - b),
        numbers.filter((number) => number !== 20),
      )
      for (const partition of [0, 1]) {
        const own = results
          .filter((record) => record.partition === partition)
          .map(({ key }) => key!.readInt32BE())
        const [even, odd] = [0, 1].map((source) => own.filter((number) => number % PARTITIONS === source))
        for (const order of [even!, odd!])
          assert.deepEqual(
            order,
            order.toSorted((a, b) => a - b),
          )
        // The other partition went on while number 20 was tried.
        const behind = own.findIndex((number) => number % PARTITIONS === 0 && number > 20)
        assert.ok(behind > own.findLastIndex((number) => number % PARTITIONS === 1), String(own))
      }
      assert.ok(sum('weir_process_retries_total') >= 2 + 3, `${sum('weir_process_retries_total')} attempts`)
      const dead = await readToEnd(kafka.bootstrapServers, run.letters)
      assert.deepEqual(
        dead.map((letter) => header(letter, 'number')),
        ['20'],
      )
    })
  }

  for (const guarantee of ['at_least_once', 'exactly_once_v2']) {
    test(`${guarantee}: killed under load, no record and no dead letter is lost`, async (t) => {
      const run = await begin(2 ** 20)
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const numbers = Array.from({ length: KILLED_RECORDS }, (_, number) => number)
      await produceAll(
        kafka.bootstrapServers,
        numbers.map((number) => event(run.events, number, faultOf(number, 'exactly_once_v2'))),
      )
      for (let life = 0; ; life++) {
        await using worker = await WeirProcess.start({
          module: FAULTY_MODULE,
          applicationId: run.id,
          bootstrapServers: kafka.bootstrapServers,
          stateDir: scratch,
          env: {
            ...faultyEnvironment(run, guarantee),
            ...continues,
            ...sameMember,
            WEIR_BATCH_RECORDS_MAX: '100',
            WEIR_COMMIT_INTERVAL_MS: '50',
            WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: run.letters,
          },
        })
        if (life === KILLS) {
          await worker.whileRunning(waitUntilConsumed(kafka.bootstrapServers, run.id, [run.events]))
          await worker.stop()
          break
        }
        await worker.running()
        await new Promise((resolve) => setTimeout(resolve, random.below(400)))
        await worker.kill9()
      }
      const faulty = numbers.filter((number) => faultOf(number, 'exactly_once_v2') !== undefined)
      const good = numbers.filter((number) => faultOf(number, 'exactly_once_v2') === undefined)
      const results = await numbersOf(kafka.bootstrapServers, run.results)
      const letters = await readToEnd(kafka.bootstrapServers, run.letters)
      const dead = letters.map((letter) => Number(header(letter, 'number'))).sort((a, b) => a - b)
      const once = (all: number[]): number[] => (guarantee === 'exactly_once_v2' ? all : [...new Set(all)])
      assert.deepEqual(once(results), good)
      assert.deepEqual(once(dead), faulty)
      t.diagnostic(`${results.length + dead.length - numbers.length} twice`)
    })
  }

  test('a dead-letter topic that does not exist', async () => {
    const run = await begin()
    const { code, stderr } = await runWeir(['run', FAULTY_MODULE], {
      ...faultyEnvironment(run, 'at_least_once'),
      WEIR_APPLICATION_ID: run.id,
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: scratch,
      WEIR_HTTP_PORT: '-1',
      WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: 'nowhere',
    })
    assert.equal(code, 1)
    assert.match(stderr, /^weir: dead-letter topic nowhere does not exist/m)
  })

  test('a dead-letter topic that the topology reads', async () => {
    const run = await begin()
    const { code, stderr } = await runWeir(['run', FAULTY_MODULE], {
      ...faultyEnvironment(run, 'at_least_once'),
      WEIR_APPLICATION_ID: run.id,
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: scratch,
      WEIR_HTTP_PORT: '-1',
      WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: run.events,
    })
    assert.equal(code, 2)
    assert.match(stderr, /^weir: dead-letter topic \S+: the topology reads it/m)
  })
})
