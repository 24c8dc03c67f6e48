import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { defineTopology, RetriableError, serdes } from '../../../src/index.ts'
import { waitForInFlight } from '../../../src/runtime/in-flight-wait.ts'
import { ThreadEvents } from '../../../src/runtime/thread-events.ts'
import { LocalTask } from '../../support/local-task.ts'

const text = { key: serdes.string, value: serdes.string }

/** @param answer what a value's promise does */
async function waited(
  answer: (value: string) => Promise<string>,
  values: readonly string[],
  limitMs: number,
  isAlive = true,
): Promise<{ readonly made: string[]; readonly told: (string | null)[]; readonly left: number }> {
  const made: string[] = []
  const topology = defineTopology((builder) => {
    builder
      .stream('in', text)
      .mapValuesAsync(
        (value) => {
          made.push(value)
          return answer(value)
        },
        { concurrency: 2 },
      )
      .to('out', text)
  })
  await using local = await LocalTask.open(topology)
  const events = new ThreadEvents()
  local.onProgress = () => events.wakeUp()
  local.append(
    'in',
    ...values.map((value) => ({ key: Buffer.from(value), value: Buffer.from(value), timestamp: 0 })),
  )
  await local.turn()
  local.append('in', { key: Buffer.from('later'), value: Buffer.from('later'), timestamp: 0 })
  local.task.readAhead()
  await waitForInFlight([local.task], {
    events,
    limitMs,
    complete: (task) => task.completeRecords(10),
    isAlive: async () => isAlive,
    handOver: () => local.commit(),
  })
  return { made, told: local.outputs.map(({ value }) => value), left: local.task.recordsInFlight }
}

const later = async (value: string): Promise<string> => {
  await sleep(5)
  return value
}

test('all that was taken is completed and handed over, and no more is taken', async () => {
  const values = ['a', 'b', 'c', 'd', 'e']
  assert.deepEqual(await waited(later, values, 60_000), { made: values, told: values, left: 0 })
})

test('a promise that does not settle is waited for within the limit', async () => {
  const answer = (value: string): Promise<string> => (value === 'b' ? new Promise(() => {}) : later(value))
  assert.deepEqual(await waited(answer, ['a', 'b', 'c'], 300), {
    made: ['a', 'b', 'c'],
    told: ['a'],
    left: 2,
  })
})

test('a record that is about to be tried again is not waited for', async () => {
  const answer = (value: string): Promise<string> =>
    value === 'b' ? Promise.reject(new RetriableError('away')) : later(value)
  // The limit would be an hour.
  const { told, left } = await waited(answer, ['a', 'b', 'c'], 3_600_000)
  assert.deepEqual({ told, left }, { told: ['a'], left: 2 })
})

test('nothing is completed of tasks that were given up', async () => {
  assert.deepEqual(await waited(later, ['a', 'b'], 60_000, false), { made: ['a', 'b'], told: [], left: 2 })
})
