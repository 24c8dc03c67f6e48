/** Every metric is seen on a running worker, and alerts fire at one that has the fault: a real Prometheus scrapes it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { createTopics, produceAll, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { prometheusProgram, startPrometheus } from '../services/prometheus.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { allMetrics, cassandraMetrics, missing, schemaMetrics } from '../support/seen-metrics.ts'
import { WINDOW_MS } from '../support/topologies/metered.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const alerts = new URL('../../deploy/prometheus/alerts.yml', import.meta.url)
const SCRAPE_SECONDS = 3

/** May stay 0 on a worker that is well. All others have something to tell after what the test does. */
const zeroIsWell = new Set([
  // Caches and filters that files have not made necessary yet, and what a disk that keeps up does not do.
  'weir_rocksdb_arbiter_flushes_total',
  'weir_rocksdb_background_errors_total',
  'weir_rocksdb_block_cache_hits_total',
  'weir_rocksdb_block_cache_misses_total',
  'weir_rocksdb_block_cache_pinned_bytes',
  'weir_rocksdb_compaction_read_bytes_total',
  'weir_rocksdb_compaction_seconds_total',
  'weir_rocksdb_compaction_written_bytes_total',
  'weir_rocksdb_compactions_total',
  'weir_rocksdb_delayed_databases',
  'weir_rocksdb_file_errors_total',
  'weir_rocksdb_file_opens_total',
  'weir_rocksdb_filter_spared_reads_total',
  'weir_rocksdb_flush_seconds_total',
  'weir_rocksdb_flush_written_bytes_total',
  'weir_rocksdb_flushes_total',
  'weir_rocksdb_running_compactions',
  'weir_rocksdb_running_flushes',
  'weir_rocksdb_scan_skipped_keys_total',
  'weir_rocksdb_stopped_databases',
  'weir_rocksdb_store_pending_compaction_bytes',
  'weir_rocksdb_store_sst_bytes',
  'weir_rocksdb_write_stall_seconds_total',
  // What is at work only for moments.
  'weir_consume_lag_records',
  'weir_process_buffered_records',
  'weir_process_in_flight_records',
  'weir_process_standstill_seconds',
  'weir_process_tasks_closed_total',
  'weir_produce_queue_bytes',
  'weir_produce_queue_records',
  'weir_restore_remaining_records',
  'weir_restore_task_remaining_records',
  'weir_state_in_memory_bytes',
  'weir_state_open_scans',
  'weir_state_overlay_bytes',
  // Of other processes.
  'weir_query_forwarded_total',
])

interface Given {
  readonly key: string | null
  readonly value: string
  readonly timestamp: number
}

