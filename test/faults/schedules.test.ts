/**
 * Two short schedules of workers that are killed and stopped, on a cluster of three brokers (test/faults/schedule.ts says what a schedule is). Every kind of
 * fault, on brokers and connections too, is in those of `npm run test:faults`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Random } from '../support/seed.ts'
import { runSchedules } from './run-schedules.ts'

test('schedules of workers that are killed and stopped lose nothing, and under exactly-once double nothing', {
  timeout: 300_000,
}, async (t) => {
  const lines: string[] = []
  const failed = await runSchedules({
    schedules: 2,
    seed: new Random().seed,
    planOptions: { loadMs: 4_000, kinds: ['worker-kill', 'worker-kill-delete-state', 'worker-stop'] },
    lanes: 2,
    log: (line) => {
      lines.push(line)
      t.diagnostic(line)
    },
  })
  assert.equal(failed, 0, lines.join('\n'))
})
