/**
 * Ten short schedules of faults on a cluster of three brokers (schedule.ts says what a schedule is), two at a time; the same ten each time. Others, longer and
 * with more workers and faults: `npm run test:faults`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { runSchedules } from './run-schedules.ts'

test('schedules of faults lose nothing, and under exactly-once double nothing', {
  timeout: 600_000,
}, async (t) => {
  const lines: string[] = []
  const failed = await runSchedules({
    schedules: 10,
    seed: 1_489_449_778,
    planOptions: { loadMs: 4_000 },
    lanes: 2,
    log: (line) => {
      lines.push(line)
      t.diagnostic(line)
    },
  })
  assert.equal(failed, 0, lines.join('\n'))
})
