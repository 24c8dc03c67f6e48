import { collectDefaultMetrics, Registry } from 'prom-client'

import type { MemoryBudget } from '../config/config.ts'
import type { NativeVersions, RocksDbCounts, StateMemoryUsage } from '../native.ts'
import { EventLoopDelay } from './event-loop-delay.ts'
import { mainThreadCatalogue, type ProcessMetricName } from './metric-catalogue.ts'
import { MetricSet, type MetricSnapshot } from './metric-set.ts'
import { setRocksDbCounts } from './rocksdb-metrics.ts'

/** What the main thread is asked when somebody reads the metrics. */
export interface ProcessMetricsSource {
  readonly weirVersion: string
  versions(): NativeVersions
  applicationState(): string
  nativeObjects(): number
  /** What the process is to stay within. */
  readonly memoryBytes: number
  readonly memory: MemoryBudget
  /** For how long each stream thread has not turned, ms. */
  standstills(): Iterable<readonly [thread: number, ms: number]>
  /** null when no database was opened yet. */
  stateMemoryUsage(): StateMemoryUsage | null
  rocksDbCounts(): RocksDbCounts | null
}

/** The metrics of the process as a whole: state memory, budgets, versions, and prom-client's process_* and nodejs_*. Main thread only. */
export class ProcessMetrics {
  readonly #set = new MetricSet<ProcessMetricName>(mainThreadCatalogue)
  readonly #defaults = new Registry()
  readonly #source: ProcessMetricsSource
  readonly #eventLoop: EventLoopDelay

  constructor(source: ProcessMetricsSource) {
    this.#source = source
    collectDefaultMetrics({ register: this.#defaults })
    const delays = this.#set.histogram('weir_process_event_loop_delay_seconds', { thread: 'main' })
    this.#eventLoop = new EventLoopDelay(delays)
    this.#set.set('weir_build_info', { version: source.weirVersion, ...source.versions() }, 1)
    this.#set.set('weir_memory_limit_bytes', {}, source.memoryBytes)
    for (const [part, bytes] of Object.entries(source.memory)) {
      this.#set.set('weir_memory_budget_bytes', { part: partLabel(part) }, bytes)
    }
  }

  /** Looks at the event loop no more. */
  close(): void {
    this.#eventLoop.close()
  }

  async collect(): Promise<MetricSnapshot> {
    this.#set.clear('weir_application_state')
    this.#set.set('weir_application_state', { state: this.#source.applicationState() }, 1)
    this.#set.clear('weir_process_standstill_seconds')
    for (const [thread, ms] of this.#source.standstills())
      this.#set.set('weir_process_standstill_seconds', { thread: String(thread) }, ms / 1000)
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
