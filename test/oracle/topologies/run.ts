import fc from 'fast-check'

import { assertSame } from './compare.ts'
import type { Description } from './description.ts'
import { descriptions } from './generator.ts'
import { JavaSide } from './java-side.ts'
import { operators } from './operators.ts'
import { runInWeir } from './weir-side.ts'

/** What was compared. */
export interface OracleCounts {
  topologies: number
  /** Piped into them. */
  records: number
  /** By operator: how many topologies held it. */
  readonly operators: Record<string, number>
  /** Topologies that both sides refused to build. */
  refused: number
}

/**
 * Compares Weir with Kafka Streams on `topologies` random topologies.
 *
 * @param counts is counted into, shrinking excluded
 * @throws an error with the smallest case found when they differ, and the seed and path that lead to it
 */
export async function compareTopologies(
  topologies: number,
  seed: number,
  counts: OracleCounts,
): Promise<void> {
  await using java = await JavaSide.start()
  let differs = false
  const property = fc.asyncProperty(descriptions, fc.boolean(), async (description, smallCache) => {
    // A cache that is too small forwards early.
    const cacheBytes = smallCache && !description.caching ? 0 : 1 << 20
    const run = (one: Description) => Promise.all([runInWeir(one, cacheBytes), java.run(one)])
    let [weir, kafkaStreams] = await run(description)
    // Two topics to merge below one step that is below a change of keys: Kafka Streams fails, Weir merges them.
    if (kafkaStreams.refused?.startsWith('Found a null keyChangingChild')) {
      description = { ...description, optimized: false }
      ;[weir, kafkaStreams] = await run(description)
    }
    // A window that was deleted and is still in Kafka Streams' cache, met by a record of sliding windows: Kafka Streams fails, Weir does not.
    if (kafkaStreams.failed?.includes('because "next.value" is null') && description.caching) {
      description = { ...description, caching: false }
      ;[weir, kafkaStreams] = await run(description)
    }
    if (!differs) count(description, weir.refused !== undefined, counts)
    try {
      assertSame(description, weir, kafkaStreams)
    } catch (error) {
      differs = true
      throw error
    }
  })
  await fc.assert(property, {
    seed,
    numRuns: topologies,
    reporter: (run) => {
      if (!run.failed) return
      const { message } = run.errorInstance as Error
      throw new Error(`WEIR_TEST_SEED=${run.seed}, path ${run.counterexamplePath}: ${message}`)
    },
  })
}

export function noCounts(): OracleCounts {
  const counted = Object.fromEntries(Object.keys(operators).map((name) => [name, 0]))
  return { topologies: 0, records: 0, operators: counted, refused: 0 }
}

function count({ steps, events }: Description, refused: boolean, counts: OracleCounts): void {
  counts.topologies++
  if (refused) counts.refused++
  else counts.records += events.filter((event) => !('advanceMs' in event)).length
  for (const op of new Set(steps.map(({ op }) => op))) counts.operators[op]!++
}
