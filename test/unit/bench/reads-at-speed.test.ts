import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ReadRound, readsAtSpeedMs, usualReadMicros } from '../../../bench/harness/reads-at-speed.ts'

const roundsOf = (partition: number, fromMs: number, micros: readonly number[]): ReadRound[] =>
  micros.map((each, i) => ({ partition, atMs: fromMs + i, micros: each, found: 1 }))

test('reads are at speed from the first round, in the last task, that takes at most twice the usual', () => {
  const steady = roundsOf(0, 1_000, [100, 110, 100, 90, 100, 100])
  assert.equal(readsAtSpeedMs(steady), 1_000)
  const slowAtFirst = roundsOf(1, 1_000, [900, 400, 210, 190, 100, 110, 95, 100, 100, 100])
  assert.equal(readsAtSpeedMs(slowAtFirst), 1_003)
  assert.equal(readsAtSpeedMs([...steady, ...slowAtFirst]), 1_003)
  // A slow round afterwards is the machine's.
  assert.equal(readsAtSpeedMs(roundsOf(0, 5, [100, 100, 800, 100, 100, 100])), 5)
})

test('the usual speed is that of the second half', () => {
  assert.equal(usualReadMicros(roundsOf(0, 0, [900, 900, 900, 200, 200, 200]), 100), 2)
})
