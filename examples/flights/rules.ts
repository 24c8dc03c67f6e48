/** The numbers that the topology, its loader and its check (verify.ts) agree on. */
import type { Plane } from './records.ts'

const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** Partitions of the topics that are read by airport. */
export const airportPartitions = 2

/** A departure this late is a delay. */
export const delayMinutesMin = 16

/** An aircraft with this many delays in its window is in the segment. */
export const delaysMin = 3

/** Each aircraft has a window of its own: the older it is, the longer its delays are remembered. */
export function windowMsOf(plane: Pick<Plane, 'yearBuilt'> | null): number {
  if (plane === null || plane.yearBuilt === null) return 2 * dayMs
  return plane.yearBuilt < 2000 ? 7 * dayMs : 4 * dayMs
}

/**
 * The weather that belongs to a departure: from so long before until so long after it was scheduled, both
 * ends included.
 */
export const weatherBeforeMs = 1 * hourMs
export const weatherAfterMs = 2 * hourMs

/** An aircraft that does not fly for longer has rested: its next flight begins another session. */
export const sessionGapMs = 12 * hourMs

/** Flights come in order of their days, and within a day as they took off: none is later than this. */
export const activityGraceMs = dayMs

/** The last day that is over when the data ends: two days before the last evening's flights, which every partition has. */
export const lastClosedDayMs = Date.UTC(2013, 0, 30)
