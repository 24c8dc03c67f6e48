import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'

import type { WeirError } from '../../../src/errors/weir-error.ts'
import { AssignmentChecks } from '../../../src/runtime/assignment-checks.ts'
import type { TaskInputs } from '../../../src/runtime/task-inputs.ts'

const joined: TaskInputs = {
  id: '0_1',
  subtopology: 0,
  partition: 1,
  inputs: [
    { topic: 'a', partition: 1 },
    { topic: 'b', partition: 1 },
  ],
}
const single: TaskInputs = { id: '1_0', subtopology: 1, partition: 0, inputs: [{ topic: 'c', partition: 0 }] }

function setUp(isCooperative: boolean, patternsSettleMs?: number) {
  const failures: WeirError[] = []
  const warnings: string[] = []
  const doubts: number[] = []
  const checks = new AssignmentChecks({
    config: { tasksMax: 2 },
    tasks: [joined, single],
    membership: { isCooperative },
    ...(patternsSettleMs !== undefined && { patternsSettleMs }),
    logger: { debug() {}, info() {}, error() {}, warn: (_, message) => warnings.push(message) },
    onFailed: (error) => failures.push(error),
    topicsInDoubt: () => doubts.push(0),
  })
  return { checks, failures, warnings, doubted: () => doubts.splice(0).length }
}

const hasOnlyA = (key: string): boolean => key === 'a:1'

describe('what is assigned', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  test('a partition that no task has casts doubt on its topic, until a task has it', () => {
    const { checks, failures, doubted } = setUp(false)
    checks.partitions([...joined.inputs, ...single.inputs])
    assert.equal(doubted(), 0)
    checks.partitions([...joined.inputs, { topic: 'a', partition: 9 }])
    assert.equal(doubted(), 1)
    for (let seconds = 0; seconds < 2; seconds++) mock.timers.tick(1_000)
    assert.equal(doubted(), 2)
    const grown = { ...joined, id: '0_9', partition: 9, inputs: [{ topic: 'a', partition: 9 }] }
    checks.setTasks([joined, single, grown])
    mock.timers.tick(60_000)
    assert.equal(doubted(), 0)
    checks.partitions([{ topic: 'a', partition: 10 }])
    checks.stop()
    mock.timers.tick(60_000)
    assert.equal(doubted(), 1)
    assert.equal(failures.length, 0)
  })

  test('a task torn apart stops the application when no further step of the rebalance can mend it', () => {
    const { checks, failures } = setUp(false)
    checks.partial([], hasOnlyA)
    assert.equal(failures.length, 0)
    checks.partial([joined], hasOnlyA)
    assert.equal(failures[0]?.code, 'copartition-mismatch')
    assert.match(failures[0]?.message ?? '', /^task 0_1 cannot run: another process has b:1\. /)
  })

  test('where a further step may bring the rest, there is one warning when none has come for long', () => {
    const { checks, failures, warnings } = setUp(true)
    checks.partial([joined], hasOnlyA)
    mock.timers.tick(29_999)
    assert.deepEqual(warnings, [])
    mock.timers.tick(60_000)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /^task 0_1 cannot run/)

    checks.partial([joined], hasOnlyA)
    mock.timers.tick(20_000)
    checks.partial([], () => true)
    mock.timers.tick(60_000)
    checks.partial([joined], hasOnlyA)
    checks.stop()
    mock.timers.tick(60_000)
    assert.equal(warnings.length, 1)
    assert.equal(failures.length, 0)
  })

  test('where patterns are followed, processes may differ for a while in the topics that match', () => {
    const { checks, failures, doubted } = setUp(false, 10_000)
    checks.partitions([...joined.inputs, { topic: 'gone', partition: 0 }])
    checks.partial([joined], hasOnlyA)
    mock.timers.tick(39_999)
    assert.equal(failures.length, 0)
    mock.timers.tick(1)
    assert.equal(failures.pop()?.code, 'copartition-mismatch')
    assert.equal(doubted(), 0)
    checks.partitions([{ topic: 'a', partition: 9 }])
    assert.equal(doubted(), 1)
    checks.setTasks([single])
    mock.timers.tick(60_000)
    assert.equal(doubted(), 0)
    assert.equal(failures.length, 0)
  })

  test('more tasks than memory was planned for are warned of once', () => {
    const { checks, warnings } = setUp(false)
    checks.count(2)
    assert.deepEqual(warnings, [])
    checks.count(3)
    checks.count(4)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /^more tasks than memory is planned for/)
  })
})
