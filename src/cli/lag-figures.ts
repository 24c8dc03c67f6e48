import { partitionKey } from '../runtime/task-inputs.ts'
import type { LagInput } from './lag-inputs.ts'

/** What the cluster says of a partition. */
export interface LagOffsets {
  /** By partitionKey, as the others. */
  readonly committed: ReadonlyMap<string, number>
  readonly earliest: ReadonlyMap<string, number>
  readonly end: ReadonlyMap<string, number>
}

/** How far a task is behind in a partition. null: it is not known. */
export interface PartitionLag {
  readonly task: string
  readonly topic: string
  readonly partition: number
  /** null: the group has none. */
  readonly committed: number | null
  readonly end: number | null
  /** The offset of the first record that is not committed: where a task would begin. */
  readonly next: number | null
  /** Offsets from there to the end; the markers of transactions count. */
  readonly records: number | null
  /** Since the timestamp of the first record that is not committed; 0 when there is none. */
  readonly seconds: number | null
}

export interface LagReport {
  readonly applicationId: string
  /** As librdkafka names it; Dead for a group that does not exist. */
  readonly groupState: string
  readonly members: number
  readonly isolation: 'read_committed' | 'read_uncommitted'
  /** ISO 8601. */
  readonly at: string
  readonly partitions: readonly PartitionLag[]
  readonly missingTopics: readonly string[]
  /** Of all partitions of which it is known. */
  readonly records: number
  /** The most of any partition; null where none is known. */
  readonly seconds: number | null
}

/** Offsets alone: the seconds of partitions with records are not known yet. */
export function offsetLag(input: LagInput, offsets: LagOffsets): PartitionLag {
  const { task, topic, partition } = input
  const key = partitionKey(input)
  const committed = offsets.committed.get(key) ?? null
  const end = offsets.end.get(key) ?? null
  const next = firstOffset(input, offsets, committed, end)
  const records = next === null || end === null ? null : Math.max(0, end - next)
  return { task, topic, partition, committed, end, next, records, seconds: records === 0 ? 0 : null }
}

/** Where the task would begin. What was deleted before that nobody is behind with. */
function firstOffset(
  input: LagInput,
  { earliest }: LagOffsets,
  committed: number | null,
  end: number | null,
): number | null {
  const first = earliest.get(partitionKey(input)) ?? null
  if (committed !== null) return first === null ? committed : Math.max(committed, first)
  return { earliest: first, latest: end, none: null }[input.offsetReset]
}

/** @param timestampMs of the record at `next`; undefined: nobody knows it @param nowMs since 1970 */
export function withSeconds(lag: PartitionLag, timestampMs: number | undefined, nowMs: number): PartitionLag {
  if (lag.records === null || lag.records === 0 || timestampMs === undefined || timestampMs < 0) return lag
  return { ...lag, seconds: Math.max(0, Math.round(nowMs - timestampMs) / 1_000) }
}

export function totalsOf(partitions: readonly PartitionLag[]): Pick<LagReport, 'records' | 'seconds'> {
  const known = partitions.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]))
  return {
    records: partitions.reduce((sum, { records }) => sum + (records ?? 0), 0),
    seconds: known.length === 0 ? null : Math.max(...known),
  }
}
