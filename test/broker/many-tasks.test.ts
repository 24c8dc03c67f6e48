/** Many tasks of several stores under one small budget of write buffers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { WeirProcess } from '../support/weir-process.ts'

const partitions = 64
const budgetBytes = 128 * 2 ** 20
const records = 250_000
const valueBytes = 250

function* load(): Iterable<OutgoingRecord> {
  const value = Buffer.alloc(valueBytes)
  for (let index = 0; index < records; index++) {
    value.writeUInt32BE(index)
    // Two tasks get a third of everything, so that others are idle and have to be flushed for them.
    const partition = index % 3 === 0 ? index % 2 : index % partitions
    yield {
      topic: 'input',
      partition,
      key: `key-${index}`,
      value: Buffer.from(value),
      timestamp: 1_000 + index,
    }
  }
}

test(`${partitions} tasks with four stores each stay under ${budgetBytes / 2 ** 20} MiB of write buffers`, async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  await createTopics(bootstrapServers, { input: partitions })
  await produceAll(bootstrapServers, load())
  await using worker = await WeirProcess.start({
    module: 'test/support/topologies/four-stores.ts',
    applicationId: 'many',
    bootstrapServers,
    stateDir: makeScratchDir('many'),
    env: {
      WEIR_NUM_STREAM_THREADS: '2',
      WEIR_COMMIT_INTERVAL_MS: '1000',
      WEIR_ROCKSDB_WRITE_BUFFER_BYTES: String(budgetBytes),
      WEIR_ROCKSDB_BLOCK_CACHE_BYTES: String(2 * budgetBytes),
      WEIR_MEMORY_BYTES: String(2 * 2 ** 30),
    },
  })
  await worker.ready(120_000)
  await worker.whileRunning(waitUntilConsumed(bootstrapServers, 'many', ['input'], { timeoutMs: 180_000 }))
  const metrics = await worker.metrics()
  const figure = (name: string): number => metrics.get(name) ?? Number.NaN
  const peakBytes = figure('weir_rocksdb_memtable_peak_bytes')
  const flushes = figure('weir_rocksdb_arbiter_flushes_total')
  t.diagnostic(`${(peakBytes / 2 ** 20).toFixed(1)} MiB at the most, ${flushes} flushes asked for`)
  assert.equal(figure('weir_rocksdb_databases'), partitions)
  assert.ok(peakBytes <= budgetBytes, `write buffers took ${peakBytes} bytes`)
  // More than the budget was written: without flushes it could not have held.
  assert.ok(records * valueBytes * 4 > budgetBytes)
  assert.ok(flushes > 0, 'nothing was flushed for the budget')
  await worker.stop()
})
