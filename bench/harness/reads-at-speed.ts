import { median } from './results.ts'

/** One round of point reads of one task. */
export interface ReadRound {
  partition: number
  /** When it began, ms since 1970. */
  atMs: number
  micros: number
  found: number
}

/** A read that takes up to this many times what is usual counts as usual. */
const tolerance = 2

/**
 * When point reads run at their usual speed: the beginning of the first round, in each task, that takes no more than twice what is usual there;
 * the last task's. Usual is the median of the second half of a task's rounds.
 */
export function readsAtSpeedMs(rounds: readonly ReadRound[]): number {
  const perTask = [...Map.groupBy(rounds, ({ partition }) => partition).values()]
  return Math.max(
    ...perTask.map((ofTask) => {
      const usual = median(ofTask.slice(Math.floor(ofTask.length / 2)).map(({ micros }) => micros))
      // The second half has one that is no slower than its median.
      return (ofTask.find(({ micros }) => micros <= tolerance * usual) as ReadRound).atMs
    }),
  )
}

/** Microseconds of one read at the usual speed, over all tasks. */
export function usualReadMicros(rounds: readonly ReadRound[], readsPerRound: number): number {
  const perTask = [...Map.groupBy(rounds, ({ partition }) => partition).values()]
  return median(
    perTask.flatMap((ofTask) =>
      ofTask.slice(Math.floor(ofTask.length / 2)).map(({ micros }) => micros / readsPerRound),
    ),
  )
}
