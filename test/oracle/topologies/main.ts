/**
 * Compares Weir with Kafka Streams' TopologyTestDriver on many random topologies, and writes what was compared to results/summary.json.
 *
 *   npm run test:oracle -- [topologies] [seed]     default: 20,000, and any seed
 */
import { mkdirSync, writeFileSync } from 'node:fs'

import { Random } from '../../support/seed.ts'
import { compareTopologies, noCounts } from './run.ts'

/** How often each operator must have stood in a topology, of 20,000. */
const USES_MIN = 200
const TOPOLOGIES = 20_000
/** A fresh JVM for each: so that a long run does not end by what Kafka Streams' drivers leave behind. */
const ROUND = 500

const [topologies = TOPOLOGIES, seed = new Random().seed] = process.argv.slice(2).map(Number)
if (!Number.isSafeInteger(topologies) || topologies < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run test:oracle -- [topologies] [seed]')
  process.exit(2)
}
const counts = noCounts()
let openDifferences = 0
const results = new URL('../results/', import.meta.url)
mkdirSync(results, { recursive: true })

function writeSummary(): void {
  const summary = { seed, ...counts, openDifferences }
  writeFileSync(new URL('summary.json', results), `${JSON.stringify(summary, null, 2)}\n`)
}

console.log(`${topologies} topologies, seed ${seed}`)
for (let round = 0; counts.topologies < topologies; round++) {
  try {
    await compareTopologies(Math.min(ROUND, topologies - counts.topologies), seed + round, counts)
  } catch (error) {
    openDifferences++
    console.error((error as Error).message)
    break
  }
  console.log(`${counts.topologies} topologies, ${counts.records} records: no difference`)
  writeSummary()
}
writeSummary()

const rare = Object.entries(counts.operators).filter(
  ([, uses]) => uses < (USES_MIN * topologies) / TOPOLOGIES,
)
for (const [name, uses] of rare) console.error(`operator ${name} was used ${uses} times only`)

process.exitCode = openDifferences > 0 || rare.length > 0 ? 1 : 0
