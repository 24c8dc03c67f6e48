/**
 * Ten short schedules of faults on a cluster of three brokers (schedule.ts says what a schedule is), two at a time; the same ten each time. And two with tiered
 * stores, in which Cassandra is killed. Others, longer and with more workers and faults: `npm run test:faults`.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'

import { type RunOptions, runSchedules } from './run-schedules.ts'

async function assertPassed(t: TestContext, options: Omit<RunOptions, 'log'>): Promise<void> {
  const lines: string[] = []
  const log = (line: string): void => {
    lines.push(line)
    t.diagnostic(line)
  }
  assert.equal(await runSchedules({ ...options, log }), 0, lines.join('\n'))
}

test(
  'schedules of faults lose nothing, and under exactly-once double nothing',
  {
    timeout: 600_000,
  },
  (t) => assertPassed(t, { schedules: 10, seed: 1_489_449_778, planOptions: { loadMs: 4_000 }, lanes: 2 }),
)

test(
  'schedules with tiered stores leave the rows of the last records in Cassandra',
  {
    timeout: 600_000,
  },
  (t) => assertPassed(t, { schedules: 2, seed: 1_003, planOptions: { stores: 'tiered', workersMax: 2 } }),
)
