import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { MockCluster, Producer } from '../../../src/native.ts'
import { ThreadCounters } from '../../../src/observe/thread-counters.ts'
import type { FailedOutput, ProductionExceptionHandler } from '../../../src/process/error-handlers.ts'
import { Headers } from '../../../src/process/headers.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'
import { FailedOutputs } from '../../../src/runtime/failed-outputs.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { serdes } from '../../../src/serde/serdes.ts'

const PRODUCE = 0
const text = serdes.string as Serde<unknown>

describe('outputs that a broker refuses', () => {
  let cluster: MockCluster
  before(() => {
    cluster = new MockCluster({ brokers: 1 })
    for (const name of ['out', 'letters']) cluster.createTopic(name, 1)
  })
  after(() => cluster.close())

  /** Sends records that are refused together, and settles them. */
  async function settled(
    errors: readonly string[],
    handler: ProductionExceptionHandler,
    options: { records?: number; config?: Record<string, string>; retryTimeoutMs?: number } = {},
  ) {
    const { records = 1, config = {}, retryTimeoutMs = 10_000 } = options
    const producer = new Producer({
      'bootstrap.servers': cluster.bootstrapServers,
      'linger.ms': '5',
      ...config,
    })
    const output = new OutputBatch(producer, 100, 1 << 20)
    const topicOf = (name: string, keepsFailures: boolean) => ({
      id: producer.topic(name, 1, keepsFailures),
      name,
      partitions: 1,
      produced: { records: 0, bytes: 0 },
    })
    const out = topicOf('out', true)
    const counters = new ThreadCounters()
    const failed = new FailedOutputs({
      producer,
      output,
      counters,
      warn: () => {},
      policy: { deadLetterTopics: ['letters'] },
      recordBytesMax: 1_000_000,
      handler,
      deadLetterTopic: (name) => topicOf(name, false),
      deadLetterTopicName: 'letters',
      sink: () => ({ topic: out, node: 'SINK' }),
      flushTimeoutMs: 10_000,
      retryTimeoutMs,
      systemTimeMs: Date.now,
    })
    cluster.injectErrors(PRODUCE, errors)
    for (let number = 0; number < records; number++)
      output.add(out.id, 0, text, `k${number}`, text, `v${number}`, 1_000 + number, Headers.empty)
    await output.sendAll()
    await producer.flush(10_000)
    return { producer, failed, counters, delivered: () => producer.stats().deliveredRecords }
  }

  test('those of a batch are sent apart: what is not refused for itself is delivered', async () => {
    const seen: FailedOutput[] = []
    // The batch, the half with the bad one, and that one alone.
    const errors = ['MSG_SIZE_TOO_LARGE', 'MSG_SIZE_TOO_LARGE', 'MSG_SIZE_TOO_LARGE']
    const run = await settled(
      errors,
      (_, record) => {
        seen.push(record)
        return 'continue'
      },
      { records: 4 },
    )
    await run.failed.settle()
    assert.deepEqual(
      seen.map(({ key, timestamp, stage }) => [String(key), timestamp, stage]),
      [['k0', 1_000, 'send']],
    )
    assert.equal(run.delivered(), 3)
    assert.equal(run.counters.recordsDropped, 1)
    await run.producer.close()
  })

  test('retry: sent again, for what may pass', async () => {
    let asked = 0
    // As long as the record may take: then it is given up.
    const errors = Array.from({ length: 6 }, () => 'NOT_ENOUGH_REPLICAS')
    const run = await settled(
      errors,
      () => {
        asked++
        return 'retry'
      },
      { config: { 'message.timeout.ms': '300', 'retry.backoff.ms': '100', 'retry.backoff.max.ms': '100' } },
    )
    await run.failed.settle()
    assert.ok(asked >= 1, 'never asked')
    assert.equal(run.delivered(), 1)
    assert.equal(run.counters.recordsDropped, 0)
    await run.producer.close()
  })

  test('retry means fail for what would be refused again, and what was refused is never told to be delivered', async () => {
    const run = await settled(['INVALID_RECORD'], (context) => ({
      result: 'retry',
      deadLetters: [{ topic: 'letters', key: null, value: Buffer.from(context.processorNode) }],
    }))
    await assert.rejects(run.failed.settle(), { name: 'WeirError', code: 'production-failed' })
    await assert.rejects(run.failed.settle(), { code: 'production-failed' })
    // The dead letter was.
    assert.equal(run.delivered(), 1)
    await run.producer.close()
  })
})
