import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { SchedulePlan } from './plan.ts'
import type { Verdict } from './verifier.ts'

export interface ScheduleResult extends Verdict {
  /** Those of the problems that the topics show. */
  readonly found: readonly string[]
  readonly seconds: number
}

/** What `run` gives; when the schedule does not end, that is what is wrong with it. */
export async function attempt(
  plan: SchedulePlan,
  run: () => Promise<ScheduleResult>,
): Promise<ScheduleResult> {
  try {
    return await run()
  } catch (error) {
    const problems = [`the schedule did not end: ${(error as Error).message.slice(0, 2_000)}`]
    const seconds = plan.loadMs / 1_000
    return { records: 0, lost: 0, doubled: 0, reordered: 0, problems, found: [], seconds }
  }
}

/** The logs of what failed are left with the verdict, the others are removed. @returns whether it passed */
export function keepLogs(logDir: string, plan: SchedulePlan, result: ScheduleResult): boolean {
  const hasPassed = result.problems.length === 0
  if (hasPassed) rmSync(logDir, { recursive: true, force: true })
  else {
    mkdirSync(logDir, { recursive: true })
    writeFileSync(join(logDir, 'verdict.json'), `${JSON.stringify({ plan, ...result }, null, 2)}\n`)
  }
  return hasPassed
}

export function describeFigures({ records, lost, doubled, reordered, seconds }: ScheduleResult): string {
  return `${records} records, ${lost} lost, ${doubled} doubled, ${reordered} out of order, ${seconds} s`
}
