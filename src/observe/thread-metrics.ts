import { getHeapStatistics } from 'node:v8'

import { streamThreadCatalogue, type ThreadMetricName } from './metric-catalogue.ts'
import { MetricSet, type MetricSnapshot } from './metric-set.ts'
import type { MeteredDatabase } from './rocksdb-metrics.ts'
import { ThreadCounters } from './thread-counters.ts'
import type { TimeHistogram } from './time-histogram.ts'
import { setTopologyCounts } from './topology-metrics.ts'

/** A task as metrics see it. */
export interface MeteredTask {
  readonly id: string
  readonly state: string
  /** Changelog records still to restore. */
  readonly restoreRemaining: number
  /** Records taken and not done with, of async processors. */
  readonly recordsInFlight: number
  /** Records taken from the consumer that wait to be processed. */
  readonly recordsBuffered: number
  readonly lags: Iterable<{ readonly topic: string; readonly partition: number; readonly lag: number }>
  /** null for a task without stores, or whose database is not at work. */
  readonly database: MeteredDatabase | null
}

/** What is on its way to Cassandra. */
export interface CassandraFigures {
  readonly requestsInFlight: number
  readonly queuedRows: number
  readonly queuedBytes: number
  readonly backlogRows: number
}

/** What a stream thread is asked when somebody reads the metrics. */
export interface ThreadMetricsSource {
  tasks(): Iterable<MeteredTask>
  /** Hits and misses since the caches began. */
  cache(): {
    readonly bytes: number
    readonly limitBytes: number
    readonly entries: number
    readonly hits: number
    readonly misses: number
  }
  overlayBytes(): number
  producerQueue(): { readonly records: number; readonly bytes: number }
  /** null: the topology does not write to Cassandra. Default: that. */
  cassandra?(): CassandraFigures | null
}

const storeMetrics = [
  'weir_rocksdb_store_keys',
  'weir_rocksdb_store_sst_bytes',
  'weir_rocksdb_store_memtable_bytes',
  'weir_rocksdb_store_pending_compaction_bytes',
] as const

const taskGauges = ['weir_process_buffered_records', 'weir_restore_task_remaining_records'] as const

const taskStates = ['created', 'restoring', 'running', 'suspended'] as const

/**
 * One stream thread's metrics. The thread adds to `counters` and reports how long turns and commits took; everything else is asked of `source`
 * when the metrics are read. Used by that thread alone.
 */
export class ThreadMetrics {
  readonly counters = new ThreadCounters()
  readonly #set = new MetricSet<ThreadMetricName>(streamThreadCatalogue)
  readonly #thread: string
  readonly #source: ThreadMetricsSource
  readonly #batchSeconds: TimeHistogram
  readonly #pollSeconds: TimeHistogram
  readonly #commitSeconds: TimeHistogram
  readonly #blockedMs = { input: 0, producer: 0, commit: 0 }

