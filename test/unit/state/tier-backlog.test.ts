import assert from 'node:assert/strict'
import test from 'node:test'

import type { TierChange } from '../../../src/state/store-tier.ts'
import { BacklogBudget, TierBacklog } from '../../../src/state/tier-backlog.ts'

const VALUE_BYTES = 100
/** Of a key of four bytes, and its row, while it waits. */
const ROW_BYTES = 300 + 4 + VALUE_BYTES
const KEY_BYTES = 80 + 4

/** A backlog whose writes end when they are told to. */
function backlogOf(budget: BacklogBudget) {
  const writes: { readonly changes: readonly TierChange[]; readonly end: () => void }[] = []
  let told = 0
  const backlog = new TierBacklog(
    0,
    (changes) => new Promise((resolve) => writes.push({ changes: [...changes], end: resolve })),
    budget,
    () => told++,
    (error) => assert.fail(String(error)),
  )
  const put = (from: number, to: number): void => {
    for (let number = from; number < to; number++) backlog.put(String(number).padStart(4, '0'))
  }
  const commit = (end: number): void =>
    backlog.committed(end, () => ({ value: Buffer.alloc(VALUE_BYTES), timestampMs: 0 }))
  const written = async (): Promise<void> => {
    writes.shift()!.end()
    await new Promise(setImmediate)
  }
  return { backlog, writes, put, commit, written, told: () => told }
}

test('there is room for changes while what waits, and they, stay below the limit', async () => {
  const budget = new BacklogBudget(100 * ROW_BYTES)
  const { put, commit, written } = backlogOf(budget)
  assert.equal(budget.hasRoomFor(1_000_000), true)
  put(0, 60)
  assert.deepEqual([budget.keyBytes, budget.rowBytes, budget.rows], [60 * KEY_BYTES, 0, 0])
  commit(60)
  assert.deepEqual([budget.keyBytes, budget.rowBytes, budget.rows], [0, 60 * ROW_BYTES, 60])
  assert.deepEqual([budget.hasRoomFor(40), budget.hasRoomFor(41), budget.isFull], [true, false, false])
  // What was put and is not committed takes room, too.
  put(60, 70)
  assert.equal(budget.hasRoomFor(40), false)
  commit(70)
  await written()
  assert.deepEqual([budget.rows, budget.hasRoomFor(90), budget.hasRoomFor(91)], [10, true, false])
  await written()
  assert.deepEqual([budget.keyBytes, budget.rowBytes, budget.rows], [0, 0, 0])
})

test('a large commit makes room part by part, and says so each time; the watermark moves with the last', async () => {
  const budget = new BacklogBudget(1)
  const { backlog, writes, put, commit, written, told } = backlogOf(budget)
  put(0, 5_000)
  assert.equal(budget.isFull, true)
  commit(5_000)
  const left: number[] = []
  while (writes.length > 0) {
    assert.equal(backlog.watermark, 0)
    const before = told()
    await written()
    assert.ok(told() > before)
    left.push(budget.rows)
  }
  assert.deepEqual(left, [2_952, 904, 0])
  assert.equal(backlog.watermark, 5_000)
})
