/**
 * `npm run test:faults`: seeded schedules of faults, and what came of them.
 *
 *   npm run test:faults -- --schedules 200 --seed 1     (these are the defaults but for the seed, which is random)
 *   npm run test:faults -- --only 17 --guarantee exactly_once_v2 --kinds worker-kill,broker-kill --load-ms 12000
 *   npm run test:faults -- --stores tiered      (50 schedules, with Cassandra, which is killed and started again in each)
 *   npm run test:faults -- --plant all     (bugs that are put in on purpose; see planted/plants.ts)
 */
import { parseArgs } from 'node:util'

import { type FaultKind, faultKinds, type PlanOptions } from './plan.ts'
import { plants } from './planted/plants.ts'
import { runPlanted } from './run-planted.ts'
import { runSchedules } from './run-schedules.ts'

const { values } = parseArgs({
  options: {
    /** Default 200; with tiered stores 50. */
    schedules: { type: 'string' },
    seed: { type: 'string' },
    /** One schedule alone, by the seed that it printed. */
    only: { type: 'string' },
    guarantee: { type: 'string' },
    /** `persistent`, `memory` or `tiered`. */
    stores: { type: 'string' },
    kinds: { type: 'string' },
    'load-ms': { type: 'string' },
    'workers-max': { type: 'string' },
    'transaction-timeout-ms': { type: 'string' },
    /** Schedules at once. */
    lanes: { type: 'string', default: '1' },
    /** Stops at the first schedule that fails. */
    'until-failure': { type: 'boolean', default: false },
    /** A bug of test/faults/planted, or `all`: schedules are run with it until one finds it. */
    plant: { type: 'string' },
    /** Writes nothing into the results. */
    dry: { type: 'boolean', default: false },
  },
})

function kindsOf(text: string): FaultKind[] {
  return text.split(',').map((name) => {
    const kind = faultKinds.find((one) => one === name)
    if (kind === undefined) throw new Error(`--kinds: ${name} is none of ${faultKinds.join(', ')}`)
    return kind
  })
}

function storesOf(text: string | undefined): PlanOptions['stores'] {
  if (text === undefined || text === 'persistent' || text === 'memory' || text === 'tiered') return text
  throw new Error(`--stores: ${text} is none of persistent, memory, tiered`)
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

const planOptions: PlanOptions = {
  guarantee: values.guarantee as PlanOptions['guarantee'],
  stores: storesOf(values.stores),
  kinds: values.kinds === undefined ? undefined : kindsOf(values.kinds),
  workersMax: numberOf(values['workers-max']),
  loadMs: numberOf(values['load-ms']),
  transactionTimeoutMs: numberOf(values['transaction-timeout-ms']),
}
const { only, plant } = values
const schedules =
  only === undefined ? Number(values.schedules ?? (planOptions.stores === 'tiered' ? 50 : 200)) : 1
const seed = Number(only ?? values.seed ?? Math.floor(Math.random() * 2 ** 31))
const log = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
// Every server and worker that runs has a listener for this process's end.
process.setMaxListeners(10 * Number(values.lanes))
// Ends what it has started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const runPlain = (): Promise<number> =>
  runSchedules({
    schedules,
    seed,
    planOptions,
    lanes: Number(values.lanes),
    untilFailure: values['until-failure'],
    writeResults:
      only === undefined &&
      !values.dry &&
      values.guarantee === undefined &&
      values.kinds === undefined &&
      (values.stores === undefined || values.stores === 'tiered'),
    log,
  })
const runPlants = (name: string): Promise<number> => {
  const chosen = name === 'all' ? plants : plants.filter((one) => one.name === name)
  if (chosen.length === 0)
    throw new Error(`--plant: ${name} is none of ${plants.map((one) => one.name).join(', ')}, all`)
  return runPlanted({ plants: chosen, schedules, seed, writeResults: name === 'all' && !values.dry, log })
}
const failed = await (plant === undefined ? runPlain() : runPlants(plant))
process.exit(failed === 0 ? 0 : 1)