  constructor(thread: number | string, source: ThreadMetricsSource) {
    this.#thread = String(thread)
    this.#source = source
    const histogram = (name: ThreadMetricName): TimeHistogram =>
      this.#set.histogram(name, { thread: this.#thread })
    this.#batchSeconds = histogram('weir_process_batch_seconds')
    this.#pollSeconds = histogram('weir_consume_poll_seconds')
    this.#commitSeconds = histogram('weir_commit_seconds')
    const labels = { thread: this.#thread }
    this.#set.show('weir_process_lateness_seconds', labels, this.counters.lateness)
    this.#set.show('weir_process_punctuate_seconds', labels, this.counters.punctuateSeconds)
    this.#set.show('weir_restore_seconds', labels, this.counters.restoreSeconds)
  }

  /** A partition was polled, and had records. */
  polled(durationMs: number): void {
    this.#pollSeconds.observe(durationMs / 1000)
  }

  /** A task processed `records` records in one turn. */
  processed(task: string, records: number, durationMs: number): void {
    const { counters } = this
    const ofTask = counters.task(task)
    ofTask.records += records
    ofTask.processMs += durationMs
    counters.recordsProcessed += records
    this.#batchSeconds.observe(durationMs / 1000)
  }

  committed(changelogRecords: number, durationMs: number): void {
    this.counters.commits++
    this.counters.changelogRecords += changelogRecords
    this.#commitSeconds.observe(durationMs / 1000)
    this.blocked('commit', durationMs)
  }

  /** The thread has waited. */
  blocked(by: 'input' | 'producer' | 'commit', durationMs: number): void {
    this.#blockedMs[by] += durationMs
  }

  /** To observe how late the thread's event loop is. */
  eventLoopSeconds(): TimeHistogram {
    return this.#set.histogram('weir_process_event_loop_delay_seconds', { thread: this.#thread })
  }

  /** To observe how long requests to Cassandra take. */
  cassandraSeconds(): TimeHistogram {
    return this.#set.histogram('weir_cassandra_request_seconds', { thread: this.#thread })
  }

  /** To observe how long rows of tiered stores take to come. */
  loadSeconds(): TimeHistogram {
    return this.#set.histogram('weir_tiered_load_seconds', { thread: this.#thread })
  }

  /** The numbers as they are now; they can cross to the main thread, where {@link renderMetrics} adds the threads up. */
  collect(): Promise<MetricSnapshot> {
    // Tasks first: asking a restore how far it is counts what it has restored.
    this.#foldTasks()
    this.#foldCounters()
    this.#foldCassandra()
    setTopologyCounts(this.#set, this.counters)
    const thread = { thread: this.#thread }
    const cache = this.#source.cache()
    this.#set.set('weir_state_cache_bytes', thread, cache.bytes)
    this.#set.set('weir_state_cache_limit_bytes', thread, cache.limitBytes)
    this.#set.set('weir_state_cache_entries', thread, cache.entries)
    this.#set.total('weir_state_cache_hits_total', thread, cache.hits)
    this.#set.total('weir_state_cache_misses_total', thread, cache.misses)
    this.#set.set('weir_heap_used_bytes', thread, getHeapStatistics().used_heap_size)
    this.#set.set('weir_state_overlay_bytes', thread, this.#source.overlayBytes())
    const queue = this.#source.producerQueue()
    this.#set.set('weir_produce_queue_records', thread, queue.records)
    this.#set.set('weir_produce_queue_bytes', thread, queue.bytes)
    return this.#set.snapshot()
  }

  #foldCounters(): void {
    const { counters } = this
    const thread = { thread: this.#thread }
    for (const [topic, { records, bytes }] of counters.consumedTopics) {
      this.#set.total('weir_consume_records_total', { ...thread, topic }, records)
      this.#set.total('weir_consume_bytes_total', { ...thread, topic }, bytes)
    }
    for (const [topic, { records, bytes }] of counters.producedTopics) {
      this.#set.total('weir_produce_records_total', { ...thread, topic }, records)
      this.#set.total('weir_produce_bytes_total', { ...thread, topic }, bytes)
    }
    this.#set.total('weir_process_records_total', thread, counters.recordsProcessed)
    for (const [reason, records] of counters.droppedRecords)
      this.#set.total('weir_process_records_dropped_total', { ...thread, reason: labelOf(reason) }, records)
    this.#set.total('weir_process_enforced_records_total', thread, counters.recordsEnforced)
    for (const [by, ms] of Object.entries(this.#blockedMs))
      this.#set.total('weir_process_blocked_seconds_total', { ...thread, by }, ms / 1000)
    for (const [task, { records, processMs }] of counters.tasks) {
      this.#set.total('weir_process_task_records_total', { ...thread, task }, records)
      this.#set.total('weir_process_task_seconds_total', { ...thread, task }, processMs / 1000)
    }
    this.#set.total('weir_errors_dead_letters_total', thread, counters.deadLetters)
    for (const [kind, errors] of counters.handledErrors)
      this.#set.total('weir_errors_handled_total', { ...thread, kind }, errors)
    this.#set.total('weir_process_retries_total', thread, counters.retries)
    this.#set.total('weir_process_slow_records_total', thread, counters.slowRecords)
    this.#set.total('weir_process_punctuations_total', thread, counters.punctuations)
    for (const [node, emits] of counters.suppressionEmits)
      this.#set.total('weir_process_suppression_emits_total', { ...thread, node }, emits)
    this.#set.total('weir_process_tasks_created_total', thread, counters.tasksCreated)
    this.#set.total('weir_process_tasks_closed_total', thread, counters.tasksClosed)
    this.#set.total('weir_commit_changelog_records_total', thread, counters.changelogRecords)
    this.#set.total('weir_restore_records_total', thread, counters.restoredRecords)
    for (const [reason, resets] of counters.stateResets)
      this.#set.total('weir_restore_resets_total', { ...thread, reason }, resets)
  }

  #foldCassandra(): void {
    const figures = this.#source.cassandra?.() ?? null
    if (figures === null) return
    const thread = { thread: this.#thread }
    const { retries, errors, rows } = this.counters.cassandra
    this.#set.set('weir_cassandra_requests_in_flight', thread, figures.requestsInFlight)
    this.#set.set('weir_cassandra_queue_rows', thread, figures.queuedRows)
    this.#set.set('weir_cassandra_queue_bytes', thread, figures.queuedBytes)
    this.#set.set('weir_tiered_backlog_rows', thread, figures.backlogRows)
    this.#set.total('weir_cassandra_retries_total', thread, retries)
    for (const [reason, count] of errors)
      this.#set.total('weir_cassandra_errors_total', { ...thread, reason }, count)
    for (const [table, count] of rows)
      this.#set.total('weir_cassandra_rows_written_total', { ...thread, table }, count)
    for (const [store, { disk, cassandra, evictions }] of this.counters.tiers) {
      this.#set.total('weir_tiered_reads_total', { ...thread, store, tier: 'disk' }, disk)
      this.#set.total('weir_tiered_reads_total', { ...thread, store, tier: 'cassandra' }, cassandra)
      this.#set.total('weir_tiered_evictions_total', { ...thread, store }, evictions)
    }
  }

  #foldTasks(): void {
    const thread = { thread: this.#thread }
    const states = new Map<string, number>(taskStates.map((state) => [state, 0]))
    let restoreRemaining = 0
    let recordsInFlight = 0
    const databases: [task: string, database: MeteredDatabase][] = []
    this.#set.clear('weir_consume_lag_records')
    for (const name of taskGauges) this.#set.clear(name)
    for (const task of this.#source.tasks()) {
      states.set(task.state, (states.get(task.state) ?? 0) + 1)
      restoreRemaining += task.restoreRemaining
      recordsInFlight += task.recordsInFlight
      const labels = { ...thread, task: task.id }
      this.#set.set('weir_process_buffered_records', labels, task.recordsBuffered)
      this.#set.set('weir_restore_task_remaining_records', labels, task.restoreRemaining)
      if (task.database !== null) databases.push([task.id, task.database])
      for (const { topic, partition, lag } of task.lags) {
        this.#set.set('weir_consume_lag_records', { ...thread, topic, partition: String(partition) }, lag)
      }
    }
    for (const [state, count] of states) this.#set.set('weir_process_tasks', { ...thread, state }, count)
    this.#set.set('weir_restore_remaining_records', thread, restoreRemaining)
    this.#set.set('weir_process_in_flight_records', thread, recordsInFlight)
    this.#foldDatabases(databases)
  }

  #foldDatabases(databases: readonly [task: string, database: MeteredDatabase][]): void {
    const thread = { thread: this.#thread }
    for (const name of storeMetrics) this.#set.clear(name)
    for (const [task, { stores }] of databases) {
      for (const { store, keys, sstBytes, memtableBytes, pendingCompactionBytes } of stores) {
        const labels = { ...thread, task, store }
        this.#set.set('weir_rocksdb_store_keys', labels, keys)
        this.#set.set('weir_rocksdb_store_sst_bytes', labels, sstBytes)
        this.#set.set('weir_rocksdb_store_memtable_bytes', labels, memtableBytes)
        this.#set.set('weir_rocksdb_store_pending_compaction_bytes', labels, pendingCompactionBytes)
      }
    }
    const sum = (of: (database: MeteredDatabase) => number): number =>
      databases.reduce((total, [, database]) => total + of(database), 0)
    this.#set.set(
      'weir_rocksdb_running_flushes',
      thread,
      sum((one) => one.runningFlushes),
    )
    this.#set.set(
      'weir_rocksdb_running_compactions',
      thread,
      sum((one) => one.runningCompactions),
    )
    this.#set.set(
      'weir_rocksdb_stopped_databases',
      thread,
      sum((one) => Number(one.isStopped)),
    )
    this.#set.set(
      'weir_rocksdb_delayed_databases',
      thread,
      sum((one) => Number(one.isDelayed)),
    )
  }
}

/** `out of date: the row has changed` -> `out-of-date` */
function labelOf(reason: string): string {
  return reason.replace(/:.*/, '').replaceAll(' ', '-')
}
