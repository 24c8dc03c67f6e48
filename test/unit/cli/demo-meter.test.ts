import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DemoMeter } from '../../../src/cli/demo-meter.ts'
import type { ApplicationStatus } from '../../../src/runtime/application.ts'

function status(...processed: number[]): ApplicationStatus {
  return {
    state: 'running',
    assignedPartitions: 2,
    restores: [],
    threads: processed.map((recordsProcessed, threadIndex) => ({
      threadIndex,
      recordsProcessed,
      recordsProduced: recordsProcessed / 10,
      isResponding: true,
      tasks: [
        {
          id: `0_${threadIndex + 2}`,
          state: 'restoring',
          recordsProcessed: 0,
          restoreRemaining: 5,
          lag: 0,
          stateBytes: 0,
        },
        {
          id: `0_${threadIndex}`,
          state: 'running',
          recordsProcessed,
          restoreRemaining: 0,
          lag: 0,
          stateBytes: 100,
        },
      ],
    })),
  }
}

test('rates are those of the last two seconds, for each thread', () => {
  const meter = new DemoMeter()
  meter.update(status(0, 0), 1_000)
  assert.equal(meter.firstMs, null)
  meter.update(status(100, 50), 2_000)
  assert.deepEqual(
    [meter.firstMs, meter.lastMs, meter.processed, meter.recordsPerSecond],
    [2_000, 2_000, 150, 150],
  )
  meter.update(status(100, 50), 3_000)
  meter.update(status(500, 50), 4_000)
  assert.deepEqual(
    meter.threads.map(({ recordsPerSecond }) => recordsPerSecond),
    [200, 0],
  )
  meter.update(status(500, 50), 5_000)
  meter.update(status(500, 50), 6_000)
  assert.deepEqual([meter.recordsPerSecond, meter.firstMs, meter.lastMs], [0, 2_000, 4_000])
  assert.deepEqual([meter.recordsProduced, meter.stateBytes], [55, 200])
  assert.deepEqual(meter.threads[0]?.tasks, ['0_0', '[0_2]'])
})
