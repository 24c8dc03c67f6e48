import { type Durations, Rates } from './top-rates.ts'
import type { Scrape } from './top-scrape.ts'

/** One thread; `global` fills the global stores. Everywhere null: the worker does not say, or nothing happened between the looks. */
export interface ThreadFigures {
  readonly thread: string
  readonly recordsPerSecond: number | null
  /** Of its time, processing records. */
  readonly busy: number | null
  readonly tasks: TaskFigures
  readonly lagRecords: number | null
  readonly commits: Durations | null
  readonly heapBytes: number | null
  /** Event loop: 99 of 100 callbacks are no later. */
  readonly loopDelaySeconds: number | null
  readonly cacheHitRatio: number | null
}

export interface TaskFigures {
  readonly running: number
  readonly restoring: number
  /** Created or suspended. */
  readonly waiting: number
}

export interface NodeFigures {
  readonly node: string
  readonly meanSeconds: number
  readonly p99Seconds: number | null
}

/** What `weir top` shows: the fields of its --json. */
export interface TopFigures {
  readonly url: string
  /** ISO 8601. */
  readonly at: string
  /** Rates are of this time. */
  readonly intervalSeconds: number
  readonly version: string | null
  readonly librdkafka: string | null
  readonly rocksdb: string | null
  readonly state: string | null
  /** Cores in use. */
  readonly cpuCores: number | null
  readonly residentBytes: number | null
  /** WEIR_MEMORY_BYTES as it is divided. */
  readonly memoryBudgetBytes: number | null
  readonly recordsPerSecond: number | null
  readonly producedPerSecond: number | null
  /** Since the start. */
  readonly droppedRecords: number | null
  readonly deadLetters: number | null
  readonly slowRecords: number | null
  readonly lagRecords: number | null
  readonly largestLag: { readonly topic: string; readonly partition: string; readonly records: number } | null
  readonly tasks: TaskFigures
  readonly restore: {
    readonly remainingRecords: number | null
    readonly recordsPerSecond: number | null
    /** At this pace; null when nothing is restored. */
    readonly remainingSeconds: number | null
  }
  readonly commits: Durations | null
  readonly cache: {
    readonly hitRatio: number | null
    readonly bytes: number | null
    readonly limitBytes: number | null
  }
  readonly store: {
    readonly rows: number | null
    readonly sstBytes: number | null
    readonly overlayBytes: number | null
    readonly memtableBytes: number | null
    readonly blockCacheBytes: number | null
  }
  readonly rocksDb: {
    /** Of each second, the time that writes were held up; of all databases together. */
    readonly stalledSeconds: number | null
    readonly stoppedDatabases: number | null
    readonly delayedDatabases: number | null
    readonly runningFlushes: number | null
    readonly runningCompactions: number | null
    readonly pendingCompactionBytes: number | null
  }
  readonly threads: readonly ThreadFigures[]
  /** The slowest first; null where the worker does not say. */
  readonly nodes: readonly NodeFigures[] | null
}

const NODES_MAX = 10
/** Histograms of a node's time at a record, and of an event loop's delay; an older worker has none. */
const NODE_SECONDS = 'weir_process_node_seconds'
const LOOP_DELAY_SECONDS = 'weir_process_event_loop_delay_seconds'

