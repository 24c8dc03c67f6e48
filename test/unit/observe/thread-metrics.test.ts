import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { RocksDbCounts } from '../../../src/native.ts'
import {
  mainThreadCatalogue,
  schemaMetricCatalogue,
  streamThreadCatalogue,
} from '../../../src/observe/metric-catalogue.ts'
import type { MetricSnapshot } from '../../../src/observe/metric-set.ts'
import { ProcessMetrics } from '../../../src/observe/process-metrics.ts'
import { renderMetrics } from '../../../src/observe/render-metrics.ts'
import { type MeteredTask, ThreadMetrics } from '../../../src/observe/thread-metrics.ts'
import { parseMetrics } from './parse-metrics.ts'

function threadMetrics(
  index: number,
  tasks: MeteredTask[] = [],
  cache = { hits: 0, misses: 0 },
): ThreadMetrics {
  return new ThreadMetrics(index, {
    tasks: () => tasks,
    cache: () => ({ bytes: 10, limitBytes: 100, entries: 2, ...cache }),
    overlayBytes: () => 7,
    producerQueue: () => ({ records: 3, bytes: 33 }),
  })
}

/** As it comes from another thread. */
async function snapshot(metrics: ThreadMetrics): Promise<MetricSnapshot> {
  return structuredClone(await metrics.collect())
}

