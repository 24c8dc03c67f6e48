import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CommitSchedule, type CommitScheduleOptions } from '../../../src/runtime/commit-schedule.ts'

const MiB = 2 ** 20

class FakeTask {
  needsCommit = false
  wantsCommit = false
  isLarge = false
  waitsForRoom = false
  committedMs = 0
  uncommittedBytes = 0
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  change(bytes: number): void {
    this.needsCommit = true
    this.uncommittedBytes += bytes
  }
}

/** A schedule and its tasks; a commit takes no time but what is said. */
class Thread {
  readonly tasks: readonly FakeTask[]
  readonly schedule: CommitSchedule
  nowMs = 0

  constructor(tasks: number, options: Partial<CommitScheduleOptions> = {}) {
    this.tasks = Array.from({ length: tasks }, (_, index) => new FakeTask(String(index)))
    this.schedule = new CommitSchedule({
      intervalMs: 1_000,
      latenessMs: 500,
      taskBytesMax: 64 * MiB,
      bytesMax: 160 * MiB,
      together: false,
      nowMs: 0,
      ...options,
    })
  }

  /** @returns the names of those that were committed */
  turn(nowMs: number, durationMs = 0): string {
    this.nowMs = nowMs
    const due = this.schedule.due(this.tasks, nowMs)
    const bytes = due.reduce((sum, task) => sum + task.uncommittedBytes, 0)
    for (const task of due) {
      task.committedMs = nowMs + durationMs
      task.needsCommit = false
      task.wantsCommit = false
      task.isLarge = false
      task.uncommittedBytes = 0
    }
    if (due.length > 0) this.schedule.committed(bytes, durationMs, nowMs + durationMs)
    return due.map(({ name }) => name).join(' ')
  }
}

for (const together of [false, true]) {
  const how = together ? 'together' : 'one by one'
  test(`${how}: at the interval what has changed is committed, once`, () => {
    const thread = new Thread(3, { together })
    thread.tasks[0]!.change(10)
    thread.tasks[2]!.change(0)
    assert.equal(thread.turn(999), '')
    assert.equal(thread.turn(1_000, 50), '0 2')
    assert.equal(thread.schedule.nextMs, 2_050)
    // A task that was quiet for long waits for the interval's end, too: else many of them would each have a commit of its own.
    thread.tasks[1]!.change(10)
    assert.equal(thread.turn(1_060), '')
    assert.equal(thread.turn(2_049), '')
    assert.equal(thread.turn(2_050), '1')
    assert.equal(thread.turn(3_050), '')
    assert.equal(thread.schedule.isBehind, false)
  })

  test(`${how}: one that asks has all committed`, () => {
    const thread = new Thread(3, { together })
    for (const task of thread.tasks.slice(1)) task.change(10)
    thread.tasks[1]!.wantsCommit = true
    assert.equal(thread.turn(10), '1 2')
    assert.equal(thread.turn(1_000), '')
    assert.equal(thread.turn(1_010), '')
  })

  test(`${how}: it is late when a turn takes long`, () => {
    const thread = new Thread(1, { together })
    assert.equal(thread.schedule.isLate(1_499), false)
    assert.equal(thread.schedule.isLate(1_500), true)
  })
}

test('together: all are committed when they have gathered what a commit takes in', () => {
  const thread = new Thread(4, { together: true })
  for (const task of thread.tasks) task.change(2 * MiB)
  assert.equal(thread.turn(10), '')
  thread.tasks[3]!.change(1)
  assert.equal(thread.turn(20), '0 1 2 3')
})

test('one by one: a task is committed when it has gathered what a commit takes in, or its limit', () => {
  for (const [taskBytesMax, bytes] of [
    [64 * MiB, 8 * MiB],
    [2 * MiB, 2 * MiB],
  ] as const) {
    const thread = new Thread(4, { taskBytesMax })
    for (const task of thread.tasks) task.change(bytes)
    assert.equal(thread.turn(10), '')
    thread.tasks[2]!.change(1)
    const committed = thread.turn(20).split(' ')
    assert.equal(committed[0], '2')
    // With it goes what the commit has room for.
    assert.equal(committed.length, taskBytesMax === 2 * MiB ? 3 : 1)
  }
})

test('one by one: tasks that reach the limit together are not committed together', () => {
  const thread = new Thread(8)
  for (const task of thread.tasks) task.change(9 * MiB)
  const committed = Array.from({ length: 9 }, (_, turn) => thread.turn(turn, 280))
  assert.deepEqual(committed, ['0', '1', '2', '3', '4', '5', '6', '7', ''])
})

