/** Threads come, go and fail while partitions do. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import type { TopicPartition } from '../../../src/native.ts'
import { partitionKey } from '../../../src/runtime/task-inputs.ts'
import { type ModelThread, PARTITIONS, setUp, tasks } from '../../support/coordinated-threads.ts'

const THREADS_MAX = 5

const which = fc.nat(THREADS_MAX - 1)
/** What happens to the threads. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const) }),
  fc.record({ kind: fc.constant('remove' as const), which }),
  fc.record({ kind: fc.constant('fail' as const), which, committed: fc.boolean() }),
  fc.record({ kind: fc.constant('replace' as const) }),
  fc.record({ kind: fc.constant('commit' as const), which }),
)
/** A rebalance, with what happens to the threads before it, and between its revocation and its assignment. */
const round = fc.record({
  partitions: fc.uniqueArray(fc.nat(PARTITIONS - 1)),
  before: fc.array(step, { maxLength: 4 }),
  within: fc.array(step, { maxLength: 3 }),
})

const keysOf = (partitions: readonly number[]): TopicPartition[] =>
  partitions.flatMap((partition) => ['a', 'b', 'c'].map((topic) => ({ topic, partition })))

describe('TaskCoordinator, with threads that come and go', () => {
  for (const isCooperative of [false, true]) {
    test(`every task is open once, from where the group stands (${isCooperative ? 'cooperative' : 'eager'})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 3 }),
          fc.array(round, { minLength: 1, maxLength: 6 }),
          async (threadCount, rounds) => {
            const set = setUp(threadCount, isCooperative)
            await using _ = { [Symbol.asyncDispose]: set.close }
            const { world, coordinator, models, failures } = set
            /** In the order of their failures. */
            const failed: ModelThread[] = []
            const startingOver: Promise<void>[] = []
            const commits: Promise<string | null>[] = []
            let ours: number[] = []

            const run = async (one: typeof step extends fc.Arbitrary<infer T> ? T : never): Promise<void> => {
              const live = models.filter((model) => !failed.includes(model))
              switch (one.kind) {
                case 'add':
                  if (models.length < THREADS_MAX) await set.add()
                  break
                case 'remove':
                  if (live.length > 1) await set.remove(live[one.which % live.length]!)
                  break
                case 'fail': {
                  const model = live[one.which % live.length]
                  if (model === undefined) break
                  failed.push(model)
                  await set.fail(model, one.committed)
                  break
                }
                case 'replace': {
                  const model = failed.shift()
                  if (model !== undefined) startingOver.push(set.replace(model))
                  break
                }
                case 'commit':
                  if (live.length > 0) commits.push(live[one.which % live.length]!.commit())
                  break
              }
            }
            for (const { partitions, before, within } of rounds) {
              for (const one of before) await run(one)
              const revoked = isCooperative
                ? ours.filter((partition) => !partitions.includes(partition))
                : ours
              await coordinator.revoked(keysOf(revoked), false)
              for (const key of keysOf(revoked)) world.owned.delete(partitionKey(key))
              for (const one of within) await run(one)
              const kept = isCooperative ? ours.filter((partition) => partitions.includes(partition)) : []
              const added = keysOf(partitions.filter((partition) => !kept.includes(partition)))
              for (const key of added) world.owned.add(partitionKey(key))
              await coordinator.assigned({
                partitions: added.map((key) => ({ ...key, offset: world.committed.get(partitionKey(key))! })),
                continuous: !isCooperative,
              })
              ours = partitions
            }
            for (const model of failed.splice(0)) startingOver.push(set.replace(model))
            await Promise.all(startingOver)
            await Promise.all(commits)

            const expected = tasks
              .filter(({ partition }) => ours.includes(partition))
              .map(({ id }) => id)
              .sort()
            const running = models
              .flatMap((model) => [...model.tasks].filter(([, task]) => task.running).map(([id]) => id))
              .sort()
            assert.deepEqual(running, expected)
            for (const model of models) assert.equal(await model.commit(), null)
            assert.ok(coordinator.isSettled)
            assert.deepEqual(world.problems, [])
            assert.deepEqual(failures, [])

            // One thread more or less spreads them evenly, whatever was before.
            await set.add()
            for (const subtopology of ['0', '1']) {
              const counts = models.map(
                (model) =>
                  [...model.tasks].filter(([id, { running }]) => running && id.startsWith(subtopology))
                    .length,
              )
              assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `spread ${counts}`)
            }
            assert.deepEqual(world.problems, [])
            await coordinator.fenceAll()
          },
        ),
        { numRuns: 200 },
      )
    })
  }

  test('while a thread is being replaced its tasks wait for it, and the application is not settled', async () => {
    const { world, coordinator, models, fail, replace, close } = setUp(2, false)
    await using _ = { [Symbol.asyncDispose]: close }
    const all = keysOf([0, 1])
    for (const key of all) world.owned.add(partitionKey(key))
    await coordinator.assigned({ partitions: all.map((key) => ({ ...key, offset: 0 })), continuous: false })
    await models[0]!.commit()
    assert.ok(coordinator.isSettled)
    const [failed, other] = models as [ModelThread, ModelThread]
    const lost = [...failed.tasks.keys()]
    const kept = [...other.tasks.keys()]
    await fail(failed, true)
    assert.ok(!coordinator.isSettled)
    await replace(failed)
    assert.deepEqual([...models[0]!.tasks.keys()], lost)
    assert.deepEqual([...other.tasks.keys()], kept)
    await models[0]!.commit()
    assert.ok(coordinator.isSettled)
    assert.deepEqual(world.problems, [])
  })
})