describe('ThreadMetrics', () => {
  test('what goes to Cassandra, where a topology writes to it', async () => {
    const plain = parseMetrics(await renderMetrics([await snapshot(threadMetrics(0))]))
    assert.deepEqual(
      [...plain.keys()].filter((name) => name.startsWith('weir_cassandra')),
      [],
    )
    const metrics = new ThreadMetrics(1, {
      tasks: () => [],
      cache: () => ({ bytes: 0, limitBytes: 0, entries: 0, hits: 0, misses: 0 }),
      overlayBytes: () => 0,
      producerQueue: () => ({ records: 0, bytes: 0 }),
      cassandra: () => ({ requestsInFlight: 2, queuedRows: 30, queuedBytes: 400, backlogRows: 7 }),
    })
    metrics.cassandraSeconds().observe(0.002)
    const { cassandra } = metrics.counters
    cassandra.retries = 5
    cassandra.failed('timeout')
    cassandra.failed('timeout')
    cassandra.written('profiles', 7)
    const series = parseMetrics(await renderMetrics([await snapshot(metrics)]))
    for (const [name, value] of [
      ['weir_cassandra_requests_in_flight{thread="1"}', 2],
      ['weir_cassandra_queue_rows{thread="1"}', 30],
      ['weir_cassandra_queue_bytes{thread="1"}', 400],
      ['weir_tiered_backlog_rows{thread="1"}', 7],
      ['weir_cassandra_retries_total{thread="1"}', 5],
      ['weir_cassandra_errors_total{reason="timeout",thread="1"}', 2],
      ['weir_cassandra_rows_written_total{table="profiles",thread="1"}', 7],
      ['weir_cassandra_request_seconds_count{thread="1"}', 1],
    ] as const)
      assert.equal(series.get(name), value, name)
  })

  test('two threads are added up, series by series', async () => {
    const [first, second] = [threadMetrics(0), threadMetrics(1)]
    first.counters.consumed('events').records += 5
    first.counters.consumed('events').bytes += 500
    first.counters.consumed('rules').records += 1
    second.counters.consumed('events').records += 7
    second.counters.produced('changes').records += 2
    for (const node of ['held', 'closed', 'held']) first.counters.suppressionEmitted(node)
    first.processed('0_0', 5, 2)
    first.processed('0_1', 1, 40)
    second.processed('0_2', 7, 2000)
    second.committed(11, 300)
    const series = parseMetrics(await renderMetrics([await snapshot(first), await snapshot(second)]))
    assert.equal(series.get('weir_consume_records_total{thread="0",topic="events"}'), 5)
    assert.equal(series.get('weir_consume_bytes_total{thread="0",topic="events"}'), 500)
    assert.equal(series.get('weir_consume_records_total{thread="0",topic="rules"}'), 1)
    assert.equal(series.get('weir_consume_records_total{thread="1",topic="events"}'), 7)
    assert.equal(series.get('weir_produce_records_total{thread="1",topic="changes"}'), 2)
    assert.equal(series.get('weir_process_records_total{thread="0"}'), 6)
    assert.equal(series.get('weir_process_suppression_emits_total{node="held",thread="0"}'), 2)
    assert.equal(series.get('weir_process_suppression_emits_total{node="closed",thread="0"}'), 1)
    assert.equal(series.get('weir_process_batch_seconds_count{thread="0"}'), 2)
    assert.equal(series.get('weir_process_batch_seconds_sum{thread="0"}'), 0.042)
    assert.equal(series.get('weir_process_batch_seconds_bucket{le="0.0025",thread="0"}'), 1)
    assert.equal(series.get('weir_process_batch_seconds_bucket{le="+Inf",thread="1"}'), 1)
    assert.equal(series.get('weir_commit_seconds_count{thread="0"}'), 0)
    assert.equal(series.get('weir_commit_seconds_count{thread="1"}'), 1)
    assert.equal(series.get('weir_commit_changelog_records_total{thread="1"}'), 11)
    assert.equal(series.get('weir_produce_queue_bytes{thread="1"}'), 33)
  })

  test('a total grows by what was added between two readings', async () => {
    const cache = { hits: 10, misses: 1 }
    const metrics = threadMetrics(0, [], cache)
    metrics.counters.consumed('a').records = 4
    await snapshot(metrics)
    metrics.counters.consumed('a').records = 9
    cache.hits = 15
    let series = parseMetrics(await renderMetrics([await snapshot(metrics)]))
    assert.equal(series.get('weir_consume_records_total{thread="0",topic="a"}'), 9)
    assert.equal(series.get('weir_state_cache_hits_total{thread="0"}'), 15)
    cache.hits = 2
    await snapshot(metrics)
    cache.hits = 5
    series = parseMetrics(await renderMetrics([await snapshot(metrics)]))
    assert.equal(
      series.get('weir_state_cache_hits_total{thread="0"}'),
      18,
      'a closed cache takes nothing away',
    )
  })

  test('tasks, restores and lags are those of now', async () => {
    const database = {
      stores: [{ store: 'counts', keys: 5, sstBytes: 6, memtableBytes: 7, pendingCompactionBytes: 8 }],
      runningFlushes: 1,
      runningCompactions: 2,
      isStopped: true,
      isDelayed: false,
    }
    const tasks: MeteredTask[] = [
      {
        id: '0_0',
        state: 'running',
        restoreRemaining: 0,
        recordsInFlight: 3,
        recordsBuffered: 9,
        lags: [{ topic: 'a', partition: 0, lag: 12 }],
        database,
      },
      {
        id: '0_1',
        state: 'running',
        restoreRemaining: 0,
        recordsInFlight: 4,
        recordsBuffered: 0,
        lags: [],
        database,
      },
      {
        id: '0_2',
        state: 'restoring',
        restoreRemaining: 50,
        recordsInFlight: 0,
        recordsBuffered: 0,
        lags: [],
        database: null,
      },
    ]
    const metrics = threadMetrics(0, tasks)
    let series = parseMetrics(await renderMetrics([await snapshot(metrics)]))
    assert.equal(series.get('weir_process_tasks{state="running",thread="0"}'), 2)
    assert.equal(series.get('weir_rocksdb_store_keys{store="counts",task="0_0",thread="0"}'), 5)
    assert.equal(series.get('weir_rocksdb_store_sst_bytes{store="counts",task="0_1",thread="0"}'), 6)
    assert.equal(series.get('weir_rocksdb_store_memtable_bytes{store="counts",task="0_1",thread="0"}'), 7)
    assert.equal(
      series.get('weir_rocksdb_store_pending_compaction_bytes{store="counts",task="0_0",thread="0"}'),
      8,
    )
    assert.equal(series.get('weir_rocksdb_running_flushes{thread="0"}'), 2)
    assert.equal(series.get('weir_rocksdb_running_compactions{thread="0"}'), 4)
    assert.equal(series.get('weir_rocksdb_stopped_databases{thread="0"}'), 2)
    assert.equal(series.get('weir_rocksdb_delayed_databases{thread="0"}'), 0)
    assert.equal(series.get('weir_process_tasks{state="restoring",thread="0"}'), 1)
    assert.equal(series.get('weir_process_tasks{state="suspended",thread="0"}'), 0)
    assert.equal(series.get('weir_restore_remaining_records{thread="0"}'), 50)
    assert.equal(series.get('weir_process_in_flight_records{thread="0"}'), 7)
    assert.equal(series.get('weir_process_buffered_records{task="0_0",thread="0"}'), 9)
    assert.equal(series.get('weir_restore_task_remaining_records{task="0_2",thread="0"}'), 50)
    assert.equal(series.get('weir_restore_task_remaining_records{task="0_1",thread="0"}'), 0)
    assert.equal(series.get('weir_consume_lag_records{partition="0",thread="0",topic="a"}'), 12)
    tasks.length = 0
    series = parseMetrics(await renderMetrics([await snapshot(metrics)]))
    assert.equal(series.get('weir_process_tasks{state="running",thread="0"}'), 0)
    assert.equal(series.get('weir_consume_lag_records{partition="0",thread="0",topic="a"}'), undefined)
    assert.equal(series.get('weir_rocksdb_store_keys{store="counts",task="0_0",thread="0"}'), undefined)
    assert.equal(series.get('weir_rocksdb_stopped_databases{thread="0"}'), 0)
    assert.equal(series.get('weir_process_buffered_records{task="0_0",thread="0"}'), undefined)
  })

  test('what was done at nodes and stores is that of all threads; what was not done has no series', async () => {
    const [first, second] = [threadMetrics(0), threadMetrics(1)]
    for (const [metrics, records] of [
      [first, 3],
      [second, 4],
    ] as const) {
      const sink = metrics.counters.node('sink', true)
      sink.records += records
      sink.seconds.observe(0.00002)
      sink.endToEnd.observe(records)
      metrics.counters.node('filter', false).records += 10
      const { get, all } = metrics.counters.store('counts')
      for (let call = 0; call < 2_000; call++) if (get.begins()) get.time(() => {})
      all.calls += records
    }
    const series = parseMetrics(await renderMetrics([await snapshot(first), await snapshot(second)]))
    for (const [name, value] of [
      ['weir_process_node_records_total{node="sink"}', 7],
      ['weir_process_node_records_total{node="filter"}', 20],
      ['weir_process_node_seconds_bucket{le="0.000016",node="sink"}', 0],
      ['weir_process_node_seconds_bucket{le="0.000064",node="sink"}', 2],
      ['weir_process_node_seconds_count{node="filter"}', undefined],
      ['weir_process_end_to_end_seconds_sum{node="sink"}', 7],
      ['weir_process_promise_seconds_count{node="sink"}', undefined],
      ['weir_state_operations_total{operation="get",store="counts"}', 4_000],
      // The first of each thread, and the one after 1,024.
      ['weir_state_operation_seconds_count{operation="get",store="counts"}', 4],
      ['weir_state_operations_total{operation="all",store="counts"}', 7],
      ['weir_state_operations_total{operation="put",store="counts"}', undefined],
    ] as const)
      assert.equal(series.get(name), value, name)
  })

  test('why records were dropped, what a thread waited for, and what its tasks took', async () => {
    const metrics = threadMetrics(0)
    for (const reason of ['null key or value', 'out of date: the row has changed', 'null key or value'])
      metrics.counters.recordDropped(reason)
    metrics.blocked('producer', 1_500)
    metrics.committed(1, 500)
    metrics.processed('0_1', 10, 250)
    metrics.processed('0_1', 5, 250)
    metrics.polled(3)
    const series = parseMetrics(await renderMetrics([await snapshot(metrics)]))
    assert.equal(metrics.counters.recordsDropped, 3)
    for (const [name, value] of [
      ['weir_process_records_dropped_total{reason="null-key-or-value",thread="0"}', 2],
      ['weir_process_records_dropped_total{reason="out-of-date",thread="0"}', 1],
      ['weir_process_blocked_seconds_total{by="producer",thread="0"}', 1.5],
      ['weir_process_blocked_seconds_total{by="commit",thread="0"}', 0.5],
      ['weir_process_blocked_seconds_total{by="input",thread="0"}', 0],
      ['weir_process_task_records_total{task="0_1",thread="0"}', 15],
      ['weir_process_task_seconds_total{task="0_1",thread="0"}', 0.5],
      ['weir_consume_poll_seconds_bucket{le="0.0025",thread="0"}', 0],
      ['weir_consume_poll_seconds_bucket{le="0.005",thread="0"}', 1],
      ['weir_process_lateness_seconds_count{thread="0"}', 0],
    ] as const)
      assert.equal(series.get(name), value, name)
  })
})

