import { formatBytes } from '../config/value-type.ts'
import { formatCount, formatDuration, formatPercent } from './format.ts'
import { textTable } from './text-table.ts'
import type { TaskFigures, ThreadFigures, TopFigures } from './top-figures.ts'
import type { Durations } from './top-rates.ts'

/** The figures as a screen of text of 80 columns, without colours. */
export function topText(figures: TopFigures): string {
  const lines = [titleOf(figures), versionsOf(figures), '', ...figureLines(figures), '']
  lines.push(threadTable(figures.threads))
  if (figures.nodes === null) lines.push('', 'slowest nodes: -')
  else if (figures.nodes.length > 0) lines.push('', nodeTable(figures.nodes))
  return lines.join('\n')
}

function titleOf({ url, state }: TopFigures): string {
  return `Weir at ${url.replace(/^http:\/\/|\/metrics$/g, '')}: ${state ?? 'starting'}`
}

function versionsOf({ version, librdkafka, rocksdb }: TopFigures): string {
  return `Weir ${version ?? '-'}, librdkafka ${librdkafka ?? '-'}, RocksDB ${rocksdb ?? '-'}`
}

function figureLines(figures: TopFigures): string[] {
  const { cache, store, rocksDb, largestLag } = figures
  const rate = (value: number | null): string => `${shown(value, formatCount)}/s`
  const largest =
    largestLag === null
      ? ''
      : `, most in ${largestLag.topic} ${largestLag.partition}: ${formatCount(largestLag.records)}`
  const named: readonly (readonly [name: string, text: string])[] = [
    ['process', `${shown(figures.cpuCores, (cores) => `${cores.toFixed(2)} cores`)}, ${memoryOf(figures)}`],
    ['records', `${rate(figures.recordsPerSecond)} in, ${rate(figures.producedPerSecond)} out`],
    [
      'of them',
      `${shown(figures.droppedRecords, formatCount)} dropped, ${shown(figures.deadLetters, formatCount)} dead letters, ` +
        `${shown(figures.slowRecords, formatCount)} slow since the start`,
    ],
    ['lag', `${shown(figures.lagRecords, formatCount)} records${largest}`],
    ['tasks', tasksText(figures.tasks)],
    ['restore', restoreText(figures.restore)],
    ['commits', commitsText(figures.commits)],
    [
      'cache',
      `${shown(cache.hitRatio, formatPercent)} hits, ${shown(cache.bytes, bytesText)} of ${shown(cache.limitBytes, bytesText)}`,
    ],
    [
      'stores',
      `${shown(store.rows, formatCount)} rows, ${shown(store.sstBytes, bytesText)} on disk, ${shown(store.overlayBytes, bytesText)} uncommitted`,
    ],
    [
      'rocksdb',
      `stalled ${shown(rocksDb.stalledSeconds, formatPercent)} of the time, ${shown(rocksDb.stoppedDatabases, formatCount)} stopped, ` +
        `${shown(rocksDb.delayedDatabases, formatCount)} delayed`,
    ],
    [
      '',
      `${shown(rocksDb.runningFlushes, formatCount)} flushes, ${shown(rocksDb.runningCompactions, formatCount)} compactions, ` +
        `${shown(rocksDb.pendingCompactionBytes, bytesText)} to compact`,
    ],
  ]
  return named.map(([name, text]) => `  ${name.padEnd(9)}${text}`)
}

function memoryOf({ residentBytes, memoryBudgetBytes }: TopFigures): string {
  const budget = memoryBudgetBytes === null ? '' : ` of ${bytesText(memoryBudgetBytes)}`
  return `${shown(residentBytes, bytesText)}${budget}`
}

function tasksText({ running, restoring, waiting }: TaskFigures): string {
  const parts = [`${running} running`]
  if (restoring > 0) parts.push(`${restoring} restoring`)
  if (waiting > 0) parts.push(`${waiting} waiting`)
  return parts.join(', ')
}

function restoreText({
  remainingRecords,
  recordsPerSecond,
  remainingSeconds,
}: TopFigures['restore']): string {
  if (remainingRecords === null) return '-'
  if (remainingRecords === 0) return 'nothing to restore'
  const pace = recordsPerSecond === null ? '' : `, ${formatCount(recordsPerSecond)}/s`
  const end = remainingSeconds === null ? '' : `, done in ${formatDuration(remainingSeconds * 1_000)}`
  return `${formatCount(remainingRecords)} records to restore${pace}${end}`
}

function commitsText(commits: Durations | null): string {
  if (commits === null) return 'none lately'
  const { perSecond, meanSeconds, p99Seconds } = commits
  const most = p99Seconds === null ? '' : `, 99 % within ${formatDuration(p99Seconds * 1_000)}`
  return `${perSecond.toFixed(1)}/s, ${formatDuration(meanSeconds * 1_000)} on average${most}`
}

function threadTable(threads: readonly ThreadFigures[]): string {
  const head = ['thread', 'records/s', 'busy', 'tasks', 'lag', 'commit', 'heap', 'loop', 'cache hits']
  const rows = threads.map((one) => [
    one.thread,
    shown(one.recordsPerSecond, formatCount),
    shown(one.busy, (busy) => `${Math.round(busy * 100)} %`),
    threadTasks(one.tasks),
    shown(one.lagRecords, formatCount),
    shown(one.commits, ({ meanSeconds }) => formatDuration(meanSeconds * 1_000)),
    shown(one.heapBytes, bytesText),
    shown(one.loopDelaySeconds, (delay) => formatDuration(delay * 1_000)),
    shown(one.cacheHitRatio, formatPercent),
  ])
  return textTable([head, ...rows])
}

/** `4`, or `3+1`: those that do not run. */
function threadTasks({ running, restoring, waiting }: TaskFigures): string {
  const others = restoring + waiting
  return others === 0 ? String(running) : `${running}+${others}`
}

function nodeTable(nodes: NonNullable<TopFigures['nodes']>): string {
  const rows = nodes.map(({ node, meanSeconds, p99Seconds }) => [
    node,
    formatDuration(meanSeconds * 1_000),
    shown(p99Seconds, (seconds) => formatDuration(seconds * 1_000)),
  ])
  return textTable([['slowest nodes', 'mean', '99 %'], ...rows])
}

function bytesText(bytes: number): string {
  return formatBytes(Math.round(bytes))
}

function shown<T>(value: T | null, format: (value: T) => string): string {
  return value === null ? '-' : format(value)
}
