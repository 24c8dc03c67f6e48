import { hostname } from 'node:os'

import type { RecentLine } from '../observe/recent-lines.ts'
import type { ApplicationStatus, ProbeResult } from '../runtime/application.ts'
import type { RestoreProgress } from '../runtime/restore-progress.ts'
import type { ThreadReport } from '../runtime/thread-reports.ts'
import type { ConsoleSource } from './console-source.ts'
import type { HistoryPoint } from './history.ts'
import { type HistogramSample, Samples } from './samples.ts'

/** As many entries of a list are sent: what a page can show, and a process answer each second. */
export const LIST_MAX = 1_000

/** The first entries of a list, and how many there are. */
export interface Listed<T> {
  readonly total: number
  readonly entries: readonly T[]
}

export interface ThreadFigures extends Omit<ThreadReport, 'tasks'> {
  readonly tasks: number
  readonly heapUsedBytes: number
  readonly cacheBytes: number
  readonly cacheHits: number
  readonly cacheMisses: number
  readonly queuedRecords: number
  /** null: nothing was observed. */
  readonly batch: HistogramSample | null
  readonly commit: HistogramSample | null
}

export interface TaskFigures {
  readonly thread: number
  readonly id: string
  readonly state: string
  readonly recordsProcessed: number
  readonly restoreRemaining: number
  readonly lag: number
  readonly stateBytes: number
}

export interface TopicFigures {
  readonly topic: string
  readonly consumedRecords: number
  readonly consumedBytes: number
  readonly producedRecords: number
  readonly producedBytes: number
}

export interface NodeFigures {
  readonly node: string
  readonly records: number
  /** Of sampled records; null: none yet. */
  readonly seconds: HistogramSample | null
  /** Of nodes that nothing is below. */
  readonly endToEnd: HistogramSample | null
}

export interface StoreFigures {
  readonly store: string
  readonly task: string
  readonly thread: string
  readonly keys: number
  readonly sstBytes: number
  readonly memtableBytes: number
  readonly pendingCompactionBytes: number
}

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  readonly thread: string
  readonly lag: number
}

/** What the page asks for each second. Counters are totals since a thread's start: the page makes rates of them. */
export interface ConsoleStatus {
  readonly application: {
    readonly id: string
    readonly state: string
    readonly isPaused: boolean
    readonly ready: ProbeResult
    readonly health: ProbeResult
    readonly assignedPartitions: number
    readonly processingGuarantee: string
    readonly host: string
    readonly pid: number
    readonly uptimeSeconds: number
    /** weir, librdkafka, rocksdb. Empty while the application starts. */
    readonly versions: Readonly<Record<string, string>>
    readonly memoryBytes: number
  }
  readonly now: HistoryPoint
  readonly threads: readonly ThreadFigures[]
  readonly tasks: Listed<TaskFigures>
  readonly topics: Listed<TopicFigures>
  readonly nodes: Listed<NodeFigures>
  /** The largest first. */
  readonly lags: Listed<PartitionLag>
  readonly restores: Listed<RestoreProgress>
  readonly stores: Listed<StoreFigures>
  readonly log: {
    readonly warnings: number
    readonly errors: number
    /** Only those that the page does not know yet. */
    readonly lines: readonly RecentLine[]
  }
}

/** Everything but the log. */
export type Gathered = Omit<ConsoleStatus, 'log'>

/** Asks the application and its threads how they are. */
export async function gather(source: ConsoleSource): Promise<Gathered> {
  const application = source.application()
  const [status, snapshots] = await Promise.all([
    application?.status() ?? noStatus,
    application?.metricSnapshots() ?? [],
  ])
  const samples = new Samples(snapshots)
  const [build] = samples.of('weir_build_info')
  const starting: ProbeResult = { ok: false, reason: 'the application is starting' }
  const { config } = source
  return {
    application: {
      id: config.applicationId,
      state: status.state,
      isPaused: application?.isPaused ?? false,
      ready: application?.ready() ?? starting,
      health: application?.health() ?? { ok: true },
      assignedPartitions: status.assignedPartitions,
      processingGuarantee: config.processingGuarantee,
      host: hostname(),
      pid: process.pid,
      uptimeSeconds: process.uptime(),
      versions: build?.labels ?? {},
      memoryBytes: config.memoryBytes,
    },
    now: historyPoint(status, samples),
    threads: threadFigures(status, samples),
    tasks: listed(
      status.threads.flatMap(({ threadIndex, tasks }) =>
        tasks.map((task) => ({ thread: threadIndex, ...task })),
      ),
    ),
    topics: listed(topicFigures(samples)),
    nodes: listed(nodeFigures(samples)),
    lags: listed(lags(samples)),
    restores: listed(status.restores),
    stores: listed(storeFigures(samples)),
  }
}