const countedAs: Readonly<Record<keyof RocksDbCounts, string>> = {
  dataBlockHits: 'block_cache_hits_total{kind="data"}',
  dataBlockMisses: 'block_cache_misses_total{kind="data"}',
  indexBlockHits: 'block_cache_hits_total{kind="index"}',
  indexBlockMisses: 'block_cache_misses_total{kind="index"}',
  filterBlockHits: 'block_cache_hits_total{kind="filter"}',
  filterBlockMisses: 'block_cache_misses_total{kind="filter"}',
  memtableHits: 'memtable_hits_total',
  memtableMisses: 'memtable_misses_total',
  filterSparedReads: 'filter_spared_reads_total',
  getBytesRead: 'read_bytes_total{by="get"}',
  multiGetBytesRead: 'read_bytes_total{by="multiget"}',
  scanBytesRead: 'read_bytes_total{by="scan"}',
  scanSeeks: 'scan_seeks_total',
  scanSkippedKeys: 'scan_skipped_keys_total',
  bytesWritten: 'written_bytes_total',
  flushBytesWritten: 'flush_written_bytes_total',
  compactionBytesRead: 'compaction_read_bytes_total',
  compactionBytesWritten: 'compaction_written_bytes_total',
  writeStallMicros: 'write_stall_seconds_total',
  fileOpens: 'file_opens_total',
  fileErrors: 'file_errors_total',
  flushes: 'flushes_total',
  flushMicros: 'flush_seconds_total',
  compactions: 'compactions_total',
  compactionMicros: 'compaction_seconds_total',
  backgroundErrors: 'background_errors_total',
}