describe('metrics of a running worker', () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  class Metered {
    readonly name: string
    readonly #stateDir: string

    constructor(name: string) {
      this.name = name
      this.#stateDir = makeScratchDir(name)
    }

    async give(topic: string, records: readonly Given[]): Promise<void> {
      await produceAll(
        kafka.bootstrapServers,
        records.map((record) => ({ topic: `${this.name}-metered-${topic}`, ...record })),
      )
    }

    async start(): Promise<WeirProcess> {
      const { name } = this
      const topics = ['input', 'others', 'asked', 'closed', 'slow', 'waited', 'letters']
      const partitions = Object.fromEntries(topics.map((topic) => [`${name}-metered-${topic}`, 1]))
      await createTopics(kafka.bootstrapServers, partitions)
      return await WeirProcess.start({
        module: 'test/support/topologies/metered.ts',
        applicationId: name,
        bootstrapServers: kafka.bootstrapServers,
        stateDir: this.#stateDir,
        env: {
          METERED_PREFIX: `${name}-`,
          WEIR_NUM_STREAM_THREADS: '1',
          WEIR_COMMIT_INTERVAL_MS: '200',
          WEIR_SLOW_RECORD_MS: '100',
          WEIR_PROCESSING_EXCEPTION_HANDLER: 'continue',
          WEIR_ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME: `${name}-metered-letters`,
          ...sameMember,
        },
      })
    }

    /** Its next worker finds a database that cannot be opened. REQUIRES that none runs. */
    damage(task: string): void {
      writeFileSync(join(this.#stateDir, this.name, task, 'CURRENT'), 'nothing\n')
    }

    async consumed(worker: WeirProcess): Promise<void> {
      const topics = ['input', 'slow'].map((topic) => `${this.name}-metered-${topic}`)
      await worker.whileRunning(
        waitUntilConsumed(kafka.bootstrapServers, this.name, topics, { timeoutMs: 60_000 }),
      )
    }
  }

  test('every metric of the catalogue is shown, and tells something', async () => {
    const metered = new Metered('metered')
    const startMs = Date.now() - 60_000
    {
      await using before = await metered.start()
      await metered.give('input', [{ key: 'user-0', value: 'visit', timestamp: startMs - 1_000 }])
      await metered.consumed(before)
      await before.stop()
    }
    metered.damage('0_0')
    await using worker = await metered.start()
    const visits = Array.from({ length: 600 }, (_, index) => ({
      key: `user-${index % 7}`,
      value: index === 300 ? 'throw' : index === 400 ? 'retry' : index === 500 ? 'wait 300' : 'visit',
      // Windows close, and one record in fifty comes when its own has.
      timestamp: startMs + index * 20 - (index % 50 === 49 ? 3 * WINDOW_MS : 0),
    }))
    await metered.give('input', visits)
    await metered.give('input', [{ key: null, value: 'visit', timestamp: startMs + 12_000 }])
    await metered.give('slow', visits)
    await metered.consumed(worker)
    assert.equal((await fetch(`http://127.0.0.1:${worker.httpPort}/state/rows?limit=1`)).status, 200)
    const elsewhere = new Set([...schemaMetrics, ...cassandraMetrics])
    const expected = allMetrics.filter((name) => !elsewhere.has(name))
    // A commit, and a look at the event loop, come after the last record.
    await worker.until(
      async () => missing(await worker.metrics(), expected).length === 0,
      `does not show ${missing(await worker.metrics(), expected).join(', ')}`,
      10_000,
    )
    const samples = await worker.metrics()
    const silent = expected.filter(
      (name) =>
        !zeroIsWell.has(name) &&
        ![...samples].some(
          ([series, value]) => value > 0 && [name, `${name}_count`].includes(series.replace(/\{.*/, '')),
        ),
    )
    assert.deepEqual(silent, [])
    const of = (series: string): number => samples.get(series) ?? Number.NaN
    assert.deepEqual(
      {
        resets: of('weir_restore_resets_total{thread="0",reason="state-corrupt"}'),
        faults: of('weir_process_node_records_total{node="faults"}'),
        asked: of('weir_process_node_records_total{node="asked"}'),
        waited: of('weir_process_node_records_total{node="waited"}'),
        puts: of('weir_state_operations_total{store="rows",operation="put"}'),
      },
      // Each of the task's stores; the one that was tried again, and the one without a key; all but that which throws.
      { resets: 6, faults: 602, asked: 599, waited: 600, puts: 599 },
    )
    assert.ok(of('weir_process_end_to_end_seconds_count{node="asked"}') > 0)
    assert.equal(of('weir_process_end_to_end_seconds_bucket{le="30",node="asked"}'), 0, 'a minute old')
    assert.ok(Number.isNaN(of('weir_process_end_to_end_seconds_count{node="faults"}')), 'it is not the end')
    await worker.stop()
  })

  test('promtool takes the rules', () => {
    const told = execFileSync(prometheusProgram('promtool'), ['check', 'rules', fileURLToPath(alerts)], {
      encoding: 'utf8',
    })
    assert.match(told, /SUCCESS: \d+ rules found/)
  })

  test('alerts fire when there is something to tell, and not before', async () => {
    const metered = new Metered('alerted')
    await using worker = await metered.start()
    await worker.ready()
    // As they are committed, but at once, and for a thread that is held up for seconds instead of half a minute.
    const rules = readFileSync(alerts, 'utf8')
      .replaceAll(/for: \d+m/g, 'for: 0s')
      .replace('weir_process_standstill_seconds) > 30', 'weir_process_standstill_seconds) > 2')
    assert.match(rules, /standstill_seconds\) > 2/)
    await using prometheus = await startPrometheus({
      port: worker.httpPort,
      rules,
      scrapeIntervalSeconds: SCRAPE_SECONDS,
    })
    const names = async (): Promise<string[]> => (await prometheus.firing()).map(({ name }) => name)
    const fires = async (name: string): Promise<void> =>
      worker.until(async () => (await names()).includes(name), `does not make ${name} fire`, 60_000)
    const record = (value: string): Given => ({ key: 'user-1', value, timestamp: Date.now() })
    await metered.give(
      'input',
      Array.from({ length: 10 }, () => record('visit')),
    )
    await metered.consumed(worker)
    // Rates are of two scrapes.
    await new Promise((resolve) => setTimeout(resolve, 2_500 * SCRAPE_SECONDS))
    const quiet = ['WeirDeadLetters', 'WeirThreadStuck', 'WeirLagGrowing', 'WeirDown', 'WeirEndToEndLatency']
    assert.deepEqual(
      (await names()).filter((name) => quiet.includes(name)),
      [],
    )

    await metered.give('input', [record('throw')])
    await fires('WeirDeadLetters')

    await metered.give('input', [record(`wait ${4_000 * SCRAPE_SECONDS}`)])
    await fires('WeirThreadStuck')
    await metered.consumed(worker)
    await worker.until(async () => !(await names()).includes('WeirThreadStuck'), 'is stuck for ever')

    await metered.give(
      'input',
      Array.from({ length: 30_000 }, () => record('wait 1')),
    )
    await fires('WeirLagGrowing')

    await worker.kill9()
    const deadlineMs = Date.now() + 60_000
    while (!(await names()).includes('WeirDown')) assert.ok(Date.now() < deadlineMs, 'WeirDown does not fire')
  })
})
