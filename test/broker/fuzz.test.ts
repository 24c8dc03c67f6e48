/**
 * Records with flipped bits, cut off and grown, of plain serdes and of Avro with a real registry: none ends the worker, and each is among the results or among
 * the dead letters, as its bytes say. 16,000 of them with a fixed seed; `npm run test:fuzz` takes a million with another each time.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  createTopics,
  forEachRecord,
  type OutgoingRecord,
  produceAll,
  type ReadRecord,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { type RegistryService, startRegistry } from '../services/registry.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { FuzzedRecords, fuzzedPairs, fuzzedSchemas } from '../support/fuzzed-records.ts'
import { register } from '../support/registry-client.ts'
import { Random } from '../support/seed.ts'
import { WeirProcess } from '../support/weir-process.ts'

const isFull = process.env.WEIR_TEST_FUZZ === 'full'
const RECORDS = isFull ? 1_000_000 : 16_000
const FIXED_SEED = 7

const topics = fuzzedPairs.map((pair) => `fuzzed-${pair}`)

interface FuzzedOutgoing extends OutgoingRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly isReadable: boolean
}

function* records(fuzzed: FuzzedRecords, seed: number): Generator<FuzzedOutgoing> {
  const random = new Random(seed)
  for (let number = 0; number < RECORDS; number++) {
    const { pair, key, value, isReadable } = fuzzed.next(random)
    const headers = [{ number: String(number) }]
    yield { topic: `fuzzed-${pair}`, key, value, timestamp: 1 + number, headers, isReadable }
  }
}

function numberOf({ headers }: ReadRecord): number {
  return Number(headers.find(([name]) => name === 'number')![1]!.toString())
}

describe('fuzzed records', () => {
  let kafka: KafkaService
  let registry: RegistryService
  const scratch = makeScratchDir('fuzz')
  before(async () => {
    ;[kafka, registry] = await Promise.all([startKafka(), startRegistry()])
    await createTopics(
      kafka.bootstrapServers,
      Object.fromEntries([...topics, 'read', 'letters'].map((topic) => [topic, 2])),
    )
  })
  after(async () => {
    await kafka?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  async function registerAll(): Promise<FuzzedRecords> {
    const subject = (name: string, schema: object | string) => register(registry.url, name, schema)
    const key = await subject('fuzzed-avro-key', fuzzedSchemas.key)
    const older = await subject('fuzzed-avro-value', fuzzedSchemas.older)
    const own = await subject('fuzzed-avro-value', fuzzedSchemas.own)
    const newer = await subject('fuzzed-avro-value', fuzzedSchemas.newer)
    return new FuzzedRecords({ key, older, own, newer })
  }

  test(`${RECORDS} of them`, async (t) => {
    const seed = isFull ? new Random().seed : FIXED_SEED
    t.diagnostic(`seed ${seed}`)
    const fuzzed = await registerAll()
    await produceAll(kafka.bootstrapServers, records(fuzzed, seed))
    await using worker = await WeirProcess.start({
      module: 'test/support/topologies/fuzzed.ts',
      applicationId: 'fuzz',
      bootstrapServers: kafka.bootstrapServers,
      stateDir: scratch,
      env: {
        WEIR_DESERIALIZATION_EXCEPTION_HANDLER: 'continue',
        WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: 'letters',
        WEIR_COMMIT_INTERVAL_MS: '500',
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_SCHEMA_REGISTRY_URL: registry.url,
        WEIR_SCHEMA_AUTO_REGISTER: 'true',
      },
    })
    await worker.whileRunning(waitUntilConsumed(kafka.bootstrapServers, 'fuzz', topics))
    await worker.stop()

    const READ = 1
    const DEAD = 2
    const found = new Uint8Array(RECORDS)
    let dead = 0
    // Results that are values of Avro, by the numbers of their records.
    const events = new Map<number, Buffer>()
    for (const [topic, mark] of [
      ['read', READ],
      ['letters', DEAD],
    ] as const) {
      await forEachRecord(kafka.bootstrapServers, topic, (record) => {
        const number = numberOf(record)
        assert.equal(found[number], 0, `seed ${seed}: record ${number} is in two places, or twice in one`)
        found[number] = mark
        if (mark === DEAD) dead++
        else if (record.value?.[0] === 0 && record.value.length > 8) events.set(number, record.value)
      })
    }
    let number = 0
    let compared = 0
    for (const { topic, key, value, isReadable } of records(fuzzed, seed)) {
      const what = `seed ${seed}: record ${number} of ${topic}`
      // A null key or value is read, and not counted.
      const expected = !isReadable
        ? DEAD
        : topic.endsWith('-counted') && (key === null || value === null)
          ? 0
          : READ
      assert.equal(found[number], expected, what)
      if (topic === 'fuzzed-avro' && expected === READ && value !== null) {
        const event = JSON.stringify(fuzzed.event(value))
        assert.equal(JSON.stringify(fuzzed.result(events.get(number)!)), event, what)
        compared++
      }
      number++
    }
    t.diagnostic(`${dead} dead letters, ${compared} values of Avro as they should be`)
    assert.ok(dead > RECORDS / 5 && dead < RECORDS / 1.5)
    assert.ok(compared > RECORDS / 50)
  })
})
