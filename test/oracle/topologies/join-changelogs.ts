/** Changelogs of stream-stream joins, and what Kafka Streams logs besides what its stores keep. Those of their window stores have every record as a row of its own. */
import type { OutputRow, Result } from './description.ts'

/** More than any of them is retained, with the segments' minimum; and less than the wall clock is ahead of the records. */
const RETENTION_MAX_MS = 500_000

export function isJoinChangelog(topic: string): boolean {
  return /(JOIN|OUTER)(THIS|OTHER)-\d+-store-changelog$|-(this|other)-join-store-changelog$/.test(topic)
}

/** Of the store in which records of a left or outer join wait; it has no cache. */
export function isWaitingChangelog(topic: string): boolean {
  return /OUTERSHARED-\d+-store-changelog$|-shared-join-store-changelog$/.test(topic)
}

/**
 * What Kafka Streams' stores have kept: it logs records that have expired when they come, and nulls in a join as deletions of nothing.
 *
 * @param histories of versioned stores, by their changelogs
 */
export function keptRecords(result: Result, histories: ReadonlyMap<string, number>): Result {
  const latest = new Map<string, number>()
  const kept = (topic: string, rows: readonly OutputRow[]): OutputRow[] =>
    rows.filter(([key, value]) => {
      if (value === null) return false
      const time = timeOf(key!)
      const streamTime = Math.max(time, latest.get(topic) ?? 0)
      latest.set(topic, streamTime)
      return time >= streamTime - RETENTION_MAX_MS
    })
  const remembered = (topic: string, rows: readonly OutputRow[]): OutputRow[] =>
    rows.filter(([, , time]) => {
      const streamTime = Math.max(time, latest.get(topic) ?? 0)
      latest.set(topic, streamTime)
      return time >= streamTime - histories.get(topic)!
    })
  const rounds = result.rounds?.map((round) =>
    Object.fromEntries(
      Object.entries(round).map(([topic, rows]) => [
        topic,
        isJoinChangelog(topic) ? kept(topic, rows) : histories.has(topic) ? remembered(topic, rows) : rows,
      ]),
    ),
  )
  return { ...result, ...(rounds !== undefined && { rounds }) }
}

/**
 * By key and time, and those of one key and time as they came. Without their numbers, of which Kafka Streams uses up one for each null too, and
 * without their headers, which only Kafka Streams logs.
 */
export function joinRecords(rows: readonly OutputRow[]): OutputRow[] {
  return rows
    .map(([key, value, timestamp]): OutputRow => [key!.slice(0, -8), value, timestamp, []])
    .sort(([a], [b]) => (a === b ? 0 : a! < b! ? -1 : 1))
}

/** Of `key time(8) number(4)`, in hex. */
function timeOf(key: string): number {
  return Number(BigInt(`0x${key.slice(-24, -8)}`))
}
