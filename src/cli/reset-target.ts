import { readFileSync } from 'node:fs'

import { messageOf, WeirError } from '../errors/weir-error.ts'
import { partitionKey } from '../runtime/task-inputs.ts'

/** The options of `weir reset` that say where to, as they were given; at most one. */
export interface TargetOptions {
  readonly toEarliest?: true
  readonly toLatest?: true
  readonly toOffset?: string
  readonly toDatetime?: string
  readonly byDuration?: string
  readonly shiftBy?: string
  readonly fromFile?: string
}

/** Where the committed offsets of the source topics are set to. As Kafka's kafka-streams-application-reset. */
export type OffsetTarget =
  | { readonly kind: 'earliest' | 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** The first record of that time, ms since 1970. */
  | { readonly kind: 'time'; readonly timeMs: number }
  /** From the committed offset. */
  | { readonly kind: 'shift'; readonly by: number }
  /** By partitionKey; the other partitions stay. */
  | { readonly kind: 'file'; readonly offsets: ReadonlyMap<string, number> }

/** What is known of a partition of a source topic. */
export interface PartitionOffsets {
  readonly topic: string
  readonly partition: number
  /** null: the group has none. */
  readonly committed: number | null
  readonly earliest: number
  readonly end: number
  /** The first of the target's time; null: nothing is as young, or no time was asked for. */
  readonly since: number | null
}

/**
 * @param nowMs against which a duration is counted, ms since 1970
 * @throws WeirError config-invalid with what was given and what is allowed
 */
export function parseTarget(options: TargetOptions, nowMs: number): OffsetTarget {
  if (options.toLatest === true) return { kind: 'latest' }
  if (options.toOffset !== undefined)
    return { kind: 'offset', offset: integerOf('--to-offset', options.toOffset, 0) }
  if (options.toDatetime !== undefined) return { kind: 'time', timeMs: timeOf(options.toDatetime) }
  if (options.byDuration !== undefined)
    return { kind: 'time', timeMs: Math.max(0, nowMs - durationMsOf(options.byDuration)) }
  if (options.shiftBy !== undefined)
    return { kind: 'shift', by: integerOf('--shift-by', options.shiftBy, Number.MIN_SAFE_INTEGER) }
  if (options.fromFile !== undefined) return { kind: 'file', offsets: readOffsets(options.fromFile) }
  return { kind: 'earliest' }
}

/** For people. */
export function describeTarget(target: OffsetTarget): string {
  switch (target.kind) {
    case 'earliest':
      return 'to their beginnings'
    case 'latest':
      return 'to their ends'
    case 'offset':
      return `to offset ${target.offset}`
    case 'time':
      return `to ${new Date(target.timeMs).toISOString()}`
    case 'shift':
      return `by ${target.by} from where they are`
    case 'file':
      return 'to those of the file'
  }
}

/** Where a partition is read from afterwards, within what it holds. @returns null: its committed offset stays as it is */
export function targetOffset(target: OffsetTarget, partition: PartitionOffsets): number | null {
  const { committed, earliest, end, since } = partition
  const wanted = {
    earliest: () => earliest,
    latest: () => end,
    offset: () => (target as { offset: number }).offset,
    time: () => since ?? end,
    // Nothing is committed, so there is nothing to count from.
    shift: () => (committed === null ? null : committed + (target as { by: number }).by),
    file: () =>
      (target as { offsets: ReadonlyMap<string, number> }).offsets.get(partitionKey(partition)) ?? null,
  }[target.kind]()
  return wanted === null ? null : Math.min(Math.max(wanted, earliest), end)
}

function integerOf(option: string, text: string, min: number): number {
  const value = Number(text)
  if (/^-?\d{1,16}$/.test(text) && Number.isSafeInteger(value) && value >= min) return value
  throw new WeirError(
    'config-invalid',
    `${option} ${text}: expected an integer${min === 0 ? ' of at least 0' : ''}`,
  )
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:?\d\d)?$/

function timeOf(text: string): number {
  const [, , zone] = dateTime.exec(text) ?? []
  const withZone = zone === undefined ? `${text}Z` : text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  const timeMs = dateTime.test(text) ? Date.parse(withZone) : Number.NaN
  if (timeMs >= 0) return timeMs
  throw new WeirError(
    'config-invalid',
    `--to-datetime ${text}: expected a time since 1970 as in 2025-06-30T12:00:00.000, UTC unless it ends with an offset (+02:00)`,
  )
}

const duration = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/

function durationMsOf(text: string): number {
  const [, ...parts] = duration.exec(text) ?? []
  const unitsMs = [86_400_000, 3_600_000, 60_000, 1_000]
  const sumMs = parts.reduce((sum, part, index) => sum + Number(part ?? 0) * unitsMs[index]!, 0)
  if (parts.some((part) => part !== undefined) && Number.isSafeInteger(Math.round(sumMs)))
    return Math.round(sumMs)
  throw new WeirError(
    'config-invalid',
    `--by-duration ${text}: expected an ISO 8601 duration of days, hours, minutes and seconds, as in P1DT12H or PT90S`,
  )
}

/** `topic,partition,offset` a line, as Kafka's tools write it. */
function readOffsets(file: string): ReadonlyMap<string, number> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeirError('config-invalid', `--from-file ${file}: ${messageOf(error)}`)
  }
  const offsets = new Map<string, number>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const [, topic, partition, offset] =
      /^\s*"?([^",\s]+)"?\s*,\s*(\d{1,9})\s*,\s*(\d{1,15})\s*$/.exec(line) ?? []
    const key = topic === undefined ? '' : partitionKey({ topic, partition: Number(partition) })
    if (topic === undefined || offsets.has(key)) {
      const why = topic === undefined ? 'expected topic,partition,offset' : 'the partition is named twice'
      throw new WeirError('config-invalid', `--from-file ${file}, line ${index + 1}: ${line}: ${why}`)
    }
    offsets.set(key, Number(offset))
  }
  return offsets
}
