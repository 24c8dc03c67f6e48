/** What a task keeps with its committed offsets: how often it has started. */
const STARTS = 'weir.cassandra.starts'
/** A task whose group knows nothing of it, as after a reset, counts its starts from the minutes that have passed since 2024: beyond all that it had before. */
const FIRST_START_MS = Date.UTC(2024, 0, 1)
const MINUTE_MS = 60_000

/** A task starts. @param metadata what is kept with the committed offsets: has the new count afterwards. @returns that */
export function countStart(metadata: Map<string, number>, nowMs: number): number {
  const before = metadata.get(STARTS) ?? Math.max(0, Math.floor((nowMs - FIRST_START_MS) / MINUTE_MS))
  metadata.set(STARTS, before + 1)
  return before + 1
}

/** How often the task has started, this start included. REQUIRES that it was counted. */
export function startsOf(metadata: ReadonlyMap<string, number>): number {
  return metadata.get(STARTS)!
}
