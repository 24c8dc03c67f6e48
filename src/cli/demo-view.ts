import { formatBytes } from '../config/value-type.ts'
import type { LatencySummary } from './demo-latency.ts'
import { formatCount, formatSeconds } from './format.ts'

export interface DemoThread {
  readonly index: number
  readonly recordsPerSecond: number
  /** `0_3`, in order; those that do not run yet are in brackets. */
  readonly tasks: readonly string[]
}

/** What the demo shows at one moment. */
export interface DemoSnapshot {
  readonly elapsedMs: number
  /** Events processed, of how many; null without an end. */
  readonly processed: number
  readonly target: number | null
  readonly recordsPerSecond: number
  /** From an event's creation to its segment change in the output topic; null when there was none lately. */
  readonly latency: LatencySummary | null
  readonly threads: readonly DemoThread[]
  readonly stateBytes: number
  readonly changes: number
  /** The latest, newest first. */
  readonly latestChanges: readonly string[]
  readonly metricsUrl: string
  /** null: it is off. */
  readonly consoleUrl: string | null
}

export function formatLatency(latency: LatencySummary | null): string {
  if (latency === null) return 'no change lately'
  return `median ${formatCount(latency.p50Ms)} ms, 99 % within ${formatCount(latency.p99Ms)} ms`
}

/** The live view, a screen of text. @param columns of the terminal: longer lines are cut */
export function renderView(snapshot: DemoSnapshot, columns: number): string {
  const of = snapshot.target === null ? '' : ` of ${formatCount(snapshot.target)}`
  const lines = [
    'Weir demo: segmentation on an embedded broker (at-least-once, started empty, gone at the end)',
    '',
    `  rate       ${formatCount(snapshot.recordsPerSecond)} events/s`,
    `  processed  ${formatCount(snapshot.processed)}${of} events in ${formatSeconds(snapshot.elapsedMs)}`,
    `  latency    ${formatLatency(snapshot.latency)}, from an event to its segment change`,
    `  state      ${formatBytes(snapshot.stateBytes)}`,
    ...snapshot.threads.map(threadLine),
    `  metrics    ${snapshot.metricsUrl}`,
    ...(snapshot.consoleUrl === null ? [] : [`  console    ${snapshot.consoleUrl}`]),
    '',
    `  ${formatCount(snapshot.changes)} segment changes, the latest:`,
    ...snapshot.latestChanges.map((change) => `    ${change}`),
    '',
    '  Ctrl-C stops.',
  ]
  return lines.map((line) => line.slice(0, Math.max(20, columns - 1))).join('\n')
}

function threadLine(thread: DemoThread): string {
  const tasks = thread.tasks.length === 0 ? 'no tasks yet' : `tasks ${thread.tasks.join(' ')}`
  return `  thread ${thread.index}   ${formatCount(thread.recordsPerSecond)} records/s, ${tasks}`
}

/** One line of plain progress, for where there is no terminal. */
export function renderProgress(snapshot: DemoSnapshot): string {
  const of = snapshot.target === null ? '' : `/${formatCount(snapshot.target)}`
  const tasks = snapshot.threads.map((thread) => thread.tasks.length).join('+')
  return (
    `${formatSeconds(snapshot.elapsedMs)}  ${formatCount(snapshot.processed)}${of} events  ` +
    `${formatCount(snapshot.recordsPerSecond)} events/s  latency ${formatLatency(snapshot.latency)}  ` +
    `tasks ${tasks}  state ${formatBytes(snapshot.stateBytes)}  ${formatCount(snapshot.changes)} segment changes`
  )
}

export interface DemoSummary {
  readonly processed: number
  /** From the first event to the last one processed. */
  readonly processingMs: number
  /** From the start of the program to the first event processed. */
  readonly firstRecordMs: number
  readonly changes: number
  readonly latency: LatencySummary | null
  readonly stateBytes: number
  readonly threads: number
}

export function renderSummary(summary: DemoSummary): string {
  const { processed, processingMs } = summary
  const rate = processingMs > 0 ? processed / (processingMs / 1000) : 0
  return [
    `Processed ${formatCount(processed)} events in ${formatSeconds(processingMs)} (${formatCount(rate)} events/s) ` +
      `on ${summary.threads} stream ${summary.threads === 1 ? 'thread' : 'threads'}.`,
    `The first one ${formatSeconds(summary.firstRecordMs)} after the start. Latency: ${formatLatency(summary.latency)}.`,
    `${formatCount(summary.changes)} segment changes; state ${formatBytes(summary.stateBytes)}.`,
  ].join('\n')
}
