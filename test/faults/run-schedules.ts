import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describeMachine, describeVersions } from '../../bench/harness/machine.ts'
import { startFaultCluster } from './fault-cluster.ts'
import {
  describePlan,
  type FaultKind,
  isOfAll,
  kindsOf,
  type PlanOptions,
  planArguments,
  planSchedule,
  type SchedulePlan,
  WORKERS_MAX,
} from './plan.ts'
import { runSchedule } from './schedule.ts'
import { attempt, describeFigures, keepLogs, type ScheduleResult } from './schedule-result.ts'

const logsRoot = fileURLToPath(new URL('../../build/faults/', import.meta.url))
const results = new URL('./results/', import.meta.url)

export interface RunOptions {
  readonly schedules: number
  /** The first schedule's; those of the others follow it. */
  readonly seed: number
  readonly planOptions?: PlanOptions
  /** How many run at once; each has its own workers. Only the first lane's have brokers fail. Default 1. */
  readonly lanes?: number
  readonly untilFailure?: boolean
  readonly writeResults?: boolean
  readonly log: (line: string) => void
}

/** What DESIGN says of test/faults/results/summary.json. */
interface Summary {
  schedules: number
  faults: Partial<Record<FaultKind, number>>
  records: number
  lost: number
  doubledExactlyOnce: number
  doubledAtLeastOnce: number
  reordered: number
}

/** Runs so many schedules on one cluster. @returns how many failed */
export async function runSchedules(options: RunOptions): Promise<number> {
  const {
    schedules,
    seed,
    planOptions = {},
    lanes = 1,
    untilFailure = false,
    writeResults = false,
    log,
  } = options
  const summary: Summary = {
    schedules: 0,
    faults: {},
    records: 0,
    lost: 0,
    doubledExactlyOnce: 0,
    doubledAtLeastOnce: 0,
    reordered: 0,
  }
  const lines: object[] = []
  let failed = 0
  const isTiered = planOptions.stores === 'tiered'
  await using cluster = await startFaultCluster({ withCassandra: isTiered })
  const report = (plan: SchedulePlan, result: ScheduleResult, own: PlanOptions): void => {
    const logDir = logDirOf(plan)
    add(summary, plan, result)
    const { problems, found: _, ...figures } = result
    const hasPassed = keepLogs(logDir, plan, result)
    const verdict = hasPassed ? 'passed' : 'FAILED'
    const what = `${describeFigures(result)}; ${describePlan(plan)}`
    log(`${summary.schedules}/${schedules} seed ${plan.seed} ${verdict}: ${what}`)
    lines.push({
      seed: plan.seed,
      plan: describePlan(plan),
      verdict,
      ...figures,
      ...(problems.length > 0 && { problems }),
    })
    if (hasPassed) return
    failed++
    for (const problem of problems) log(`  ${problem}`)
    log(
      `  again: npm run test:faults -- --only ${plan.seed}${planArguments(own)}; its logs: build/faults/${plan.seed}`,
    )
  }
  const runLane = async (seedOfLane: number, lane: number): Promise<void> => {
    const kinds = kindsOf(planOptions).filter((kind) => !isOfAll(kind))
    const own = {
      ...planOptions,
      ...(lanes > 1 && { workersMax: Math.floor(WORKERS_MAX / lanes) }),
      // Two lanes could have two brokers away.
      ...(lane > 0 && { kinds }),
    }
    const plan = planSchedule(seedOfLane, own)
    const logDir = logDirOf(plan)
    rmSync(logDir, { recursive: true, force: true })
    const firstDoor = lane * Math.floor(WORKERS_MAX / lanes)
    report(plan, await attempt(plan, () => runSchedule(plan, cluster, logDir, { firstDoor })), own)
  }
  for (let index = 0; index < schedules && !(untilFailure && failed > 0); index += lanes) {
    const running = Array.from({ length: Math.min(lanes, schedules - index) }, (_, lane) =>
      runLane(seed + index + lane, lane),
    )
    await Promise.all(running)
    await cluster.heal()
  }
  log(JSON.stringify(summary))
  if (writeResults) {
    const details = { seed, machine: describeMachine(), versions: describeVersions(), schedules: lines }
    const which = isTiered ? 'tiered-' : ''
    writeFileSync(new URL(`${which}summary.json`, results), `${JSON.stringify(summary, null, 2)}\n`)
    writeFileSync(new URL(`${which}schedules.json`, results), `${JSON.stringify(details, null, 2)}\n`)
  }
  return failed
}

function logDirOf({ seed }: SchedulePlan): string {
  return join(logsRoot, String(seed))
}

function add(summary: Summary, { guarantee, faults }: SchedulePlan, result: ScheduleResult): void {
  summary.schedules++
  for (const { kind } of faults) summary.faults[kind] = (summary.faults[kind] ?? 0) + 1
  summary.records += result.records
  summary.lost += result.lost
  summary.reordered += result.reordered
  if (guarantee === 'exactly_once_v2') summary.doubledExactlyOnce += result.doubled
  else summary.doubledAtLeastOnce += result.doubled
}
