import { ageSeconds, delaySeconds, restoreSeconds, seconds } from './buckets.ts'
import type { MetricEntry } from './metric-entry.ts'

/** Of one stream thread; `thread` is its index. */
export const threadMetricCatalogue = {
  weir_consume_records_total: {
    type: 'counter',
    help: 'Records read from a topic',
    labels: ['thread', 'topic'],
  },
  weir_consume_bytes_total: {
    type: 'counter',
    help: 'Key and value bytes read from a topic',
    labels: ['thread', 'topic'],
  },
  weir_consume_lag_records: {
    type: 'gauge',
    help: 'Records between the next one to process and the end of the partition, as far as the consumer knows',
    labels: ['thread', 'topic', 'partition'],
  },
  weir_consume_poll_seconds: {
    type: 'histogram',
    help: 'Time to take what has arrived in a partition: of polls that found records',
    labels: ['thread'],
    buckets: seconds,
  },
  weir_process_records_total: { type: 'counter', help: 'Records processed', labels: ['thread'] },
  weir_process_records_dropped_total: {
    type: 'counter',
    help: 'Records dropped instead of processed; reason: null-key and the like, negative-timestamp, expired-window, expired-row, out-of-order, out-of-date, no-partition-chosen, error-handler. One that two operators drop counts twice',
    labels: ['thread', 'reason'],
  },
  weir_process_enforced_records_total: {
    type: 'counter',
    help: 'Records processed while another input of their task was empty, which max.task.idle.ms no longer waited for: their order over the inputs is not certain',
    labels: ['thread'],
  },
  weir_process_lateness_seconds: {
    type: 'histogram',
    help: "How far a record's timestamp lies behind its task's stream time; of sampled records",
    labels: ['thread'],
    buckets: ageSeconds,
  },
  weir_errors_handled_total: {
    type: 'counter',
    help: 'Errors that a handler decided on; kind: deserialization, processing, production',
    labels: ['thread', 'kind'],
  },
  weir_errors_dead_letters_total: {
    type: 'counter',
    help: 'Records written to dead-letter topics',
    labels: ['thread'],
  },
  weir_process_retries_total: {
    type: 'counter',
    help: 'Attempts at records that failed with a RetriableError and were made again',
    labels: ['thread'],
  },
  weir_process_in_flight_records: {
    type: 'gauge',
    help: 'Records that wait for a promise of an async processor, or behind one that does',
    labels: ['thread'],
  },
  weir_process_slow_records_total: {
    type: 'counter',
    help: 'Records whose processing took longer than WEIR_SLOW_RECORD_MS',
    labels: ['thread'],
  },
  weir_process_punctuations_total: { type: 'counter', help: 'Punctuators run', labels: ['thread'] },
  weir_process_punctuate_seconds: {
    type: 'histogram',
    help: 'Time of the punctuators of a task that were due together; of those on stream time one of 16',
    labels: ['thread'],
    buckets: seconds,
  },
  weir_process_suppression_emits_total: {
    type: 'counter',
    help: 'Changes that a suppression held back and then forwarded',
    labels: ['thread', 'node'],
  },
  weir_process_batch_seconds: {
    type: 'histogram',
    help: 'Time a task took for the records of one turn',
    labels: ['thread'],
    buckets: seconds,
  },
  weir_process_blocked_seconds_total: {
    type: 'counter',
    help: 'Time a thread waited instead of processing; by: input (nothing to process yet), producer (its queue was full), commit',
    labels: ['thread', 'by'],
  },
  weir_process_event_loop_delay_seconds: {
    type: 'histogram',
    help: 'How late the event loop was, looked at every 20 ms; of a thread that works it is as long as a turn. `main` is the main thread',
    labels: ['thread'],
    buckets: delaySeconds,
  },
  weir_process_tasks: { type: 'gauge', help: 'Tasks by state', labels: ['thread', 'state'] },
  weir_process_tasks_created_total: { type: 'counter', help: 'Tasks opened', labels: ['thread'] },
  weir_process_tasks_closed_total: { type: 'counter', help: 'Tasks closed', labels: ['thread'] },
  weir_process_task_records_total: {
    type: 'counter',
    help: "A task's records",
    labels: ['thread', 'task'],
  },
  weir_process_task_seconds_total: {
    type: 'counter',
    help: "Time a task's records took: its rate is the part of a core that the task uses",
    labels: ['thread', 'task'],
  },
  weir_process_buffered_records: {
    type: 'gauge',
    help: "A task's records that have been taken from the consumer and wait to be processed",
    labels: ['thread', 'task'],
  },
  weir_state_cache_bytes: { type: 'gauge', help: 'Memory of decoded values', labels: ['thread'] },
  weir_state_cache_limit_bytes: { type: 'gauge', help: 'Budget for decoded values', labels: ['thread'] },
  weir_state_cache_entries: { type: 'gauge', help: 'Decoded values held', labels: ['thread'] },
  weir_state_cache_hits_total: {
    type: 'counter',
    help: 'Reads that the cache of decoded values answered',
    labels: ['thread'],
  },
  weir_state_cache_misses_total: {
    type: 'counter',
    help: 'Reads that went on to the overlay and RocksDB',
    labels: ['thread'],
  },
  weir_state_overlay_bytes: { type: 'gauge', help: 'Changes since the last commit', labels: ['thread'] },
  weir_heap_used_bytes: {
    type: 'gauge',
    help: "The thread's JavaScript heap in use, what waits to be collected included",
    labels: ['thread'],
  },
  weir_produce_records_total: {
    type: 'counter',
    help: 'Records written to a topic',
    labels: ['thread', 'topic'],
  },
  weir_produce_bytes_total: {
    type: 'counter',
    help: 'Key and value bytes written to a topic',
    labels: ['thread', 'topic'],
  },
  weir_produce_queue_records: {
    type: 'gauge',
    help: 'Records handed to the producer and not yet delivered',
    labels: ['thread'],
  },
  weir_produce_queue_bytes: {
    type: 'gauge',
    help: 'Bytes handed to the producer and not yet delivered',
    labels: ['thread'],
  },
  weir_commit_seconds: {
    type: 'histogram',
    help: 'Time of a commit, from its begin to the offsets',
    labels: ['thread'],
    buckets: seconds,
  },
  weir_commit_changelog_records_total: {
    type: 'counter',
    help: 'Records written to changelogs',
    labels: ['thread'],
  },
  weir_cassandra_request_seconds: {
    type: 'histogram',
    help: 'Time of a request to Cassandra, of whatever outcome; its count is that of the requests',
    labels: ['thread'],
    buckets: seconds,
  },
  weir_cassandra_requests_in_flight: {
    type: 'gauge',
    help: 'Requests to Cassandra that are not settled, those that are tried again included',
    labels: ['thread'],
  },
  weir_cassandra_retries_total: {
    type: 'counter',
    help: 'Requests to Cassandra, and connections at the start, that were tried again',
    labels: ['thread'],
  },
  weir_cassandra_errors_total: {
    type: 'counter',
    help: 'Requests to Cassandra that failed; reason: unreachable, timeout, unavailable, overloaded, server, refused, denied',
    labels: ['thread', 'reason'],
  },
  weir_cassandra_rows_written_total: {
    type: 'counter',
    help: 'Rows written to a table in Cassandra, or deleted from it',
    labels: ['thread', 'table'],
  },
  weir_cassandra_queue_rows: {
    type: 'gauge',
    help: 'Rows that are not in Cassandra yet',
    labels: ['thread'],
  },
  weir_cassandra_queue_bytes: {
    type: 'gauge',
    help: 'Bytes of these rows, estimated',
    labels: ['thread'],
  },
  weir_tiered_reads_total: {
    type: 'counter',
    help: 'Rows of a tiered store that were looked for and not in its cache, by where they were, or were known to be absent: tier is disk or cassandra',
    labels: ['thread', 'store', 'tier'],
  },
  weir_tiered_load_seconds: {
    type: 'histogram',
    help: 'Time until a row of a tiered store has come from Cassandra, with waiting for a place and all attempts',
    labels: ['thread'],
    buckets: seconds,
  },
  weir_tiered_backlog_rows: {
    type: 'gauge',
    help: 'Rows of tiered stores that were changed and are not in Cassandra yet',
    labels: ['thread'],
  },
  weir_tiered_evictions_total: {
    type: 'counter',
    help: 'Times that a half of what a task keeps of a tiered store was emptied',
    labels: ['thread', 'store'],
  },
  weir_rocksdb_store_keys: {
    type: 'gauge',
    help: "RocksDB's estimate of a store's rows; those of a store in memory",
    labels: ['thread', 'task', 'store'],
  },
  weir_rocksdb_store_sst_bytes: {
    type: 'gauge',
    help: "A store's files on disk",
    labels: ['thread', 'task', 'store'],
  },
  weir_rocksdb_store_memtable_bytes: {
    type: 'gauge',
    help: "A store's memtables, those being flushed included",
    labels: ['thread', 'task', 'store'],
  },
  weir_rocksdb_store_pending_compaction_bytes: {
    type: 'gauge',
    help: "Bytes of a store's files that wait to be compacted, estimated",
    labels: ['thread', 'task', 'store'],
  },
  weir_rocksdb_running_flushes: {
    type: 'gauge',
    help: "Flushes of the thread's databases that run now",
    labels: ['thread'],
  },
  weir_rocksdb_running_compactions: {
    type: 'gauge',
    help: "Compactions of the thread's databases that run now",
    labels: ['thread'],
  },
  weir_rocksdb_stopped_databases: {
    type: 'gauge',
    help: "The thread's databases whose writes wait for flushes or compactions",
    labels: ['thread'],
  },
  weir_rocksdb_delayed_databases: {
    type: 'gauge',
    help: "The thread's databases whose writes are slowed down for compactions",
    labels: ['thread'],
  },
  weir_restore_records_total: { type: 'counter', help: 'Changelog records restored', labels: ['thread'] },
  weir_restore_remaining_records: {
    type: 'gauge',
    help: 'Changelog records still to restore',
    labels: ['thread'],
  },
  weir_restore_task_remaining_records: {
    type: 'gauge',
    help: 'The same by task; 0 of one that runs',
    labels: ['thread', 'task'],
  },
  weir_restore_seconds: {
    type: 'histogram',
    help: "Time a task's stores took to be restored; of those that had nothing to replay, too",
    labels: ['thread'],
    buckets: restoreSeconds,
  },
  weir_restore_resets_total: {
    type: 'counter',
    help: 'Stores whose local rows were not used but restored from the beginning; docs/guarantees.md tells the reasons',
    labels: ['thread', 'reason'],
  },
} as const satisfies Record<string, MetricEntry>
