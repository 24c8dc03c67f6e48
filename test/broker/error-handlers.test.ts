/**
 * Records that cannot be read, processed or written, under each guarantee and each answer of the handlers: every record is in the results, in the
 * dead-letter topic or dropped by choice, and nothing is in two of them.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  type ReadRecord,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const RECORDS = 400
const PARTITIONS = 2
const module = 'test/support/topologies/faulty-events.ts'

/** What is wrong with a record, by the remainder of its number. */
const FAULTS = new Map([
  [3, 'torn-value'],
  [5, 'torn-key'],
  [7, 'throw'],
  [11, 'unwritable'],
  [13, 'large'],
])
const CYCLE = 20

type Fault = string | undefined

function faultOf(number: number): Fault {
  return FAULTS.get(number % CYCLE)
}

/** An int32 key; a torn one has three bytes. */
function event(topic: string, number: number, fault: Fault): OutgoingRecord {
  const key = Buffer.alloc(4)
  key.writeInt32BE(number)
  const json = JSON.stringify({ number, do: fault?.startsWith('torn') ? 'pass' : (fault ?? 'pass') })
  return {
    topic,
    partition: number % PARTITIONS,
    key: fault === 'torn-key' ? key.subarray(1) : key,
    value: fault === 'torn-value' ? json.slice(0, -1) : json,
    timestamp: 1_000 + number,
    headers: [{ number: String(number) }, { twice: 'first' }, { twice: 'second' }],
  }
}

function header({ headers }: ReadRecord, name: string): string | undefined {
  return headers.find(([key]) => key === name)?.[1]?.toString()
}

/** The dead letter is the record itself, with what the contract adds behind its own headers. */
function assertDeadLetter(
  letter: ReadRecord,
  source: OutgoingRecord,
  partition: number,
  cause: RegExp,
): void {
  assert.deepEqual(letter.key, source.key)
  assert.deepEqual(letter.value, Buffer.from(source.value!))
  assert.equal(letter.timestamp, source.timestamp)
  const own = source
    .headers!.flatMap((one) => Object.entries(one))
    .map(([name, value]) => [name, Buffer.from(value)])
  assert.deepEqual(letter.headers.slice(0, own.length), own)
  assert.deepEqual(
    letter.headers.slice(own.length).map(([name]) => name),
    ['exception', 'message', 'stacktrace', 'topic', 'partition', 'offset'].map(
      (name) => `__streams.errors.${name}`,
    ),
  )
  assert.match(header(letter, '__streams.errors.message')!, cause)
  assert.match(header(letter, '__streams.errors.stacktrace')!, /\n +at /)
  assert.equal(header(letter, '__streams.errors.topic'), source.topic)
  assert.equal(header(letter, '__streams.errors.partition'), String(partition))
}

const CAUSES: Readonly<Record<string, RegExp>> = {
  'torn-value': /the value .* is no json/,
  'torn-key': /the key \(3 bytes\) is no int32/,
  throw: /cannot be processed/,
  unwritable: /cannot be written/,
  large: /message\.max\.bytes/,
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
  async function begin(): Promise<{ id: string; events: string; results: string; letters: string }> {
    const id = `faulty-${++applications}`
    const topics = { events: `${id}-events`, results: `${id}-results`, letters: `${id}-letters` }
    await createTopics(kafka.bootstrapServers, {
      [topics.events]: PARTITIONS,
      [topics.results]: PARTITIONS,
      [topics.letters]: PARTITIONS,
    })
    return { id, ...topics }
  }

  const handlers = {
    WEIR_DESERIALIZATION_EXCEPTION_HANDLER: 'continue',
    WEIR_PROCESSING_EXCEPTION_HANDLER: 'continue',
    WEIR_PRODUCTION_EXCEPTION_HANDLER: 'continue',
  }

  for (const guarantee of ['at_least_once', 'exactly_once_v2']) {
    for (const hasDeadLetters of [true, false]) {
      test(`${guarantee}, continue ${hasDeadLetters ? 'with' : 'without'} a dead-letter topic`, async () => {
        const { id, events, results, letters } = await begin()
        const sources = Array.from({ length: RECORDS }, (_, number) => event(events, number, faultOf(number)))
        await produceAll(kafka.bootstrapServers, sources)
        await using worker = await WeirProcess.start({
          module,
          applicationId: id,
          bootstrapServers: kafka.bootstrapServers,
          stateDir: scratch,
          env: {
            ...handlers,
            EVENTS: events,
            RESULTS: results,
            WEIR_PROCESSING_GUARANTEE: guarantee,
            WEIR_COMMIT_INTERVAL_MS: '200',
            WEIR_NUM_STREAM_THREADS: '2',
            ...(hasDeadLetters && { WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: letters }),
          },
        })
        await worker.whileRunning(waitUntilConsumed(kafka.bootstrapServers, id, [events]))
        const metrics = await worker.metrics()
        const sum = (name: string): number =>
          [...metrics].reduce((total, [key, value]) => (key.startsWith(name) ? total + value : total), 0)
        await worker.stop()

        const faulty = sources.map((_, number) => number).filter((number) => faultOf(number) !== undefined)
        const good = sources.map((_, number) => number).filter((number) => faultOf(number) === undefined)
        const numbers = (await readToEnd(kafka.bootstrapServers, results)).map(({ key }) =>
          key!.readInt32BE(),
        )
        assert.deepEqual(
          numbers.sort((a, b) => a - b),
          good,
        )
        assert.equal(sum('weir_process_records_dropped_total'), faulty.length)
        assert.equal(sum('weir_errors_handled_total'), faulty.length)

        const dead = await readToEnd(kafka.bootstrapServers, letters)
        assert.equal(sum('weir_errors_dead_letters_total'), dead.length)
        assert.equal(dead.length, hasDeadLetters ? faulty.length : 0)
        assert.equal(numbers.length + faulty.length, RECORDS)
        const byNumber = new Map(dead.map((letter) => [Number(header(letter, 'number')), letter]))
        for (const number of hasDeadLetters ? faulty : []) {
          const letter = byNumber.get(number)!
          assertDeadLetter(letter, sources[number]!, number % PARTITIONS, CAUSES[faultOf(number)!]!)
          // Of its partition every second number.
          assert.equal(header(letter, '__streams.errors.offset'), String(Math.floor(number / PARTITIONS)))
        }
      })
    }
  }

  test('a dead-letter topic that does not exist', async () => {
    const { id, events, results } = await begin()
    const { code, stderr } = await runWeir(['run', module], {
      WEIR_APPLICATION_ID: id,
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: scratch,
      WEIR_HTTP_PORT: '-1',
      EVENTS: events,
      RESULTS: results,
      WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: 'nowhere',
    })
    assert.equal(code, 1)
    assert.match(stderr, /^weir: dead-letter topic nowhere does not exist/m)
  })
})