const noStatus: ApplicationStatus = { state: 'created', assignedPartitions: 0, threads: [], restores: [] }

function listed<T>(all: readonly T[]): Listed<T> {
  return { total: all.length, entries: all.slice(0, LIST_MAX) }
}

function historyPoint(status: ApplicationStatus, samples: Samples): HistoryPoint {
  return {
    timeMs: Date.now(),
    processed: status.threads.reduce((sum, { recordsProcessed }) => sum + recordsProcessed, 0),
    consumed: samples.sum('weir_consume_records_total'),
    produced: samples.sum('weir_produce_records_total'),
    restored: samples.sum('weir_restore_records_total'),
    lag: samples.sum('weir_consume_lag_records'),
    residentBytes: process.memoryUsage.rss(),
  }
}

function threadFigures(status: ApplicationStatus, samples: Samples): ThreadFigures[] {
  const batches = samples.histograms('weir_process_batch_seconds', 'thread')
  const commits = samples.histograms('weir_commit_seconds', 'thread')
  const gauge = (name: string): ((thread: string) => number) => {
    const values = samples.by(name, 'thread')
    return (thread) => values.get(thread) ?? 0
  }
  const heapUsedBytes = gauge('weir_heap_used_bytes')
  const cacheBytes = gauge('weir_state_cache_bytes')
  const cacheHits = gauge('weir_state_cache_hits_total')
  const cacheMisses = gauge('weir_state_cache_misses_total')
  const queuedRecords = gauge('weir_produce_queue_records')
  return status.threads.map(({ tasks, ...report }) => {
    const thread = String(report.threadIndex)
    return {
      ...report,
      tasks: tasks.length,
      heapUsedBytes: heapUsedBytes(thread),
      cacheBytes: cacheBytes(thread),
      cacheHits: cacheHits(thread),
      cacheMisses: cacheMisses(thread),
      queuedRecords: queuedRecords(thread),
      batch: batches.get(thread) ?? null,
      commit: commits.get(thread) ?? null,
    }
  })
}

function topicFigures(samples: Samples): TopicFigures[] {
  const consumedRecords = samples.by('weir_consume_records_total', 'topic')
  const consumedBytes = samples.by('weir_consume_bytes_total', 'topic')
  const producedRecords = samples.by('weir_produce_records_total', 'topic')
  const producedBytes = samples.by('weir_produce_bytes_total', 'topic')
  return [...new Set([...consumedRecords.keys(), ...producedRecords.keys()])].sort().map((topic) => ({
    topic,
    consumedRecords: consumedRecords.get(topic) ?? 0,
    consumedBytes: consumedBytes.get(topic) ?? 0,
    producedRecords: producedRecords.get(topic) ?? 0,
    producedBytes: producedBytes.get(topic) ?? 0,
  }))
}

type Sums = ReadonlyMap<string, number>

function nodeFigures(samples: Samples): NodeFigures[] {
  const seconds = samples.histograms('weir_process_node_seconds', 'node')
  const endToEnd = samples.histograms('weir_process_end_to_end_seconds', 'node')
  return [...samples.by('weir_process_node_records_total', 'node')].map(([node, records]) => ({
    node,
    records,
    seconds: seconds.get(node) ?? null,
    endToEnd: endToEnd.get(node) ?? null,
  }))
}

function lags(samples: Samples): PartitionLag[] {
  return samples
    .of('weir_consume_lag_records')
    .map(({ labels: { topic = '', partition = '', thread = '' }, value }) => ({
      topic,
      partition: Number(partition),
      thread,
      lag: value,
    }))
    .sort((a, b) => b.lag - a.lag || (a.topic < b.topic ? -1 : 1) || a.partition - b.partition)
}

function storeFigures(samples: Samples): StoreFigures[] {
  const place = ({ task, store }: Readonly<Record<string, string>>): string => `${task} ${store}`
  const sizes = (name: string): Sums =>
    new Map(samples.of(name).map(({ labels, value }) => [place(labels), value]))
  const sstBytes = sizes('weir_rocksdb_store_sst_bytes')
  const memtableBytes = sizes('weir_rocksdb_store_memtable_bytes')
  const pendingCompactionBytes = sizes('weir_rocksdb_store_pending_compaction_bytes')
  return samples.of('weir_rocksdb_store_keys').map(({ labels, value }) => {
    const { store = '', task = '', thread = '' } = labels
    return {
      store,
      task,
      thread,
      keys: value,
      sstBytes: sstBytes.get(place(labels)) ?? 0,
      memtableBytes: memtableBytes.get(place(labels)) ?? 0,
      pendingCompactionBytes: pendingCompactionBytes.get(place(labels)) ?? 0,
    }
  })
}
