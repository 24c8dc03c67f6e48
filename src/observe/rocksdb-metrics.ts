import type { RocksDbCounts } from '../native.ts'
import type { ProcessMetricName } from './metric-catalogue.ts'
import type { MetricSet } from './metric-set.ts'

/** One store's properties, as RocksDB estimates them. */
export interface MeteredStore {
  readonly store: string
  readonly keys: number
  readonly sstBytes: number
  readonly memtableBytes: number
  readonly pendingCompactionBytes: number
}

/** A task's database. */
export interface MeteredDatabase {
  readonly stores: readonly MeteredStore[]
  readonly runningFlushes: number
  readonly runningCompactions: number
  readonly isStopped: boolean
  readonly isDelayed: boolean
}

/** By RocksDB's names. The last four are the database's, and the same for each of its stores. */
const properties = [
  'rocksdb.estimate-num-keys',
  'rocksdb.live-sst-files-size',
  'rocksdb.cur-size-all-mem-tables',
  'rocksdb.estimate-pending-compaction-bytes',
  'rocksdb.num-running-flushes',
  'rocksdb.num-running-compactions',
  'rocksdb.is-write-stopped',
  'rocksdb.actual-delayed-write-rate',
] as const

/** Of a database that is open and not being restored, with its stores' names in their order. One native call: microseconds for each store. */
export function meterDatabase(
  database: { storeProperties(names: readonly string[]): Float64Array },
  stores: readonly string[],
): MeteredDatabase {
  const values = database.storeProperties(properties)
  const value = (store: number, property: number): number => values[store * properties.length + property]!
  return {
    stores: stores.map((store, index) => ({
      store,
      keys: value(index, 0),
      sstBytes: value(index, 1),
      memtableBytes: value(index, 2),
      pendingCompactionBytes: value(index, 3),
    })),
    runningFlushes: value(0, 4),
    runningCompactions: value(0, 5),
    isStopped: value(0, 6) > 0,
    isDelayed: value(0, 7) > 0,
  }
}

/** Puts what RocksDB has counted into the process's metrics. */
export function setRocksDbCounts(set: MetricSet<ProcessMetricName>, counts: RocksDbCounts): void {
  for (const kind of ['data', 'index', 'filter'] as const) {
    set.total('weir_rocksdb_block_cache_hits_total', { kind }, counts[`${kind}BlockHits`])
    set.total('weir_rocksdb_block_cache_misses_total', { kind }, counts[`${kind}BlockMisses`])
  }
  set.total('weir_rocksdb_memtable_hits_total', {}, counts.memtableHits)
  set.total('weir_rocksdb_memtable_misses_total', {}, counts.memtableMisses)
  set.total('weir_rocksdb_filter_spared_reads_total', {}, counts.filterSparedReads)
  set.total('weir_rocksdb_read_bytes_total', { by: 'get' }, counts.getBytesRead)
  set.total('weir_rocksdb_read_bytes_total', { by: 'multiget' }, counts.multiGetBytesRead)
  set.total('weir_rocksdb_read_bytes_total', { by: 'scan' }, counts.scanBytesRead)
  set.total('weir_rocksdb_scan_seeks_total', {}, counts.scanSeeks)
  set.total('weir_rocksdb_scan_skipped_keys_total', {}, counts.scanSkippedKeys)
  set.total('weir_rocksdb_written_bytes_total', {}, counts.bytesWritten)
  set.total('weir_rocksdb_flush_written_bytes_total', {}, counts.flushBytesWritten)
  set.total('weir_rocksdb_compaction_read_bytes_total', {}, counts.compactionBytesRead)
  set.total('weir_rocksdb_compaction_written_bytes_total', {}, counts.compactionBytesWritten)
  set.total('weir_rocksdb_flushes_total', {}, counts.flushes)
  set.total('weir_rocksdb_flush_seconds_total', {}, counts.flushMicros / 1e6)
  set.total('weir_rocksdb_compactions_total', {}, counts.compactions)
  set.total('weir_rocksdb_compaction_seconds_total', {}, counts.compactionMicros / 1e6)
  set.total('weir_rocksdb_write_stall_seconds_total', {}, counts.writeStallMicros / 1e6)
  set.total('weir_rocksdb_file_opens_total', {}, counts.fileOpens)
  set.total('weir_rocksdb_file_errors_total', {}, counts.fileErrors)
  set.total('weir_rocksdb_background_errors_total', {}, counts.backgroundErrors)
}
