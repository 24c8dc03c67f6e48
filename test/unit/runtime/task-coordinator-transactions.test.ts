/** What becomes of the tasks of a transaction that failed, and of which nobody here knows how it ended. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { WeirError } from '../../../src/errors/weir-error.ts'
import { partitionKey, type TaskInputs } from '../../../src/runtime/task-inputs.ts'
import { setUp, tasks } from '../../support/coordinated-threads.ts'

const ours = [0, 1].flatMap((partition) => ['a', 'b', 'c'].map((topic) => ({ topic, partition })))

/** Both sub-topologies' first two tasks on one thread; they then fall with a transaction that was committed all the same. */
async function failed(isCooperative: boolean) {
  const { world, coordinator, models, handleOf, close } = setUp(1, isCooperative)
  for (const one of ours) world.owned.add(partitionKey(one))
  await coordinator.assigned({ partitions: ours.map((one) => ({ ...one, offset: 0 })), continuous: false })
  const [model] = models
  const fail = () => {
    const dropped = model!.dropAll()
    for (const one of ours) world.committed.set(partitionKey(one), 7)
    return dropped
  }
  const startOver = (dropped: ReturnType<typeof fail>) => coordinator.startOver(handleOf(model!), dropped, 1)
  return { world, coordinator, model: model!, fail, startOver, [Symbol.asyncDispose]: close }
}

/** Sub-topology 0 without topic b. */
const withOtherInputs: readonly TaskInputs[] = tasks.map((task) =>
  task.subtopology === 0 ? { ...task, inputs: task.inputs.filter(({ topic }) => topic === 'a') } : task,
)

describe('TaskCoordinator: a transaction that failed', () => {
  test('its tasks begin again where the group stands, and can commit', async () => {
    await using set = await failed(false)
    const { world, model, fail, startOver } = set
    const dropped = fail()
    await startOver(dropped)
    assert.deepEqual([...model.tasks.keys()].sort(), ['0_0', '0_1', '1_0', '1_1'])
    assert.equal(await model.commit(), null)
    // They are others by now.
    await assert.rejects(set.coordinator.commit({ tasks: dropped, offsets: [] }), { code: 'fenced' })
    assert.deepEqual(world.problems, [])
  })

  test('what was taken away meanwhile does not begin again', async () => {
    await using set = await failed(false)
    const { world, coordinator, model, fail, startOver } = set
    const answered = Promise.withResolvers<void>()
    world.answersAfter.push(answered.promise)
    const started = startOver(fail())
    while (world.answersAfter.length > 0) await new Promise(setImmediate)
    await coordinator.revoked(ours, true)
    answered.resolve()
    await started
    assert.equal(model.tasks.size, 0)
    assert.deepEqual(world.problems, [])
  })

  test('a task that is handed out with other inputs meanwhile waits for where the group stands, too', async () => {
    await using set = await failed(true)
    const { world, coordinator, model, fail, startOver } = set
    const answered = Promise.withResolvers<void>()
    world.answersAfter.push(answered.promise)
    const started = startOver(fail())
    while (world.answersAfter.length > 0) await new Promise(setImmediate)
    await coordinator.replan(withOtherInputs, true)
    answered.resolve()
    await started
    assert.deepEqual([...model.tasks.keys()].sort(), ['0_0', '0_1', '1_0', '1_1'])
    assert.equal(await model.commit(), null)
    assert.deepEqual(world.problems, [])
  })

  test('so does one whose last commit fails while it gives way', async () => {
    await using set = await failed(true)
    const { world, coordinator, model, fail, startOver } = set
    // The thread's answer comes after what it says of the failure.
    const { commit } = model
    model.commit = async () => {
      model.commit = commit
      void startOver(fail())
      return null
    }
    await coordinator.replan(withOtherInputs, true)
    while (model.tasks.size < 4) await new Promise(setImmediate)
    assert.equal(await model.commit(), null)
    assert.deepEqual(world.problems, [])
  })

  test('a question that a leaving process cannot ask any more is no failure', async () => {
    await using set = await failed(false)
    const { world, coordinator, fail, startOver } = set
    const answered = Promise.withResolvers<void>()
    world.answersAfter.push(answered.promise)
    const started = startOver(fail())
    while (world.answersAfter.length > 0) await new Promise(setImmediate)
    await coordinator.fenceAll()
    answered.reject(new WeirError('closed', 'the consumer was closed'))
    await started
  })
})
