import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createFlightTopics, loadFlights, loadPlanes, loadWeather } from '../../examples/flights/load.ts'
import { actualResults, differences, expectedResults } from '../../examples/flights/verify.ts'
import { waitUntilConsumed } from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { WeirProcess } from '../support/weir-process.ts'

test('examples/flights gives exactly the results of a computation over the CSV files', async (t) => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const applicationId = 'flights'
  await createFlightTopics(bootstrapServers)
  const isEven = (hourMs: number): boolean => (hourMs / 3_600_000) % 2 === 0
  const planes = await loadPlanes(bootstrapServers)
  // Half of the weather comes before the flights, the other half after them: pairs are found from both sides.
  const early = await loadWeather(bootstrapServers, ({ hourMs }) => isEven(hourMs))
  const flights = await loadFlights(bootstrapServers)
  await using worker = await WeirProcess.start({
    module: 'examples/flights/topology.ts',
    applicationId,
    bootstrapServers,
    stateDir: makeScratchDir('flights'),
    env: { WEIR_NUM_STREAM_THREADS: '2', WEIR_COMMIT_INTERVAL_MS: '1000' },
  })
  const inputs = [
    'planes',
    'weather',
    'flights',
    `${applicationId}-flights-by-origin-repartition`,
    `${applicationId}-carrier-delays-repartition`,
  ]
  const consumed = (): Promise<void> =>
    worker.whileRunning(waitUntilConsumed(bootstrapServers, applicationId, inputs, { timeoutMs: 120_000 }))
  await worker.ready()
  await consumed()
  const late = await loadWeather(bootstrapServers, ({ hourMs }) => !isEven(hourMs))
  await consumed()
  await worker.stop()

  assert.deepEqual([planes, early + late, flights], [3_322, 2_226, 27_004])
  const expected = expectedResults()
  const actual = await actualResults(bootstrapServers)
  const lines = differences(actual, expected)
  assert.equal(lines.length, 0, lines.slice(0, 5).join('\n'))
  t.diagnostic(
    Object.entries(expected)
      .map(([name, results]) => `${name} ${results.size}`)
      .join(', '),
  )

  // The comparison notices one value that is off by one bit.
  const [carrier, delays] = [...expected.carrierDelays][0] as [string, { meanDelayMinutes: number }]
  const off = { ...delays, meanDelayMinutes: delays.meanDelayMinutes * (1 + Number.EPSILON) }
  const wrong = { ...expected, carrierDelays: new Map([...expected.carrierDelays, [carrier, off]]) }
  assert.equal(differences(actual, wrong).length, 1)
})
