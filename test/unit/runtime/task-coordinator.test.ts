import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import type { TopicPartition } from '../../../src/native.ts'
import type { TaskId } from '../../../src/runtime/protocol.ts'
import { partitionKey, type TaskInputs } from '../../../src/runtime/task-inputs.ts'
import { PARTITIONS, setUp, tasks } from '../../support/coordinated-threads.ts'

/** One rebalance: which partitions (numbers; all three topics have them) are ours afterwards, and what happened to the others meanwhile. */
const round = fc.record({
  partitions: fc.uniqueArray(fc.nat(PARTITIONS - 1)),
  lost: fc.boolean(),
  /** A generation passed in which others had what was ours. */
  gap: fc.boolean(),
  /** Threads that commit at the same time as the revocation. */
  committing: fc.array(fc.nat(3)),
})

/** How many partitions each topic has that sub-topology 0 may read. */
const counts: Readonly<Record<string, number>> = { a: PARTITIONS, b: PARTITIONS, d: 2, e: 3 }

/** Every task of the application when sub-topology 0 reads these topics, and sub-topology 1 what it always does. */
function planOf(topics: readonly string[]): TaskInputs[] {
  const count = Math.max(...topics.map((topic) => counts[topic]!))
  const first = Array.from({ length: count }, (_, partition) => ({
    id: `0_${partition}` as TaskId,
    subtopology: 0,
    partition,
    inputs: topics.filter((topic) => partition < counts[topic]!).map((topic) => ({ topic, partition })),
  }))
  return [...first, ...tasks.filter(({ subtopology }) => subtopology === 1)]
}

const inputsOf = (plan: readonly TaskInputs[]): TopicPartition[] => plan.flatMap(({ inputs }) => inputs)

function without(some: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const keys = new Set(others.map(partitionKey))
  return some.filter((one) => !keys.has(partitionKey(one)))
}

/** Topics that match from then on, and which partitions are ours then. */
const change = fc.record({
  next: fc.subarray(Object.keys(counts), { minLength: 1 }),
  partitions: fc.uniqueArray(fc.nat(PARTITIONS - 1)),
  groupFirst: fc.boolean(),
  /** Threads that commit meanwhile. */
  committing: fc.array(fc.nat(2)),
})

const keysOf = (partitions: readonly number[]) =>
  partitions.flatMap((partition) => ['a', 'b', 'c'].map((topic) => ({ topic, partition })))

