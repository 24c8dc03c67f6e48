import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { adminConfig, consumerConfig, producerConfig } from '../../../src/config/clients.ts'
import { configFrom } from '../../../src/config/load.ts'
import { Admin, Consumer, MockCluster, Producer } from '../../../src/native.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { Headers } from '../../../src/process/headers.ts'
import { OutputBatch } from '../../../src/produce/output-batch.ts'
import type { Application } from '../../../src/runtime/application.ts'
import { startApplication } from '../../../src/runtime/start-application.ts'
import { mockTopicAdmin } from '../../../src/runtime/topic-admin.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { parseMetrics } from './parse-metrics.ts'

const partitions = 4
const records = 3_000
const keys = 100

/** Adds up the series of one name, over threads and partitions, whose labels have all of these. */
function sum(metrics: Map<string, number>, name: string, ...labels: string[]): number {
  let total = 0
  for (const [series, value] of metrics) {
    if (series.replace(/\{.*/, '') === name && labels.every((label) => series.includes(label))) total += value
  }
  return total
}

describe("an application's metrics", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-metrics-'))
  const cluster = new MockCluster({ brokers: 1 })
  const config = configFrom({
    applicationId: 'metrics',
    bootstrapServers: cluster.bootstrapServers,
    stateDir: folder,
    numStreamThreads: 2,
    memoryBytes: 512 * 2 ** 20,
    logLevel: 'error',
    logFormat: 'json',
    commitIntervalMs: 200,
    // The mock cluster keeps a member that has left until its session ends: the next one waits for that.
    sessionTimeoutMs: 6_000,
    consumer: { 'fetch.wait.max.ms': '10' },
  })

  before(async () => {
    for (const topic of ['input', 'counts']) cluster.createTopic(topic, partitions)
    const producer = new Producer(producerConfig(config, 9))
    const output = new OutputBatch(producer, records, 1 << 20)
    const input = producer.topic('input', partitions)
    for (let index = 0; index < records; index++) {
      output.add(
        input,
        -1,
        serdes.string,
        `key-${index % keys}`,
        serdes.string,
        'x',
        1_000 + index,
        Headers.empty,
      )
    }
    await output.sendAll()
    await producer.flush(30_000)
    await producer.close()
  })
  after(() => {
    cluster.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function start(): Promise<Application> {
    return startApplication({
      topology: new URL('../../support/topologies/count.ts', import.meta.url),
      config,
      logger: createLogger(config),
      topicAdmin: mockTopicAdmin(new Admin(adminConfig(config)), (name, count) =>
        cluster.createTopic(name, count),
      ),
    })
  }

  async function until(
    application: Application,
    reached: (metrics: Map<string, number>) => boolean,
  ): Promise<Map<string, number>> {
    for (;;) {
      const metrics = parseMetrics(await application.metrics())
      if (reached(metrics)) return metrics
      await sleep(20)
    }
  }

  /** As the brokers count them. */
  async function changelogRecords(): Promise<number> {
    const consumer = new Consumer(consumerConfig(config), () => {})
    let count = 0
    for (let partition = 0; partition < partitions; partition++) {
      const [low, high] = await consumer.queryWatermarks('metrics-counts-changelog', partition, 10_000)
      count += high - low
    }
    await consumer.close()
    return count
  }

  test('count what was read, processed, written and committed, each once', async () => {
    await using application = await start()
    const metrics = await until(
      application,
      (now) =>
        sum(now, 'weir_process_records_total') >= records &&
        sum(now, 'weir_commit_changelog_records_total') >= keys,
    )
    assert.equal(sum(metrics, 'weir_consume_records_total', 'topic="input"'), records)
    assert.equal(sum(metrics, 'weir_process_records_total'), records)
    assert.equal(sum(metrics, 'weir_produce_records_total', 'topic="counts"'), records)
    assert.equal(sum(metrics, 'weir_consume_lag_records'), 0)
    assert.equal(sum(metrics, 'weir_process_tasks', 'state="running"'), partitions)
    assert.equal(sum(metrics, 'weir_process_tasks_created_total'), partitions)
    assert.equal(sum(metrics, 'weir_restore_records_total'), 0)
    assert.ok(sum(metrics, 'weir_commit_seconds_count') > 0)
    assert.ok(sum(metrics, 'weir_state_cache_entries') >= keys)
    assert.equal(sum(metrics, 'weir_rocksdb_databases'), partitions)
    // Nothing has been flushed: RocksDB knows each row once for each commit that wrote it.
    assert.ok(sum(metrics, 'weir_rocksdb_store_keys', 'store="counts"') >= keys)
    assert.ok(sum(metrics, 'weir_rocksdb_store_memtable_bytes', 'store="counts"', 'task="0_1"') > 0)
    assert.ok(sum(metrics, 'weir_rocksdb_written_bytes_total') > 0)
    assert.equal(sum(metrics, 'weir_rocksdb_stopped_databases'), 0)
    assert.equal(sum(metrics, 'weir_rocksdb_background_errors_total'), 0)
  })

  test('after the disk was lost, count every changelog record as restored', async () => {
    rmSync(join(folder, 'metrics'), { recursive: true })
    const inChangelog = await changelogRecords()
    assert.ok(inChangelog >= keys && inChangelog <= records, String(inChangelog))
    await using application = await start()
    const metrics = await until(
      application,
      (now) => sum(now, 'weir_process_tasks', 'state="running"') === partitions,
    )
    assert.equal(sum(metrics, 'weir_restore_records_total'), inChangelog)
    assert.equal(sum(metrics, 'weir_restore_remaining_records'), 0)
    assert.equal(sum(metrics, 'weir_process_records_total'), 0)
  })
})
