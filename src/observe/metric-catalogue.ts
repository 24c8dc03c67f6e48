import { ageSeconds, recordSeconds, seconds } from './buckets.ts'
import type { MetricEntry } from './metric-entry.ts'
import { threadMetricCatalogue } from './thread-metric-catalogue.ts'

/** Of the topology's nodes and stores, all threads added up. */
export const topologyMetricCatalogue = {
  weir_process_node_records_total: {
    type: 'counter',
    help: 'Records that a node got; of a source, those that went on to the nodes below it',
    labels: ['node'],
  },
  weir_process_node_seconds: {
    type: 'histogram',
    help: "A node's own time for a record, without that of the nodes below it; of sampled records",
    labels: ['node'],
    buckets: recordSeconds,
  },
  weir_process_end_to_end_seconds: {
    type: 'histogram',
    help: 'From the timestamp of a record until the node that nothing is below is done with it; of sampled records. A sink is done when the producer has the record',
    labels: ['node'],
    buckets: ageSeconds,
  },
  weir_process_promise_seconds: {
    type: 'histogram',
    help: "Time until an async processor's promise has settled; of one in 16",
    labels: ['node'],
    buckets: seconds,
  },
  weir_state_operations_total: {
    type: 'counter',
    help: 'What a store was asked for; operation: get, put, delete, fetch (of window and session stores), all, range, prefix-scan, flush',
    labels: ['store', 'operation'],
  },
  weir_state_operation_seconds: {
    type: 'histogram',
    help: 'Time of an operation, of one call in 1,024, and of every flush; of a scan, until its first rows are there',
    labels: ['store', 'operation'],
    buckets: recordSeconds,
  },
} as const satisfies Record<string, MetricEntry>

/** Of the process. */
export const processMetricCatalogue = {
  weir_build_info: {
    type: 'gauge',
    help: 'Always 1; the versions are in the labels',
    labels: ['version', 'librdkafka', 'rocksdb'],
  },
  weir_application_state: { type: 'gauge', help: '1 for the state the application is in', labels: ['state'] },
  weir_process_standstill_seconds: {
    type: 'gauge',
    help: 'For how long a stream thread has not turned: 0 unless it is stuck in what it does. After WEIR_THREAD_STUCK_TIMEOUT_MS the application stops',
    labels: ['thread'],
  },
  weir_memory_limit_bytes: {
    type: 'gauge',
    help: 'WEIR_MEMORY_BYTES, within which process_resident_memory_bytes is to stay',
    labels: [],
  },
  weir_memory_budget_bytes: { type: 'gauge', help: 'How WEIR_MEMORY_BYTES is divided', labels: ['part'] },
  weir_native_objects: {
    type: 'gauge',
    help: 'Native objects that the threads hold, or that wait to be collected',
    labels: [],
  },
  weir_state_open_scans: { type: 'gauge', help: 'Open iterators over stores, of all tasks', labels: [] },
  weir_rocksdb_databases: { type: 'gauge', help: 'Open databases', labels: [] },
  weir_rocksdb_block_cache_bytes: {
    type: 'gauge',
    help: 'Block cache in use, write buffers included',
    labels: [],
  },
  weir_rocksdb_block_cache_pinned_bytes: {
    type: 'gauge',
    help: 'Block cache that cannot be evicted now',
    labels: [],
  },
  weir_state_in_memory_bytes: {
    type: 'gauge',
    help: 'Committed rows of in-memory stores of all tasks',
    labels: [],
  },
  weir_rocksdb_memtable_bytes: { type: 'gauge', help: 'Memtables of all databases', labels: [] },
  weir_rocksdb_memtable_peak_bytes: { type: 'gauge', help: 'The most that memtables have taken', labels: [] },
  weir_rocksdb_arbiter_flushes_total: {
    type: 'counter',
    help: 'Flushes asked for to keep the write-buffer budget',
    labels: [],
  },
  weir_rocksdb_block_cache_hits_total: {
    type: 'counter',
    help: 'Blocks found in the block cache; kind: data, index, filter',
    labels: ['kind'],
  },
  weir_rocksdb_block_cache_misses_total: {
    type: 'counter',
    help: 'Blocks that had to be read from a file; kind: data, index, filter',
    labels: ['kind'],
  },
  weir_rocksdb_memtable_hits_total: { type: 'counter', help: 'Keys found in a memtable', labels: [] },
  weir_rocksdb_memtable_misses_total: {
    type: 'counter',
    help: 'Keys that were not in a memtable',
    labels: [],
  },
  weir_rocksdb_filter_spared_reads_total: {
    type: 'counter',
    help: 'Files that a filter said to be without the key',
    labels: [],
  },
  weir_rocksdb_read_bytes_total: {
    type: 'counter',
    help: 'Bytes of rows read from RocksDB; by: get, multiget, scan',
    labels: ['by'],
  },
  weir_rocksdb_scan_seeks_total: { type: 'counter', help: 'Places that scans looked for', labels: [] },
  weir_rocksdb_scan_skipped_keys_total: {
    type: 'counter',
    help: 'Deleted and overwritten keys that scans stepped over',
    labels: [],
  },
  weir_rocksdb_written_bytes_total: {
    type: 'counter',
    help: 'Bytes of rows written to RocksDB',
    labels: [],
  },
  weir_rocksdb_flush_written_bytes_total: {
    type: 'counter',
    help: 'Bytes of files that flushes wrote',
    labels: [],
  },
  weir_rocksdb_compaction_read_bytes_total: {
    type: 'counter',
    help: 'Bytes of files that compactions read',
    labels: [],
  },
  weir_rocksdb_compaction_written_bytes_total: {
    type: 'counter',
    help: 'Bytes of files that compactions wrote',
    labels: [],
  },
  weir_rocksdb_flushes_total: { type: 'counter', help: 'Flushes that are done', labels: [] },
  weir_rocksdb_flush_seconds_total: { type: 'counter', help: 'Time they took', labels: [] },
  weir_rocksdb_compactions_total: { type: 'counter', help: 'Compactions that are done', labels: [] },
  weir_rocksdb_compaction_seconds_total: { type: 'counter', help: 'Time they took', labels: [] },
  weir_rocksdb_write_stall_seconds_total: {
    type: 'counter',
    help: 'Time that writes were held up for flushes and compactions',
    labels: [],
  },
  weir_rocksdb_file_opens_total: { type: 'counter', help: 'Files opened', labels: [] },
  weir_rocksdb_file_errors_total: { type: 'counter', help: 'Files that could not be opened', labels: [] },
  weir_rocksdb_background_errors_total: {
    type: 'counter',
    help: 'Flushes and compactions that failed',
    labels: [],
  },
} as const satisfies Record<string, MetricEntry>

