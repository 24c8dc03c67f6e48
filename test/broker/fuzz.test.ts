/**
 * Records with flipped bits, cut off and grown: none ends the worker, and each is among the results or among the dead letters, as its bytes say.
 * 12,000 of them with a fixed seed; `npm run test:fuzz` takes a million with another each time.
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
import { makeScratchDir } from '../services/scratch-dir.ts'
import { fuzzedPairs, fuzzedRecord } from '../support/fuzzed-records.ts'
import { Random } from '../support/seed.ts'
import { WeirProcess } from '../support/weir-process.ts'

const isFull = process.env.WEIR_TEST_FUZZ === 'full'
const RECORDS = isFull ? 1_000_000 : 12_000
const FIXED_SEED = 7

const topics = fuzzedPairs.map((pair) => `fuzzed-${pair}`)

function* records(seed: number): Generator<OutgoingRecord & { readonly isReadable: boolean }> {
  const random = new Random(seed)
  for (let number = 0; number < RECORDS; number++) {
    const { pair, key, value, isReadable } = fuzzedRecord(random)
    const headers = [{ number: String(number) }]
    yield { topic: `fuzzed-${pair}`, key, value, timestamp: 1 + number, headers, isReadable }
  }
}

function numberOf({ headers }: ReadRecord): number {
  return Number(headers.find(([name]) => name === 'number')![1]!.toString())
}

describe('fuzzed records', () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('fuzz')
  before(async () => {
    kafka = await startKafka()
    await createTopics(
      kafka.bootstrapServers,
      Object.fromEntries([...topics, 'read', 'letters'].map((topic) => [topic, 2])),
    )
  })
  after(() => kafka.stop())

  test(`${RECORDS} of them`, async (t) => {
    const seed = isFull ? new Random().seed : FIXED_SEED
    t.diagnostic(`seed ${seed}`)
    await produceAll(kafka.bootstrapServers, records(seed))
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
      },
    })
    await worker.whileRunning(waitUntilConsumed(kafka.bootstrapServers, 'fuzz', topics))
    await worker.stop()

    const READ = 1
    const DEAD = 2
    const found = new Uint8Array(RECORDS)
    let dead = 0
    for (const [topic, mark] of [
      ['read', READ],
      ['letters', DEAD],
    ] as const) {
      await forEachRecord(kafka.bootstrapServers, topic, (record) => {
        const number = numberOf(record)
        assert.equal(found[number], 0, `seed ${seed}: record ${number} is in two places, or twice in one`)
        found[number] = mark
        if (mark === DEAD) dead++
      })
    }
    let number = 0
    for (const { topic, key, value, isReadable } of records(seed)) {
      // A null key or value is read, and not counted.
      const expected = !isReadable
        ? DEAD
        : topic === 'fuzzed-counted' && (key === null || value === null)
          ? 0
          : READ
      assert.equal(found[number], expected, `seed ${seed}: record ${number} of ${topic}`)
      number++
    }
    t.diagnostic(`${dead} dead letters`)
    assert.ok(dead > RECORDS / 5 && dead < RECORDS / 1.5)
  })
})