test('one by one: at the interval as many are committed as one commit takes in, and the rest in the turns that follow', () => {
  const thread = new Thread(4)
  thread.tasks.forEach((task, index) => {
    task.committedMs = 4 - index
    task.change(3 * MiB)
  })
  assert.equal(thread.turn(1_000), '3 2')
  assert.equal(thread.schedule.isBehind, true)
  thread.tasks[3]!.change(MiB)
  assert.equal(thread.turn(1_010), '1 0')
  assert.equal(thread.schedule.isBehind, false)
  assert.equal(thread.turn(1_020), '')
  assert.equal(thread.turn(2_010), '3')
})

test('one by one: a task that has changed as much as it may is committed alone; together with all', () => {
  for (const together of [false, true]) {
    const thread = new Thread(3, { together })
    for (const task of thread.tasks) task.change(10)
    thread.tasks[1]!.isLarge = true
    thread.tasks[2]!.isLarge = true
    assert.equal(thread.turn(10), together ? '0 1 2' : '1')
    assert.equal(thread.turn(20), together ? '' : '2')
    assert.equal(thread.turn(30), '')
    // Of the interval nothing has gone by for the others.
    assert.equal(thread.turn(1_000), together ? '' : '0')
  }
})

test('one by one: what waits for room is committed when there is some, large or late; together nothing waits', () => {
  const thread = new Thread(3)
  for (const task of thread.tasks) task.change(10)
  for (const task of thread.tasks.slice(0, 2)) task.waitsForRoom = true
  thread.tasks[0]!.isLarge = true
  assert.equal(thread.turn(10), '')
  assert.equal(thread.turn(1_000), '2')
  assert.equal(thread.turn(1_010), '')
  // Nobody takes turns for what cannot be done.
  assert.equal(thread.schedule.isBehind, false)
  thread.tasks[1]!.waitsForRoom = false
  assert.equal(thread.turn(1_020), '1')
  thread.tasks[0]!.waitsForRoom = false
  assert.equal(thread.turn(1_030), '0')
  assert.equal(thread.turn(1_040), '')

  const all = new Thread(2, { together: true })
  for (const task of all.tasks) {
    task.change(10)
    task.waitsForRoom = true
  }
  assert.equal(all.turn(1_000), '0 1')
})

test('one by one: the largest are committed when there is no more memory, until the others have room', () => {
  const thread = new Thread(16, { bytesMax: 40 * MiB })
  thread.tasks.forEach((task, index) => {
    task.change((index % 4) * MiB)
  })
  // 24 MiB, with room for 20; a commit takes in 8.
  assert.equal(thread.turn(10), '3 7')
  assert.equal(thread.turn(20), '')
  for (const task of thread.tasks) task.change(MiB)
  // 34 MiB: more than a commit takes in has to go.
  assert.equal(thread.turn(30), '11 15 2 6')
  // Memory has nothing to do with the interval.
  assert.equal(thread.schedule.nextMs, 1_000)
})

test('one by one: rows that change often are written less often, in no more memory and no longer commits', () => {
  const rowBytes = 8 * 1024
  const written = (together: boolean): number => {
    const thread = new Thread(8, { together, intervalMs: 1e9 })
    const dirty = thread.tasks.map(() => new Set<number>())
    let rows = 0
    for (let turn = 0; turn < 4_000; turn++) {
      for (const [index, task] of thread.tasks.entries()) {
        for (let update = 0; update < 8; update++) dirty[index]!.add((turn * 8 + update) ** 2 % 2_003)
        task.needsCommit = true
        task.uncommittedBytes = dirty[index]!.size * rowBytes
      }
      const held = thread.tasks.reduce((sum, { uncommittedBytes }) => sum + uncommittedBytes, 0)
      assert.ok(held <= 81 * MiB, `${held} bytes in turn ${turn}`)
      // 250 ms for 8 MiB: the pace stays what it is at first.
      const committed = thread.turn(turn, 250)
      for (const name of committed === '' ? [] : committed.split(' ')) {
        rows += dirty[Number(name)]!.size
        assert.ok(dirty[Number(name)]!.size * rowBytes <= 9 * MiB)
        dirty[Number(name)]!.clear()
      }
    }
    return rows
  }
  const [oneByOne, all] = [written(false), written(true)]
  assert.ok(oneByOne < all * 0.6, `${oneByOne} rows, and ${all} together`)
})