/** Of the process, where the topology uses a schema registry. */
export const schemaMetricCatalogue = {
  weir_schema_registry_requests_total: {
    type: 'counter',
    help: 'Requests, each URL that was tried; kind: schema, version, versions, look-up, register; outcome: answered, missing, refused, failed',
    labels: ['kind', 'outcome'],
  },
  weir_schema_registry_request_seconds: {
    type: 'histogram',
    help: 'Time until the registry has answered, whatever it answers; failed requests are left out',
    labels: ['kind'],
    buckets: seconds,
  },
  weir_schema_registry_retries_total: {
    type: 'counter',
    help: 'Attempts that were made again because no URL has answered',
    labels: [],
  },
  weir_schema_registry_schemas: { type: 'gauge', help: 'Schemas that the process knows', labels: [] },
  weir_schema_registry_awaited_schemas: {
    type: 'gauge',
    help: 'Schemas that were asked for and are not known yet: records wait for them',
    labels: [],
  },
} as const satisfies Record<string, MetricEntry>

/** What is asked of the stores. */
export const queryMetricCatalogue = {
  weir_query_requests_total: {
    type: 'counter',
    help: 'Queries by outcome: answered, or why there was no answer; those of other processes count where they are asked, and where they are answered',
    labels: ['outcome'],
  },
  weir_query_seconds: {
    type: 'histogram',
    help: 'Time until a query was answered, in whatever process',
    labels: [],
    buckets: seconds,
  },
  weir_query_forwarded_total: {
    type: 'counter',
    help: 'Questions to other processes, one for each partition of a query',
    labels: [],
  },
} as const satisfies Record<string, MetricEntry>

/** What a stream thread tells. */
export const streamThreadCatalogue = { ...threadMetricCatalogue, ...topologyMetricCatalogue }

/** What the main thread tells: of its event loop as a stream thread does of its own. */
export const mainThreadCatalogue = {
  ...processMetricCatalogue,
  weir_process_event_loop_delay_seconds: threadMetricCatalogue.weir_process_event_loop_delay_seconds,
}

export type ThreadMetricName = keyof typeof streamThreadCatalogue
export type ProcessMetricName = keyof typeof mainThreadCatalogue
export type SchemaMetricName = keyof typeof schemaMetricCatalogue
