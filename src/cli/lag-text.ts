import { partitionKey } from '../runtime/task-inputs.ts'
import { formatCount, formatDuration } from './format.ts'
import type { LagReport, PartitionLag } from './lag-figures.ts'
import { textTable } from './text-table.ts'

/** For people. @param before the last look, of which the change is shown; null: there is none */
export function lagText(report: LagReport, before: LagReport | null): string {
  const { applicationId, groupState, members, at, partitions, missingTopics } = report
  const who = members === 1 ? '1 member' : `${members} members`
  const parts = [`Application ${applicationId}: group ${groupState}, ${who}; ${at}`]
  if (partitions.length > 0) parts.push(textTable(tableOf(partitions, before)))
  if (missingTopics.length > 0) parts.push(`Source topics that do not exist: ${missingTopics.join(', ')}`)
  parts.push(totalText(report))
  return parts.join('\n\n')
}

function tableOf(partitions: readonly PartitionLag[], before: LagReport | null): string[][] {
  const head = ['task', 'topic', 'partition', 'committed', 'end', 'behind', 'time']
  const earlier =
    before === null ? null : new Map(before.partitions.map((one) => [partitionKey(one), one.records]))
  const rows = partitions.map((lag) => {
    const row = [
      lag.task,
      lag.topic,
      String(lag.partition),
      shown(lag.committed, String),
      shown(lag.end, String),
      shown(lag.records, formatCount),
      shown(lag.seconds, (seconds) => formatDuration(seconds * 1_000)),
    ]
    return earlier === null ? row : [...row, changeOf(lag.records, earlier.get(partitionKey(lag)) ?? null)]
  })
  return [earlier === null ? head : [...head, 'change'], ...rows]
}

function changeOf(now: number | null, before: number | null): string {
  if (now === null || before === null) return '-'
  const change = now - before
  return change > 0 ? `+${formatCount(change)}` : formatCount(change)
}

function totalText({ records, seconds, partitions }: LagReport): string {
  const unknown = partitions.filter((lag) => lag.records === null).length
  const time = records === 0 || seconds === null ? '' : `, at most ${formatDuration(seconds * 1_000)}`
  const besides = unknown === 0 ? '' : `; of ${unknown} partitions it is not known`
  return `${formatCount(records)} ${records === 1 ? 'record' : 'records'} behind${time}${besides}`
}

function shown(value: number | null, format: (value: number) => string): string {
  return value === null ? '-' : format(value)
}
