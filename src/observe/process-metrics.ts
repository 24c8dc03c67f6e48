import { collectDefaultMetrics, Registry } from 'prom-client'

import type { MemoryBudget } from '../config/config.ts'
import type { NativeVersions, RocksDbCounts, StateMemoryUsage } from '../native.ts'
import { processMetricCatalogue } from './metric-catalogue.ts'
import { MetricSet, type MetricSnapshot } from './metric-set.ts'
import { setRocksDbCounts } from './rocksdb-metrics.ts'

/** What the main thread is asked when somebody reads the metrics. */
export interface ProcessMetricsSource {
  readonly weirVersion: string
  versions(): NativeVersions
  applicationState(): string
  nativeObjects(): number
  readonly memory: MemoryBudget
  /** null when no database was opened yet. */
  stateMemoryUsage(): StateMemoryUsage | null
  rocksDbCounts(): RocksDbCounts | null
}

/** The metrics of the process as a whole: state memory, budgets, versions, and prom-client's process_* and nodejs_*. Main thread only. */
export class ProcessMetrics {
  readonly #set = new MetricSet(processMetricCatalogue)
  readonly #defaults = new Registry()
  readonly #source: ProcessMetricsSource

  constructor(source: ProcessMetricsSource) {
    this.#source = source
    collectDefaultMetrics({ register: this.#defaults })
    this.#set.set('weir_build_info', { version: source.weirVersion, ...source.versions() }, 1)
    for (const [part, bytes] of Object.entries(source.memory)) {
      this.#set.set('weir_memory_budget_bytes', { part: partLabel(part) }, bytes)
    }
  }

  async collect(): Promise<MetricSnapshot> {
    this.#set.clear('weir_application_state')
    this.#set.set('weir_application_state', { state: this.#source.applicationState() }, 1)
    this.#set.set('weir_native_objects', {}, this.#source.nativeObjects())
    const usage = this.#source.stateMemoryUsage()
    if (usage !== null) {
      this.#set.set('weir_rocksdb_databases', {}, usage.databases)
      this.#set.set('weir_state_open_scans', {}, usage.scans)
      this.#set.set('weir_rocksdb_block_cache_bytes', {}, usage.blockCacheBytes)
      this.#set.set('weir_rocksdb_block_cache_pinned_bytes', {}, usage.blockCachePinnedBytes)
      this.#set.set('weir_state_in_memory_bytes', {}, usage.inMemoryBytes)
      this.#set.set('weir_rocksdb_memtable_bytes', {}, usage.memtableBytes)
      this.#set.set('weir_rocksdb_memtable_peak_bytes', {}, usage.memtablePeakBytes)
      this.#set.total('weir_rocksdb_arbiter_flushes_total', {}, usage.arbiterFlushes)
    }
    const counts = this.#source.rocksDbCounts()
    if (counts !== null) setRocksDbCounts(this.#set, counts)
    const defaults = (await this.#defaults.getMetricsAsJSON()) as MetricSnapshot
    return [...(await this.#set.snapshot()), ...defaults]
  }
}

/** blockCacheBytes -> block_cache. */
function partLabel(field: string): string {
  return field.replace('Bytes', '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
