/** Upper bounds of histograms, seconds. */

/** What is asked of brokers, databases and disks. */
export const seconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const

/** What is done in memory for one record: from a microsecond on, in steps of four. */
export const recordSeconds = [
  0.000001, 0.000004, 0.000016, 0.000064, 0.00025, 0.001, 0.004, 0.016, 0.064, 0.25, 1,
] as const

/** How old records are: to hours, since a worker that was away has those to catch up with. */
export const ageSeconds = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400,
] as const

/** What an event loop is late by. */
export const delaySeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const

/** What restoring a task takes. */
export const restoreSeconds = [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600] as const