test('the process tells its state, its budgets and its databases', async () => {
  let state = 'rebalancing'
  // Each count is another number: one that is put in another's place is seen.
  const counts = Object.fromEntries(
    Object.keys(countedAs).map((name, index) => [name, 1_000_000 * (index + 1)]),
  ) as unknown as RocksDbCounts
  const metrics = new ProcessMetrics({
    weirVersion: '1.2.3',
    versions: () => ({ librdkafka: '2.15.1', rocksdb: '9.7.4' }),
    applicationState: () => state,
    memoryBytes: 1_000,
    standstills: () => [
      [0, 0],
      [1, 2_500],
    ],
    memory: {
      blockCacheBytes: 1,
      writeBufferBytes: 2,
      stateCacheBytes: 3,
      overlayBytes: 4,
      fetchQueueBytes: 5,
      producerQueueBytes: 6,
      heapBytesPerThread: 7,
      reserveBytes: 8,
    },
    nativeObjects: () => 12,
    stateMemoryUsage: () => ({
      blockCacheBytes: 100,
      blockCachePinnedBytes: 20,
      memtableBytes: 30,
      memtablePeakBytes: 40,
      overlayBytes: 50,
      inMemoryBytes: 9,
      arbiterFlushes: 6,
      databases: 7,
      scans: 11,
    }),
    rocksDbCounts: () => counts,
  })
  await metrics.collect()
  state = 'running'
  const series = parseMetrics(await renderMetrics([await metrics.collect()]))
  assert.equal(series.get('weir_build_info{librdkafka="2.15.1",rocksdb="9.7.4",version="1.2.3"}'), 1)
  assert.equal(series.get('weir_application_state{state="running"}'), 1)
  assert.equal(series.get('weir_application_state{state="rebalancing"}'), undefined)
  assert.equal(series.get('weir_memory_budget_bytes{part="block_cache"}'), 1)
  assert.equal(series.get('weir_memory_budget_bytes{part="heap_per_thread"}'), 7)
  assert.equal(series.get('weir_rocksdb_memtable_peak_bytes'), 40)
  assert.equal(series.get('weir_rocksdb_arbiter_flushes_total'), 6)
  assert.equal(series.get('weir_native_objects'), 12)
  assert.equal(series.get('weir_memory_limit_bytes'), 1_000)
  assert.equal(series.get('weir_process_standstill_seconds{thread="1"}'), 2.5)
  assert.equal(series.get('weir_process_standstill_seconds{thread="0"}'), 0)
  metrics.close()
  assert.equal(series.get('weir_state_open_scans'), 11)
  for (const [name, metric] of Object.entries(countedAs)) {
    const expected = counts[name as keyof RocksDbCounts] / (name.endsWith('Micros') ? 1e6 : 1)
    assert.equal(series.get(`weir_rocksdb_${metric}`), expected, name)
  }
  assert.ok((series.get('process_resident_memory_bytes') ?? 0) > 0)
})

test('names follow Prometheus: a stage, a unit, and _total for what only grows', () => {
  for (const [name, entry] of Object.entries({
    ...streamThreadCatalogue,
    ...mainThreadCatalogue,
    ...schemaMetricCatalogue,
  })) {
    assert.match(name, /^weir(_[a-z]+)+$/)
    assert.equal(name.endsWith('_total'), entry.type === 'counter', name)
    if (entry.type === 'histogram') assert.match(name, /_seconds$/)
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb)(_|$)/)
  }
})