/** @param at when the later look was, ms since 1970 */
export function topFigures(before: Scrape, now: Scrape, url: URL, at: number): TopFigures {
  const rates = new Rates(before, now)
  const [build] = now.of('weir_build_info')
  const remaining = now.sum('weir_restore_remaining_records')
  const restored = rates.perSecond('weir_restore_records_total')
  return {
    url: url.href,
    at: new Date(at).toISOString(),
    intervalSeconds: rates.seconds,
    version: build?.labels.version ?? null,
    librdkafka: build?.labels.librdkafka ?? null,
    rocksdb: build?.labels.rocksdb ?? null,
    state: now.of('weir_application_state').find(({ value }) => value === 1)?.labels.state ?? null,
    cpuCores: rates.perSecond('process_cpu_seconds_total'),
    residentBytes: now.sum('process_resident_memory_bytes'),
    memoryBudgetBytes: budgetBytes(now),
    recordsPerSecond: rates.perSecond('weir_process_records_total'),
    producedPerSecond: rates.perSecond('weir_produce_records_total'),
    droppedRecords: now.sum('weir_process_records_dropped_total'),
    deadLetters: now.sum('weir_errors_dead_letters_total'),
    slowRecords: now.sum('weir_process_slow_records_total'),
    lagRecords: now.sum('weir_consume_lag_records'),
    largestLag: largestLag(now),
    tasks: tasksOf(now, {}),
    restore: {
      remainingRecords: remaining,
      recordsPerSecond: restored,
      remainingSeconds:
        remaining === null || remaining === 0 || restored === null || restored === 0
          ? null
          : remaining / restored,
    },
    commits: rates.durations('weir_commit_seconds'),
    cache: {
      hitRatio: rates.ratio('weir_state_cache_hits_total', 'weir_state_cache_misses_total'),
      bytes: now.sum('weir_state_cache_bytes'),
      limitBytes: now.sum('weir_state_cache_limit_bytes'),
    },
    store: {
      rows: now.sum('weir_rocksdb_store_keys'),
      sstBytes: now.sum('weir_rocksdb_store_sst_bytes'),
      overlayBytes: now.sum('weir_state_overlay_bytes'),
      memtableBytes: now.sum('weir_rocksdb_memtable_bytes'),
      blockCacheBytes: now.sum('weir_rocksdb_block_cache_bytes'),
    },
    rocksDb: {
      stalledSeconds: rates.perSecond('weir_rocksdb_write_stall_seconds_total'),
      stoppedDatabases: now.sum('weir_rocksdb_stopped_databases'),
      delayedDatabases: now.sum('weir_rocksdb_delayed_databases'),
      runningFlushes: now.sum('weir_rocksdb_running_flushes'),
      runningCompactions: now.sum('weir_rocksdb_running_compactions'),
      pendingCompactionBytes: now.sum('weir_rocksdb_store_pending_compaction_bytes'),
    },
    threads: now.values('weir_process_records_total', 'thread').map((thread) => threadOf(thread, rates)),
    nodes: nodesOf(rates),
  }
}

/** Without what is charged to another part: the write buffers are in the block cache; what is by thread is of each. */
function budgetBytes(now: Scrape): number | null {
  const threads = now.values('weir_process_records_total', 'thread').filter((thread) => thread !== 'global')
  const parts = now.of('weir_memory_budget_bytes').filter(({ labels }) => labels.part !== 'write_buffer')
  if (parts.length === 0) return null
  return parts.reduce(
    (sum, { labels, value }) => sum + value * (labels.part === 'heap_per_thread' ? threads.length : 1),
    0,
  )
}

function largestLag(now: Scrape): TopFigures['largestLag'] {
  let largest: TopFigures['largestLag'] = null
  for (const { labels, value } of now.of('weir_consume_lag_records')) {
    const { topic, partition } = labels
    if (topic === undefined || partition === undefined || value === 0) continue
    if (largest === null || value > largest.records) largest = { topic, partition, records: value }
  }
  return largest
}

function tasksOf(now: Scrape, labels: Readonly<Record<string, string>>): TaskFigures {
  const count = (state: string): number => now.sum('weir_process_tasks', { ...labels, state }) ?? 0
  return {
    running: count('running'),
    restoring: count('restoring'),
    waiting: count('created') + count('suspended'),
  }
}

function threadOf(thread: string, rates: Rates): ThreadFigures {
  const { now } = rates
  const labels = { thread }
  const busy = rates.perSecond('weir_process_batch_seconds_sum', labels)
  return {
    thread,
    recordsPerSecond: rates.perSecond('weir_process_records_total', labels),
    busy: busy === null ? null : Math.min(1, busy),
    tasks: tasksOf(now, labels),
    lagRecords: now.sum('weir_consume_lag_records', labels),
    commits: rates.durations('weir_commit_seconds', labels),
    heapBytes: now.sum('weir_heap_used_bytes', labels),
    loopDelaySeconds: rates.durations(LOOP_DELAY_SECONDS, labels)?.p99Seconds ?? null,
    cacheHitRatio: rates.ratio('weir_state_cache_hits_total', 'weir_state_cache_misses_total', labels),
  }
}

function nodesOf(rates: Rates): NodeFigures[] | null {
  const nodes = rates.now.values(`${NODE_SECONDS}_count`, 'node')
  if (nodes.length === 0) return null
  return nodes
    .flatMap((node) => {
      const durations = rates.durations(NODE_SECONDS, { node })
      return durations === null ? [] : [{ ...durations, node }]
    })
    .map(({ node, meanSeconds, p99Seconds }) => ({ node, meanSeconds, p99Seconds }))
    .sort((a, b) => b.meanSeconds - a.meanSeconds)
    .slice(0, NODES_MAX)
}
