import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describeMachine, describeVersions } from '../../bench/harness/machine.ts'
import { type FaultCluster, startFaultCluster } from './fault-cluster.ts'
import { describePlan, planArguments, planSchedule } from './plan.ts'
import type { Plant } from './planted/plants.ts'
import { runSchedule } from './schedule.ts'
import { attempt, describeFigures, keepLogs, type ScheduleResult } from './schedule-result.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const results = new URL('./results/planted.json', import.meta.url)
/** Some schedules end too late once in a while. */
const ATTEMPTS_WITHOUT_MAX = 3

export interface PlantedOptions {
  readonly plants: readonly Plant[]
  /** For each plant the first schedule's; those of the others follow it. */
  readonly seed: number
  /** Of each plant, at most. */
  readonly schedules: number
  readonly writeResults: boolean
  readonly log: (line: string) => void
}

/** How a plant was found. */
interface Finding {
  readonly name: string
  readonly what: string
  readonly seed: number
  /** Until then, with it. */
  readonly schedules: number
  /** What the verifier named, the first of each kind. */
  readonly problems: readonly string[]
  readonly plan: string
  readonly withoutThePlant: string
  readonly again: string
}

/** Runs schedules with each of these bugs, until the verifier finds it in one that passes without. @returns how many were not found */
export async function runPlanted(options: PlantedOptions): Promise<number> {
  const { plants, seed, writeResults, log } = options
  const copies = new Map(plants.map((plant) => [plant, plantedSources(plant)]))
  const findings: Finding[] = []
  await using cluster = await startFaultCluster({
    withCassandra: plants.some(({ options: { stores } }) => stores === 'tiered'),
  })
  for (const [plant, sources] of copies) {
    const finding = await findPlant(plant, sources, cluster, options)
    if (finding === null) log(`${plant.name}: NOT FOUND`)
    else findings.push(finding)
  }
  if (writeResults) {
    const notFound = plants
      .map(({ name }) => name)
      .filter((name) => !findings.some((one) => one.name === name))
    const written = {
      firstSeed: seed,
      machine: describeMachine(),
      versions: describeVersions(),
      found: findings,
      notFound,
    }
    writeFileSync(results, `${JSON.stringify(written, null, 2)}\n`)
  }
  return plants.length - findings.length
}

/** A copy of the sources with the bug in it. @returns its folder */
function plantedSources({ name }: Plant): string {
  const { status } = spawnSync('bash', ['scripts/plant.sh', name], { cwd: repository, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
  return `${repository}build/planted/${name}`
}

async function findPlant(
  plant: Plant,
  sources: string,
  cluster: FaultCluster,
  { seed: firstSeed, schedules, log }: PlantedOptions,
): Promise<Finding | null> {
  const { name, what, options } = plant
  for (let index = 0; index < schedules; index++) {
    const seed = firstSeed + index
    const { found } = await run(plant, seed, cluster, log, sources)
    if (found.length === 0 || !(await passesWithout(plant, seed, cluster, log))) continue
    return {
      name,
      what,
      seed,
      schedules: index + 1,
      problems: firstOfEachKind(found),
      plan: `${describePlan(planSchedule(seed, options))};${planArguments(options)}`,
      withoutThePlant: 'passed',
      again: `npm run test:faults -- --plant ${name} --only ${seed}`,
    }
  }
  return null
}

async function passesWithout(
  plant: Plant,
  seed: number,
  cluster: FaultCluster,
  log: PlantedOptions['log'],
): Promise<boolean> {
  for (let tries = 0; tries < ATTEMPTS_WITHOUT_MAX; tries++) {
    const { problems, found } = await run(plant, seed, cluster, log)
    if (problems.length === 0) return true
    if (found.length > 0) break
  }
  log(`${plant.name}: seed ${seed} says nothing, since it fails without it, too`)
  return false
}

/** @param sources with the bug; without them the schedule runs without it */
async function run(
  { name, options }: Plant,
  seed: number,
  cluster: FaultCluster,
  log: PlantedOptions['log'],
  sources?: string,
): Promise<ScheduleResult> {
  const plan = planSchedule(seed, options)
  const place = sources === undefined ? {} : { sources }
  const which = sources === undefined ? `${name} taken out` : name
  const logs = `build/faults/${name}-${seed}${sources === undefined ? '-without' : ''}`
  const result = await attempt(plan, () => runSchedule(plan, cluster, repository + logs, place))
  const hasPassed = keepLogs(repository + logs, plan, result)
  await cluster.heal()
  const verdict = result.found.length > 0 ? 'FOUND' : hasPassed ? 'passed' : 'failed'
  log(`${which}, seed ${seed} ${verdict}: ${describeFigures(result)}; ${describePlan(plan)}`)
  for (const problem of result.problems) log(`  ${problem.split('\n')[0]}`)
  return result
}

function firstOfEachKind(problems: readonly string[]): string[] {
  const kinds = Map.groupBy(problems, (problem) => problem.split(':')[0]!)
  return Array.from(kinds.values(), ([first]) => first!)
}
