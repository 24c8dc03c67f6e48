/** Load and checks for test/support/topologies/faulty-events.ts: what is sent, and what becomes of it. */
import assert from 'node:assert/strict'

import {
  createTopics,
  type OutgoingRecord,
  type ReadRecord,
  readToEnd,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { WeirProcess } from './weir-process.ts'

export const FAULTY_MODULE = 'test/support/topologies/faulty-events.ts'
export const PARTITIONS = 2

/** What is wrong with a record; undefined: nothing. */
export type Fault = string | undefined

/** An int32 key; a torn one has three bytes. */
export function event(topic: string, number: number, fault: Fault): OutgoingRecord {
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

export function header({ headers }: ReadRecord, name: string): string | undefined {
  return headers.find(([key]) => key === name)?.[1]?.toString()
}

/** The dead letter is the record itself, with what the contract adds behind its own headers. */
export function assertDeadLetter(
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

/** What the error of each fault says. */
export const CAUSES: Readonly<Record<string, RegExp>> = {
  'torn-value': /the value .* is no json/,
  'torn-key': /the key \(3 bytes\) is no int32/,
  throw: /cannot be processed/,
  unwritable: /cannot be written/,
  large: /message\.max\.bytes/,
  refused: /message size too large/i,
}

/** The output itself, with where it should have gone: its input record is not known any more. */
export function assertRefused(letter: ReadRecord, topic: string, number: number): void {
  assert.equal(letter.key!.readInt32BE(), number)
  assert.equal((JSON.parse(letter.value!.toString()) as { number: number }).number, number)
  assert.match(header(letter, '__streams.errors.message')!, CAUSES.refused!)
  assert.equal(header(letter, '__streams.errors.topic'), topic)
  assert.equal(header(letter, '__streams.errors.offset'), '-1')
  assert.equal(letter.timestamp, 1_000 + number)
}

/** An application's topics, each its own. */
export interface FaultyRun {
  readonly id: string
  readonly events: string
  readonly results: string
  readonly letters: string
}

/** @param resultBytesMax larger batches of results the broker refuses */
export async function createRun(
  bootstrapServers: string,
  id: string,
  resultBytesMax = 10_000,
): Promise<FaultyRun> {
  const topics = { events: `${id}-events`, results: `${id}-results`, letters: `${id}-letters` }
  await createTopics(bootstrapServers, { [topics.events]: PARTITIONS, [topics.letters]: PARTITIONS })
  const config = { 'max.message.bytes': String(resultBytesMax) }
  await createTopics(bootstrapServers, { [topics.results]: PARTITIONS }, config)
  return { id, ...topics }
}

/** What its workers are told. */
export function faultyEnvironment({ events, results }: FaultyRun, guarantee: string): Record<string, string> {
  return {
    EVENTS: events,
    RESULTS: results,
    WEIR_PROCESSING_GUARANTEE: guarantee,
    WEIR_COMMIT_INTERVAL_MS: '200',
    WEIR_NUM_STREAM_THREADS: '2',
  }
}

/** Processes all events, and stops. @returns the sum of a metric's series */
export async function processAll(
  run: FaultyRun,
  bootstrapServers: string,
  stateDir: string,
  env: Record<string, string>,
): Promise<(metric: string) => number> {
  await using worker = await WeirProcess.start({
    module: FAULTY_MODULE,
    applicationId: run.id,
    bootstrapServers,
    stateDir,
    env,
  })
  await worker.whileRunning(waitUntilConsumed(bootstrapServers, run.id, [run.events], { timeoutMs: 60_000 }))
  const metrics = await worker.metrics()
  await worker.stop()
  return (name) =>
    [...metrics].reduce((total, [key, value]) => (key.startsWith(name) ? total + value : total), 0)
}

/** An event's number, by its key, or by its header where the key is torn. */
export function numberOf(record: ReadRecord): number {
  return record.key?.length === 4 ? record.key.readInt32BE() : Number(header(record, 'number'))
}

/** Those of a topic's records, sorted. */
export async function numbersOf(bootstrapServers: string, topic: string): Promise<number[]> {
  const records = await readToEnd(bootstrapServers, topic)
  return records.map(numberOf).sort((a, b) => a - b)
}
