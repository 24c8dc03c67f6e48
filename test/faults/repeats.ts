import type { Commit } from './commit-log.ts'
import type { Incident } from './incidents.ts'
import { isOfAll } from './plan.ts'
import type { Told } from './verifier.ts'

/** What one task told, whoever ran it, in the order of its topic. */
export interface RepeatingTask {
  readonly name: string
  readonly told: readonly Told[]
  readonly commits: readonly Commit[]
}

/** Records that one process took one after the other, without a step back. */
interface Run {
  readonly life: string
  readonly start: number
  end: number
  /** When the first was processed. */
  readonly atMs: number
}

/** What a fault has set going goes on for a while: sessions and transactions time out, members join again. */
const AFTERMATH_MS = 15_000
/** A process that stood still, or was cut off, takes so long to see that others have its tasks. */
const UNAWARE_MS = 5_000

/**
 * At-least-once repeats what it must, and nothing else. A process that takes records which were taken before begins where the group stood by
 * then, and after a fault that ended the run before it, or kept it from committing.
 */
export function judgeRepeats(
  { name, told, commits }: RepeatingTask,
  incidents: readonly Incident[],
): { kind: string; what: string }[] {
  const problems: { kind: string; what: string }[] = []
  const runs = runsOf(told).toSorted((a, b) => a.atMs - b.atMs)
  for (const [index, run] of runs.entries()) {
    const before = runs.slice(0, index).filter(({ end }) => end >= run.start)
    if (before.length === 0) continue
    const farthest = before.reduce((one, other) => (other.end > one.end ? other : one))
    const what = `${name}: ${run.life} begins at ${run.start}, ${farthest.life} was at ${farthest.end}`
    const isUnaware = incidents.some(
      ({ worker, toMs, fromMs }) =>
        `w${worker}` === run.life.split('.')[0] && fromMs <= run.atMs && run.atMs <= toMs + UNAWARE_MS,
    )
    const committed = commits.findLast(({ atMs }) => atMs < run.atMs)?.offset ?? 0
    if (run.start < committed && !isUnaware)
      problems.push({ kind: 'repeated what was committed', what: `${what}; ${committed} was committed` })
    const hasCause = incidents.some(
      ({ kind, worker, fromMs, toMs }) =>
        fromMs <= run.atMs &&
        toMs + AFTERMATH_MS >= farthest.atMs &&
        ((kind !== 'assignment-lost' && isOfAll(kind)) ||
          [farthest, run].some(({ life }) => `w${worker}` === life.split('.')[0])) &&
        kind !== 'worker-stop',
    )
    if (!hasCause) problems.push({ kind: 'repeated without a crash or a lost assignment', what })
  }
  return problems
}

function runsOf(told: readonly Told[]): Run[] {
  const runs: Run[] = []
  for (const [life, own] of Map.groupBy(told, (one) => one.life)) {
    let run: Run | null = null
    for (const { offset, atMs } of own) {
      if (run !== null && offset === run.end + 1) run.end = offset
      else {
        run = { life, start: offset, end: offset, atMs }
        runs.push(run)
      }
    }
  }
  return runs
}