describe('TaskCoordinator', () => {
  for (const isCooperative of [false, true]) {
    test(`any rebalances keep tasks on one thread, current and fenced (${isCooperative ? 'cooperative' : 'eager'})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 4 }),
          fc.array(round, { maxLength: 8 }),
          async (threadCount, rounds) => {
            const set = setUp(threadCount, isCooperative)
            await using _ = { [Symbol.asyncDispose]: set.close }
            const { world, coordinator, models, failures } = set
            let ours: number[] = []
            for (const { partitions, lost, gap, committing } of rounds) {
              const revoked =
                isCooperative && !lost ? ours.filter((partition) => !partitions.includes(partition)) : ours
              if (revoked.length > 0 || !isCooperative) {
                const running = committing.map((index) => models[index % threadCount]!.commit())
                const give = (): void => {
                  for (const key of keysOf(revoked)) world.owned.delete(partitionKey(key))
                }
                // What is lost belongs to somebody else before anyone here knows.
                if (lost) give()
                await coordinator.revoked(keysOf(revoked), lost)
                give()
                // What was under way is committed before the partitions go, or refused when they are gone already.
                for (const code of await Promise.all(running))
                  assert.ok(code === null || (lost && code === 'fenced'), String(code))
                // What a thread still believes to have cannot be committed any more.
                const stale = tasks.filter(
                  ({ inputs }) => !inputs.every((input) => world.owned.has(partitionKey(input))),
                )
                for (const { id } of stale) {
                  await assert.rejects(coordinator.confirm({ tasks: [{ id, epoch: 1 }] }), { code: 'fenced' })
                  await assert.rejects(coordinator.commit({ tasks: [{ id, epoch: 1 }], offsets: [] }), {
                    code: 'fenced',
                  })
                }
                const passed = lost || (gap && !isCooperative) || isCooperative
                if (passed) {
                  for (const { id, partition, inputs } of tasks) {
                    if (!revoked.includes(partition)) continue
                    world.stateVersion.set(id, (world.stateVersion.get(id) ?? 0) + 1)
                    for (const input of inputs) {
                      const key = partitionKey(input)
                      // Sometimes only the state moved: a punctuator ran elsewhere, and no offset was committed.
                      if (partition % 2 === 0) world.committed.set(key, world.committed.get(key)! + 5)
                    }
                  }
                }
              }
              const kept =
                isCooperative && !lost ? ours.filter((partition) => partitions.includes(partition)) : []
              const added = keysOf(partitions.filter((partition) => !kept.includes(partition)))
              for (const key of added) world.owned.add(partitionKey(key))
              await coordinator.assigned({
                partitions: added.map((key) => ({ ...key, offset: world.committed.get(partitionKey(key))! })),
                continuous: !lost && !gap && !isCooperative,
              })
              ours = partitions

              const expected = tasks
                .filter(({ partition }) => ours.includes(partition))
                .map(({ id }) => id)
                .sort()
              const running = models
                .flatMap((model) => [...model.tasks].filter(([, task]) => task.running).map(([id]) => id))
                .sort()
              assert.deepEqual(running, expected)
              for (const subtopology of ['0', '1']) {
                const counts = models.map(
                  (model) =>
                    [...model.tasks].filter(([id, { running }]) => running && id.startsWith(subtopology))
                      .length,
                )
                assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `spread ${counts}`)
              }
              for (const model of models) assert.equal(await model.commit(), null)
              assert.ok(coordinator.isSettled)
              assert.deepEqual(world.problems, [])
            }
            assert.deepEqual(failures, [])
            assert.equal(world.commitsRunning, 0)
          },
        ),
        { numRuns: 60 },
      )
    })
  }

  test('under the eager protocol what comes back at once is not opened again', async () => {
    const { coordinator, models, close } = setUp(2, false)
    const all = keysOf([0, 1, 2, 3])
    await coordinator.assigned({ partitions: all.map((key) => ({ ...key, offset: 0 })), continuous: false })
    const before = models.map((model) => new Map(model.tasks))
    await coordinator.revoked(all, false)
    const committed = (key: { topic: string; partition: number }) =>
      models
        .flatMap((model) => [...model.tasks.values()])
        .map(({ positions }) => positions.get(partitionKey(key)))
        .find((offset) => offset !== undefined)!
    await coordinator.assigned({
      partitions: all.map((key) => ({ ...key, offset: committed(key) })),
      continuous: true,
    })
    for (const [index, model] of models.entries()) {
      for (const [id, task] of model.tasks) assert.equal(task, before[index]!.get(id))
      assert.equal(model.tasks.size, 4)
    }
    await close()
  })

  for (const isCooperative of [false, true]) {
    test(`tasks whose inputs change are opened again, the others are not (${isCooperative ? 'cooperative' : 'eager'})`, async () => {
      const set = setUp(2, isCooperative, 60_000)
      await using _ = { [Symbol.asyncDispose]: set.close }
      const { world, coordinator, models, failures } = set
      const give = async (
        keys: { topic: string; partition: number }[],
        continuous: boolean,
      ): Promise<void> => {
        for (const key of keys) {
          world.owned.add(partitionKey(key))
          if (!world.committed.has(partitionKey(key))) world.committed.set(partitionKey(key), 0)
        }
        const partitions = keys.map((key) => ({ ...key, offset: world.committed.get(partitionKey(key))! }))
        await coordinator.assigned({ partitions, continuous })
      }
      const opened = () => new Map(models.flatMap((model) => [...model.tasks]))
      const inputsOf = (id: TaskId): string[] => opened().get(id)!.assignment.inputs.map(partitionKey).sort()
      const all = keysOf([0, 1, 2, 3])
      await give(all, false)
      let before = opened()

      // A topic d with two partitions is read by sub-topology 0 as well.
      const grown = tasks.map((task) =>
        task.subtopology === 0 && task.partition < 2
          ? { ...task, inputs: [...task.inputs, { topic: 'd', partition: task.partition }] }
          : task,
      )
      await coordinator.replan(grown, true)
      if (!isCooperative) {
        await coordinator.revoked(all, false)
        await give(all, true)
      }
      const stopped = [...before].filter(([id, task]) => !task.running || task !== opened().get(id))
      assert.deepEqual(stopped, [], 'they go on until its partitions have come')
      const d = [0, 1].map((partition) => ({ topic: 'd', partition }))
      if (!isCooperative) await coordinator.revoked(all, false)
      await give(isCooperative ? d : [...all, ...d], true)
      assert.deepEqual(inputsOf('0_1'), ['a:1', 'b:1', 'd:1'])
      for (const [id, task] of opened())
        assert.equal(task === before.get(id), !['0_0', '0_1'].includes(id), id)

      // b goes, and with it all that the group has of it.
      before = opened()
      const smaller = grown.map((task) => ({
        ...task,
        inputs: task.inputs.filter(({ topic }) => topic !== 'b'),
      }))
      const b = all.filter(({ topic }) => topic === 'b')
      const rest = [...all, ...d].filter(({ topic }) => topic !== 'b')
      await coordinator.replan(smaller, true)
      await coordinator.revoked(isCooperative ? b : [...all, ...d], false)
      if (!isCooperative) await give(rest, true)
      assert.deepEqual(inputsOf('0_1'), ['a:1', 'd:1'])
      assert.deepEqual(inputsOf('0_3'), ['a:3'])
      for (const [id, task] of opened()) assert.equal(task === before.get(id), id.startsWith('1_'), id)
      assert.equal(opened().size, 8)
      assert.ok(coordinator.isSettled)
      assert.deepEqual(world.problems, [])
      assert.deepEqual(failures, [])
    })
  }

  for (const isCooperative of [false, true]) {
    test(`any topics that come and go are followed (${isCooperative ? 'cooperative' : 'eager'})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 3 }),
          fc.array(change, { minLength: 1, maxLength: 8 }),
          async (threadCount, changes) => {
            const set = setUp(threadCount, isCooperative, 60_000)
            await using _ = { [Symbol.asyncDispose]: set.close }
            const { world, coordinator, models, failures } = set
            /** What the group has given to this process. */
            let ours: TopicPartition[] = []
            let topics: readonly string[] = ['a', 'b']
            const give = async (partitions: readonly TopicPartition[]): Promise<void> => {
              for (const key of partitions.map(partitionKey)) {
                world.owned.add(key)
                if (!world.committed.has(key)) world.committed.set(key, 0)
              }
              ours = [...ours, ...partitions]
              await coordinator.assigned({
                partitions: partitions.map((one) => ({
                  ...one,
                  offset: world.committed.get(partitionKey(one))!,
                })),
                continuous: !isCooperative,
              })
            }
            const take = async (partitions: readonly TopicPartition[]): Promise<void> => {
              if (partitions.length === 0) return
              await coordinator.revoked(partitions, false)
              for (const one of partitions) world.owned.delete(partitionKey(one))
              ours = without(ours, partitions)
            }
            /** A rebalance, or two, after which just these partitions are ours. */
            const rebalance = async (target: readonly TopicPartition[]): Promise<void> => {
              await take(isCooperative ? without(ours, target) : ours)
              await give(without(target, ours))
            }
            for (const { next, partitions, groupFirst, committing } of changes) {
              const plan = planOf(next)
              const target = inputsOf(plan).filter(({ partition }) => partitions.includes(partition))
              const running = committing.map((index) => models[index % threadCount]!.commit())
              // The group knows of deleted topics before this process, which alone brings new ones in.
              if (groupFirst) {
                const known = new Set(inputsOf(planOf(topics)).map(partitionKey))
                await rebalance(target.filter((one) => known.has(partitionKey(one))))
              }
              await coordinator.replan(plan, true)
              await rebalance(target)
              topics = next
              for (const code of await Promise.all(running)) assert.equal(code, null)

              const expected = plan
                .filter(({ partition }) => partitions.includes(partition))
                .map((task) => [task.id, task.inputs.map(partitionKey).sort()])
              const open = models
                .flatMap((model) => [...model.tasks])
                .filter(([, task]) => task.running)
                .map(([id, task]) => [id, task.assignment.inputs.map(partitionKey).sort()])
              assert.deepEqual(open.sort(), expected.sort())
              for (const model of models) assert.equal(await model.commit(), null)
              assert.ok(coordinator.isSettled)
              assert.deepEqual(world.problems, [])
            }
            assert.deepEqual(failures, [])
            await coordinator.fenceAll()
          },
        ),
        { numRuns: 100 },
      )
    })
  }

  test('what cannot be run stops the application', async () => {
    const { coordinator, failures, close } = setUp(1, false)
    await coordinator.assigned({ partitions: [{ topic: 'a', partition: 1, offset: 0 }], continuous: false })
    assert.equal(failures.pop()!.code, 'copartition-mismatch')
    await close()
  })

  test('a thread that is gone does not hold up a rebalance', async () => {
    const { coordinator, models, failures, fail, close } = setUp(2, false)
    const all = keysOf([0, 1])
    await coordinator.assigned({ partitions: all.map((key) => ({ ...key, offset: 0 })), continuous: false })
    await fail(models[0]!, false)
    await coordinator.revoked(all, false)
    await coordinator.assigned({ partitions: [], continuous: false })
    assert.deepEqual(failures, [])
    await close()
  })
})
