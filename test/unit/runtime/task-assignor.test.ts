import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { assignTasks, type PlaceableTask } from '../../../src/runtime/task-assignor.ts'

function tasksOf(partitions: readonly number[]): PlaceableTask[] {
  return partitions.flatMap((count, subtopology) =>
    Array.from({ length: count }, (_, partition) => ({ id: `${subtopology}_${partition}`, subtopology })),
  )
}

function counts(
  tasks: readonly PlaceableTask[],
  threads: number,
  placed: ReadonlyMap<string, number>,
): number[] {
  const result = new Array<number>(threads).fill(0)
  for (const { id } of tasks) result[placed.get(id)!]!++
  return result
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers)
}

const partitions = fc.array(fc.nat(12), { maxLength: 6 })
const threadCount = fc.integer({ min: 1, max: 7 })

/** What was before: any subset of the tasks, also some that are gone, on any thread, also one that is gone. */
const situation = fc.record({
  partitions,
  threads: threadCount,
  previous: fc.dictionary(
    fc.constantFrom(
      ...Array.from({ length: 6 }, (_, s) => Array.from({ length: 13 }, (_, p) => `${s}_${p}`)).flat(),
    ),
    fc.nat(8),
  ),
})

describe('assignTasks', () => {
  test('gives each task to one thread, evenly for the whole and for each sub-topology', () => {
    fc.assert(
      fc.property(situation, ({ partitions, threads, previous }) => {
        const tasks = tasksOf(partitions)
        const placed = assignTasks(tasks, threads, new Map(Object.entries(previous)))
        assert.deepEqual([...placed.keys()].sort(), tasks.map(({ id }) => id).sort())
        assert.ok(spread(counts(tasks, threads, placed)) <= 1)
        partitions.forEach((_, subtopology) => {
          const group = tasks.filter((task) => task.subtopology === subtopology)
          assert.ok(spread(counts(group, threads, placed)) <= 1)
        })
      }),
    )
  })

  test('moves nothing when what was before is balanced', () => {
    fc.assert(
      fc.property(situation, ({ partitions, threads, previous }) => {
        const tasks = tasksOf(partitions)
        const before = assignTasks(tasks, threads, new Map(Object.entries(previous)))
        assert.deepEqual(assignTasks(tasks, threads, before), before)
      }),
    )
  })

  test('balanced states that are not built one sub-topology after the other stay as well', () => {
    const tasks = tasksOf([1, 1, 1, 1])
    const before = new Map([
      ['0_0', 0],
      ['1_0', 0],
      ['2_0', 1],
      ['3_0', 1],
    ])
    assert.deepEqual(assignTasks(tasks, 2, before), before)
  })

  test('keeps as many as the best balanced assignment, for one sub-topology', () => {
    fc.assert(
      fc.property(
        fc.nat(12),
        threadCount,
        fc.array(fc.nat(6), { minLength: 12, maxLength: 12 }),
        (count, threads, where) => {
          const tasks = tasksOf([count])
          const previous = new Map(tasks.map(({ id }, index) => [id, where[index]! % threads]))
          const placed = assignTasks(tasks, threads, previous)
          const kept = tasks.filter(({ id }) => placed.get(id) === previous.get(id)).length
          // The best: each thread keeps what fits under the base quota, and `count % threads` threads may keep one more.
          const base = Math.floor(count / threads)
          const held = counts(tasks, threads, previous)
          const most =
            held.reduce((sum, n) => sum + Math.min(n, base), 0) +
            Math.min(count % threads, held.filter((n) => n > base).length)
          assert.equal(kept, most)
        },
      ),
    )
  })

  test('a thread that comes gets its share and the others keep the rest', () => {
    const tasks = tasksOf([8])
    const before = assignTasks(tasks, 2, new Map())
    const after = assignTasks(tasks, 4, before)
    assert.equal(tasks.filter(({ id }) => before.get(id) !== after.get(id)).length, 4)
    assert.deepEqual(counts(tasks, 4, after), [2, 2, 2, 2])
  })
})
