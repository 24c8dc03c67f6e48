import type { FaultKind } from './plan.ts'

/** What befell whom, and when. */
export interface Incident {
  /** `assignment-lost`: no fault of the schedule, but the member was out of its group all the same. On a machine that stands still sessions time out. */
  readonly kind: FaultKind | 'assignment-lost'
  /** null: a broker, and with it everybody. */
  readonly worker: number | null
  /** Of the worker. */
  readonly life: string | null
  /** Ms since 1970. */
  readonly fromMs: number
  toMs: number
}

/**
 * When a worker's log says that it lost its assignment, or that its tasks begin again because another that had lost its own has written to their changelogs, ms
 * since 1970.
 */
export function lostAssignments(log: string): number[] {
  return log
    .split('\n')
    .filter((line) =>
      /"message":"(partitions lost|another member wrote to changelogs of these tasks)/.test(line),
    )
    .map((line) => Date.parse((JSON.parse(line) as { time: string }).time))
}
